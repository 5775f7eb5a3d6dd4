"""Plans for a peak on the wire: for own referrals, or in counts for administrators."""

from datetime import datetime

from fastapi import APIRouter, Request, Response
from pydantic import Field

from app.api.kit.once import OnceIn
from app.api.kit.wire import Id, Out, parse_id, single
from app.api.ranking.peak_plans import PeakPlanOut, PeakPlanWanted, plan_out
from app.database.caller import Role
from app.database.transaction import Transaction
from app.deps import Tx
from app.errors import Fault, Invalid
from app.ranking import peaks
from app.ranking.peaks import CountsRow

router = APIRouter(tags=["Peaks"])


class UrgencyCountOut(Out):
    """Referrals of one urgency."""

    urgency: str
    placed: int | None
    not_placed: int | None
    placed_in_turn: int | None


class RegionCountOut(Out):
    """Referrals from one region."""

    region: str
    placed: int | None
    not_placed: int | None


class BandCountOut(Out):
    """Referrals that would be placed in one band of safety."""

    band: str
    placed: int | None


class PeakCountsOut(
    Out,
    json_schema_extra={
        "description": "A plan for all open referrals of the country, in counts. Null stands for a "
        "small number, or one beside it."
    },
):
    """A plan for all open referrals of the country, in counts."""

    id: Id
    asked_at: datetime
    made_at: datetime | None = Field(description="Null until it has been made, within seconds.")
    by_urgency: list[UrgencyCountOut]
    by_region: list[RegionCountOut]
    by_band: list[BandCountOut]


@router.post(
    "/peak-plans",
    status_code=201,
    response_model=PeakPlanOut | PeakCountsOut,
    summary="Place many together",
    description="Plan for many referrals at once: most placed, the more urgent first, then the "
    "best bands, then the most points.\n\n"
    "Intake workers plan for own open referrals, and hold each offer as they confirm it.\n"
    "Administrators ask for all of the country and get counts, made within seconds: read "
    "them at\n"
    "`/v1/peak-plans/{id}`.",
)
async def plan_peak(tx: Tx, once: OnceIn, wanted: PeakPlanWanted | None = None) -> Response:
    """Plan for many referrals at once."""
    ids = None if wanted is None else wanted.referral_ids
    if not tx.caller.has(Role.INTAKE_WORKER):
        return await once.keep(tx, (await _ask_counts(tx, ids)).reply(201))
    plan = await peaks.plan_peak(tx, None if ids is None else [parse_id(id_) for id_ in ids])
    reply = (await plan_out(tx, plan)).reply(201)
    return await once.keep(tx, reply, referral_ids=[part.referral_id for part in plan.parts])


@router.get(
    "/peak-plans/{id}",
    response_model=PeakCountsOut,
    summary="A plan in counts",
)
async def read_peak_plan(id: str, request: Request, tx: Tx) -> Response:
    """Read a plan for all of the country, in counts; it is kept for a day."""
    return single(_counts(await peaks.read_counts(tx, parse_id(id))), request)


async def _ask_counts(tx: Transaction, ids: list[str] | None) -> PeakCountsOut:
    if ids is not None:
        fault = "is for own referrals; leave it out for all of the country, in counts"
        raise Invalid(Fault("/referralIds", fault))
    return _counts(await peaks.ask_counts(tx))


def _counts(row: CountsRow) -> PeakCountsOut:
    made = row.counts or {"urgency": [], "in_turn": [], "region": [], "band": []}
    by_urgency = {(urgency, done): count for urgency, done, count in made["urgency"]}
    by_region = {(region, done): count for region, done, count in made["region"]}
    return PeakCountsOut.of(
        row,
        by_urgency=[
            UrgencyCountOut(
                urgency=urgency,
                placed=by_urgency[urgency, "placed"],
                not_placed=by_urgency[urgency, "not_placed"],
                placed_in_turn=in_turn,
            )
            for urgency, in_turn in made["in_turn"]
        ],
        by_region=[
            RegionCountOut(
                region=region,
                placed=by_region[region, "placed"],
                not_placed=by_region[region, "not_placed"],
            )
            for region in dict.fromkeys(region for region, _ in by_region)
        ],
        by_band=[BandCountOut(band=band, placed=count) for band, count in made["band"]],
    )
