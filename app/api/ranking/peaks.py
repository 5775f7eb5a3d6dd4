"""Plans for a peak on the wire: for own referrals, or in counts for administrators."""

from datetime import datetime

from fastapi import APIRouter, Request, Response
from pydantic import Field

from app.api.kit.once import OnceIn
from app.api.kit.wire import Out, parse, single
from app.api.ranking.peak_plans import PeakPlanOut, PeakPlanWanted, shown
from app.database.caller import Role
from app.deps import PartsIn, Tx
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


class PeakCountsOut(Out):
    """A plan for all open referrals of the country, in counts. Null stands for a small number, or one beside it."""

    id: str
    asked_at: datetime
    made_at: datetime | None = Field(description="Null until it has been made, within seconds.")
    by_urgency: list[UrgencyCountOut]
    by_region: list[RegionCountOut]
    by_band: list[BandCountOut]


@router.post(
    "/peak-plans",
    status_code=201,
    response_model=PeakPlanOut | PeakCountsOut,
    operation_id="planPeak",
    summary="Place many together",
)
async def make(
    tx: Tx, parts: PartsIn, once: OnceIn, wanted: PeakPlanWanted | None = None
) -> Response:
    """Plan for many referrals at once: most placed, the more urgent first, then the best bands, then the most points.

    Intake workers plan for own open referrals, and hold each offer as they confirm it.
    Administrators ask for all of the country and get counts, made within seconds: read them at
    `/v1/peak-plans/{id}`.
    """
    ids = None if wanted is None else wanted.referral_ids
    if not tx.caller.has(Role.INTAKE_WORKER):
        if ids is not None:
            raise Invalid(
                Fault(
                    "/referralIds",
                    "is for own referrals; leave it out for all of the country, in counts",
                )
            )
        return await once.keep(tx, _counts(await peaks.ask_counts(tx)).reply(201))
    plan = await peaks.plan_peak(tx, None if ids is None else [parse(id_) for id_ in ids])
    reply = (await shown(tx, parts, plan)).reply(201)
    return await once.keep(tx, reply, referral_ids=[part.referral_id for part in plan.parts])


@router.get(
    "/peak-plans/{id}",
    response_model=PeakCountsOut,
    operation_id="readPeakPlan",
    summary="A plan in counts",
)
async def read(id: str, request: Request, tx: Tx) -> Response:
    """Read a plan for all of the country, in counts; it is kept for a day."""
    return single(_counts(await peaks.read_counts(tx, parse(id))), request)


def _counts(row: CountsRow) -> PeakCountsOut:
    made = row.counts or {"urgency": [], "in_turn": [], "region": [], "band": []}
    by_urgency = {(urgency, done): count for urgency, done, count in made["urgency"]}
    by_region = {(region, done): count for region, done, count in made["region"]}
    return PeakCountsOut(
        id=str(row.id),
        asked_at=row.asked_at,
        made_at=row.made_at,
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
