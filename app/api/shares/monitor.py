"""The monitor on the wire: quarters as they were released, as JSON and as CSV."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import AliasPath, Field

from app.api.kit.known_codes import RegionCode
from app.api.kit.quarters import QuartersIn
from app.api.kit.wire import AsText, Id, Out
from app.deps import Tx
from app.shares import monitor
from app.shares.monitor import Monitor, MonitorQuarter, RegionFigures, StalenessRow

router = APIRouter(tags=["Monitor"])

CSV = "text/csv"
COLUMNS = ("quarter", "region", "measure", "breakdown", "code", "count")
Count = Annotated[
    int | None,
    Field(description="Null stands for a count under ten, or one that would give such away."),
]


class CodeCountOut(Out):
    """How many there were of one code."""

    code: str
    count: Count


class InflowOut(Out):
    """Households whose stay began."""

    total: Count
    by_reason: list[CodeCountOut]
    by_children: list[CodeCountOut] = Field(description="with, without, not_counted")
    by_men: list[CodeCountOut] = Field(description="with, without, not_counted")
    repeat_admissions: Count = Field(
        description="Of those, with a reason that says that they had a place before. Plek knows "
        "nobody again."
    )
    children: Count
    men: Count
    target_groups: list[CodeCountOut] = Field(
        description="A household may count in several, or in none."
    )


class OutflowOut(Out):
    """Stays that ended."""

    total: Count
    by_destination: list[CodeCountOut]
    by_days: list[CodeCountOut] = Field(
        description="By how many days they lasted, from first arrival to departure."
    )
    by_moves: list[CodeCountOut] = Field(
        description="By how often the household moved on within it."
    )
    moves_per_household: float | None = Field(
        description="On average; three stands for three and more."
    )


class PointOut(Out):
    """What part of the stays lasts so many days or longer."""

    days: int
    staying_percent: int


class StayOut(
    Out,
    json_schema_extra={
        "description": "How long stays last, by those of the quarter: one that goes on counts as "
        "far as it has come (Kaplan-Meier)."
    },
):
    """How long stays last, by those of the quarter (Kaplan-Meier)."""

    median_days: int | None = Field(
        description="In steps of five; null where too few were left to look at."
    )
    survival: list[PointOut] = Field(validation_alias="points")


class OccupancyOut(Out):
    """How full places were, on an average day of those that were counted."""

    days_counted: int = Field(
        description="Days of the quarter on which places were counted; 0: nobody did yet."
    )
    places_in_service: int
    in_use: Count = Field(
        description="By households that Plek placed, and by those that came without it."
    )
    occupied_permille: int | None
    norm_permille: int = Field(description="By the policy in force.")


class WaitingTimesOut(
    Out,
    json_schema_extra={
        "description": "How long it took from a referral to a confirmed place, of those whose stay "
        "began; by region of origin."
    },
):
    """How long it took from a referral to a confirmed place."""

    by_time: list[CodeCountOut]
    alternatives: list[CodeCountOut] = Field(description="What households had meanwhile, by kind.")


class AnswersOut(Out):
    """What providers answered, and why senders gave holds back."""

    by_code: list[CodeCountOut] = Field(
        description="Accepted by a person, declined by code, and no_answer."
    )
    releases: list[CodeCountOut] = Field(
        description="Holds that were given back, by code and region of origin."
    )
    overrides: list[CodeCountOut] = Field(
        description="Placements by why not the first offer was taken; none: it was."
    )


class EarlierOut(Out):
    """The same quarter of an earlier year."""

    quarter: AsText
    inflow: Count
    outflow: Count
    occupied_permille: int | None


class RegionFiguresOut(Out):
    """A region's quarter."""

    region: str | None = Field(description="Null: the country.")
    inflow: InflowOut
    throughflow: Count = Field(
        description="Moves from a crisis or emergency place to a regular one."
    )
    outflow: OutflowOut
    stay: StayOut
    occupancy: OccupancyOut
    waiting: WaitingTimesOut
    answers: AnswersOut
    blockers: list[CodeCountOut] = Field(description="What began to delay a departure.")
    trend: list[EarlierOut]


class StalenessOut(Out):
    """What part of the counted days a provider's sites were not confirmed in time."""

    provider_id: Id
    region: str
    days_counted: int = Field(validation_alias="days")
    stale_permille: int
    unknown_permille: int


class MonitorQuarterOut(Out):
    """A quarter as it was released; it never changes afterwards."""

    quarter: AsText
    first_day: date = Field(validation_alias=AliasPath("quarter", "first"))
    last_day: date = Field(validation_alias=AliasPath("quarter", "last"))
    made_at: datetime | None = Field(
        description="Null: not released yet; that is a week after it is over."
    )
    regions: list[RegionFiguresOut]
    staleness: list[StalenessOut] = Field(
        description="Own provider, own region, or all for administrators."
    )


class MonitorOut(Out):
    """Some quarters."""

    quarters: list[MonitorQuarterOut]


@router.get(
    "/monitor",
    response_model=MonitorOut,
    summary="How shelter works",
    responses={
        200: {"content": {CSV: {"schema": {"type": "string"}}}, "description": "As released."}
    },
    description="Return whole quarters, each as it was released; with `Accept: text/csv` as one "
    "line a count.",
)
async def read_monitor(
    request: Request,
    tx: Tx,
    quarters: QuartersIn,
    region: Annotated[RegionCode | None, Query(description="Only this region.")] = None,
) -> Response:
    """Return whole quarters as they were released, as JSON or CSV."""
    found = await monitor.read(tx, quarters, region=region)
    if request.headers.get("accept", "").split(";")[0].strip() == CSV:
        named = {"Content-Disposition": 'attachment; filename="monitor.csv"'}
        return Response(csv_of(found), headers=named, media_type=CSV)
    return MonitorOut(
        quarters=[_quarter(one, found.occupancy_norm_permille) for one in found.quarters]
    ).reply()


def _quarter(one: MonitorQuarter, norm: int) -> MonitorQuarterOut:
    return MonitorQuarterOut.of(one, regions=[_region(figures, norm) for figures in one.regions])


def _region(figures: RegionFigures, norm: int) -> RegionFiguresOut:
    return RegionFiguresOut(
        region=figures.region,
        inflow=_inflow(figures),
        throughflow=figures.counts["throughflow"],
        outflow=_outflow(figures),
        stay=StayOut.of(figures.stay),
        occupancy=OccupancyOut(
            days_counted=figures.days_counted,
            places_in_service=figures.places,
            in_use=figures.counts["occupied"],
            occupied_permille=figures.occupied_permille,
            norm_permille=norm,
        ),
        waiting=WaitingTimesOut(
            by_time=_codes(figures, "waiting", "time"),
            alternatives=_codes(figures, "alternatives", "kind"),
        ),
        answers=AnswersOut(
            by_code=_codes(figures, "answers", "code"),
            releases=_codes(figures, "releases", "code"),
            overrides=_codes(figures, "overrides", "code"),
        ),
        blockers=_codes(figures, "blockers", "code"),
        trend=[EarlierOut.of(earlier) for earlier in figures.earlier],
    )


def _inflow(figures: RegionFigures) -> InflowOut:
    return InflowOut(
        total=figures.counts["inflow"],
        by_reason=_codes(figures, "inflow", "reason"),
        by_children=_codes(figures, "inflow", "children"),
        by_men=_codes(figures, "inflow", "men"),
        repeat_admissions=figures.repeat_admissions,
        children=figures.counts["persons.who.children"],
        men=figures.counts["persons.who.men"],
        target_groups=_codes(figures, "target_groups", "code"),
    )


def _outflow(figures: RegionFigures) -> OutflowOut:
    moves = figures.moves_permille
    return OutflowOut(
        total=figures.counts["outflow"],
        by_destination=_codes(figures, "outflow", "destination"),
        by_days=_codes(figures, "outflow", "stay"),
        by_moves=_codes(figures, "outflow", "moves"),
        moves_per_household=None if moves is None else moves / monitor.PERMILLE,
    )


def _codes(figures: RegionFigures, measure: str, breakdown: str) -> list[CodeCountOut]:
    return [CodeCountOut(code=code, count=count) for code, count in figures.by(measure, breakdown)]


def csv_of(found: Monitor) -> str:
    """Return everything as CSV, one line a count; an empty count is a hidden one."""
    written = io.StringIO()
    lines = csv.writer(written)
    lines.writerow(COLUMNS)
    for one in found.quarters:
        for figures in one.regions:
            lines.writerows(
                (str(one.quarter), figures.region or "", *line) for line in _of_region(figures)
            )
        lines.writerows(_of_provider(str(one.quarter), row) for row in one.staleness)
    return written.getvalue()


def _of_region(figures: RegionFigures) -> Iterator[tuple[str, str, str, int | None]]:
    for name, count in figures.counts.items():
        measure, breakdown, code = (*name.split("."), "", "")[:3]
        yield measure, breakdown, code, count
    yield "places", "", "", figures.places
    yield "places", "days_counted", "", figures.days_counted
    yield "stay", "median_days", "", figures.stay.median_days
    for point in figures.stay.points:
        yield "stay", "staying_percent", str(point.days), point.staying_percent


def _of_provider(name: str, row: StalenessRow) -> Iterable[str | int]:
    return (
        name,
        row.region,
        "staleness",
        "stale_permille",
        str(row.provider_id),
        row.stale_permille,
    )
