"""Fair shares on the wire: what each region gave, its quota, and settlements."""

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AliasPath, BeforeValidator, Field

from app.allocation.shares.fairness import MILLION, RegionShare
from app.allocation.shares.settlement import SettledLine
from app.allocation.shares.years import GAVE, PERSONS, REASON, RECEIVED
from app.api.kit.known_codes import RegionCode
from app.api.kit.quarters import QuartersIn
from app.api.kit.wire import Id, Out, aliases_from
from app.deps import Tx
from app.shares import fair_shares, settlements
from app.shares.fair_shares import FairShareReport, RegionCap
from app.shares.quarter_figures import HouseholdYear

router = APIRouter(tags=["Fair shares"])

CSV = "text/csv; charset=utf-8"
COLUMNS = (
    "quarter",
    "month",
    "origin",
    "receiving",
    "reason",
    "nights",
    "nights_after_ready",
    "stays",
)


def _divide_by(whole: int) -> BeforeValidator:
    return BeforeValidator(lambda count: None if count is None else count / whole)


Millionths = Annotated[float, _divide_by(MILLION)]
Thousandths = Annotated[float, _divide_by(1000)]
Hundredths = Annotated[float, _divide_by(100)]
Tenths = Annotated[float, _divide_by(10)]
"""How many whole ones that makes, of a count of parts."""


Counts = Mapping[str, int | None]


class QuarterOut(Out, alias_generator=aliases_from("content")):
    """A quarter whose totals are in the ledger."""

    quarter: str = Field(examples=["2026-Q1"])
    ledger_leaf: int = Field(
        validation_alias="index", description="The leaf that has these totals in clear."
    )
    leaves: int = Field(description="From how many leaves they were made.")
    late_from: int | None = Field(
        None,
        description="From which leaf on they book what became known of earlier quarters; null in "
        "totals of the earlier edition, which were sealed anew instead.",
    )
    open_from: dt.date = Field(
        description="By when every opening that they rest on is open to its auditors."
    )


class HeldCapOut(Out, alias_generator=aliases_from("cap")):
    """The cap that a region had in these quarters, the last of them."""

    id: Id
    at_most: int = Field(
        description="Households of other regions at once, for other reasons than safety."
    )
    reason: str
    from_: dt.date = Field(
        validation_alias=AliasPath("cap", "first_day"), serialization_alias="from"
    )
    until: dt.date = Field(description="The last day, included.")
    displaced_nights: int | None = Field(
        description="Nights spent elsewhere by households for which this cap alone was in the way; "
        "null: fewer than 10."
    )


class RegionShareOut(Out, alias_generator=aliases_from("figures")):
    """A region's share in nights; `quota` and `credit` are exact to a millionth."""

    region: str
    weight: int | None = Field(description="In force on the last day.")
    weight_source: str | None
    quota: Millionths = Field(description="Its part of everybody's safety nights.")
    given: int = Field(
        validation_alias=AliasPath("figures", "given_safety"),
        description="Safety nights at its providers.",
    )
    received: int = Field(
        validation_alias=AliasPath("figures", "received_safety"),
        description="Safety nights of its own households elsewhere.",
    )
    credit: Millionths = Field(description="What it gave less its quota; negative, it still owes.")
    deviation: Millionths | None = Field(
        description="The credit as a part of the quota; null without a quota."
    )
    capacity_debt: int = Field(
        validation_alias=AliasPath("figures", "received_capacity"),
        description="Capacity nights that it owes: of its own households elsewhere.",
    )
    capacity_given: int = Field(
        validation_alias=AliasPath("figures", "given_capacity"),
        description="Capacity nights that others owe it. The two are never netted.",
    )
    cap: HeldCapOut | None
    nights_after_ready: int = Field(
        validation_alias=AliasPath("figures", "given_after_ready"),
        description="Nights at its providers after the household was ready to leave: no credit, no "
        "quota.",
    )
    nights_after_ready_received: int = Field(
        validation_alias=AliasPath("figures", "received_after_ready")
    )
    stays_given: int | None = Field(
        description="Households of other regions that came here in the `year`; null: fewer than "
        "10, or a number that would give fewer away."
    )
    stays_received: int | None = Field(description="Its own that came to another, likewise.")
    persons_given: Counts = Field(description="`staysGiven` by class of household sizes.")
    persons_received: Counts
    reasons_given: Counts = Field(description="`staysGiven` by reason.")
    reasons_received: Counts


def region_share_out(share: RegionShare, read: FairShareReport) -> RegionShareOut:
    """Show a region's share, with its weight, its cap and its households of the year."""
    held = read.caps.get(share.region)
    weight, source = read.weights.get(share.region, (None, None))
    return RegionShareOut.of(
        share,
        weight=weight,
        weight_source=source,
        cap=_cap_out(held),
        **_of_year(read.year, share.region),
    )


def _of_year(year: HouseholdYear | None, region: str) -> dict[str, object]:
    counts = {} if year is None else year.counts.get(region, {})

    def by(kind: str) -> Counts:
        return {
            name.removeprefix(kind): count
            for name, count in counts.items()
            if name.startswith(kind)
        }

    return {
        "stays_given": counts.get(GAVE),
        "stays_received": counts.get(RECEIVED),
        "persons_given": by(f"{GAVE}.{PERSONS}."),
        "persons_received": by(f"{RECEIVED}.{PERSONS}."),
        "reasons_given": by(f"{GAVE}.{REASON}."),
        "reasons_received": by(f"{RECEIVED}.{REASON}."),
    }


def _cap_out(held: RegionCap | None) -> HeldCapOut | None:
    if held is None:
        return None
    return HeldCapOut.of(held, until=held.cap.withdrawn_on or held.cap.last_day)


class YearOut(Out):
    """Four quarters whose arrivals were counted when the last was sealed, and not again since."""

    first: str = Field(serialization_alias="from", examples=["2025-Q2"])
    last: str = Field(serialization_alias="to", examples=["2026-Q1"])


class FairSharesOut(
    Out,
    json_schema_extra={
        "description": "What each region gave and received over whole quarters, and by how much "
        "all together are off."
    },
):
    """What each region gave and received over whole quarters."""

    quarters: list[QuarterOut]
    year: YearOut | None = Field(
        description="The year that households are counted in; null before the first."
    )
    regions: list[RegionShareOut]
    total_relative_deviation: float = Field(
        description="The sum of |given - quota| over the sum of quotas; 0 where nothing was given."
    )


class PairOut(
    Out,
    json_schema_extra={
        "description": "Place-nights from one region to another, those after the household was "
        "ready to leave included; below 0 where they take back what was booked before."
    },
):
    """Place-nights from one region to another."""

    origin: str
    receiving: str
    place_nights: int


class MonthOut(Out):
    """A region's place-nights with others in a month, by reason."""

    month: str = Field(examples=["2026-01"])
    reason: str
    place_nights: int


class FairSharePairsOut(
    Out,
    json_schema_extra={
        "description": "The caller's own region's pairs, and its months and reasons, of stays "
        "whose opening was due when the quarters were sealed."
    },
):
    """Place-nights by pair of regions, and by month and reason, of the caller's region."""

    quarters: list[QuarterOut]
    pairs: list[PairOut]
    months: list[MonthOut]


class FigureOut(Out):
    """What no opening has of a region in a quarter; null: fewer than 10, or of too few."""

    quarter: str
    region: str
    hotel_nights: int | None = Field(description="Of households that come from here.")
    waiting_days: int | None = Field(
        description="Whole days that households from here waited for a place."
    )
    places: int = Field(description="As the quarter was sealed.")
    places_wanted: int = Field(description="One for each 10,000 inhabitants, rounded up.")
    places_per_10000_inhabitants: Hundredths | None = Field(
        validation_alias="places_per_10000_inhabitants_hundredths",
        serialization_alias="placesPer10000Inhabitants",
    )
    staffed_share: Thousandths | None = Field(
        validation_alias="staffed_permille",
        description="Places that are not closed for want of staff, of all.",
    )
    lawful_offers: int | None = Field(
        description="Offers of places here that people were asked to accept."
    )
    refusals_per_100_offers: Tenths | None = Field(
        validation_alias="refusals_permille", serialization_alias="refusalsPer100Offers"
    )
    no_answer_per_100_offers: Tenths | None = Field(
        validation_alias="no_answer_permille", serialization_alias="noAnswerPer100Offers"
    )


class FairShareFiguresOut(Out):
    """What no opening has, by quarter and region."""

    figures: list[FigureOut]


@router.get(
    "/fair-shares",
    response_model=FairSharesOut,
    summary="Every region's share",
    description="Return what each region gave and received over whole quarters that are sealed, "
    "and what was its part.",
)
async def read_fair_shares(tx: Tx, quarters: QuartersIn) -> Response:
    """Return every region's share over whole sealed quarters."""
    read = await fair_shares.read(tx, quarters)
    return FairSharesOut(
        quarters=[QuarterOut.of(one) for one in read.sealed],
        regions=[region_share_out(share, read) for share in read.shares.regions],
        year=read.year and YearOut(first=str(read.year.first), last=str(read.year.last)),
        total_relative_deviation=read.shares.total_relative_deviation / MILLION,
    ).reply()


@router.get(
    "/fair-share-pairs",
    response_model=FairSharePairsOut,
    summary="From where to where, when and why",
    description="Return the caller's own region's place-nights by pair of regions, and by month "
    "and reason, of stays whose opening was due when the quarters were sealed.",
)
async def list_fair_share_pairs(tx: Tx, quarters: QuartersIn) -> Response:
    """Return the own region's place-nights by pair of regions, and by month and reason."""
    found = settlements.paired_nights((await settlements.read_settlement(tx, quarters))[1])
    return FairSharePairsOut(
        quarters=[QuarterOut.of(one) for one in await fair_shares.read_sealed(tx, quarters)],
        pairs=[
            PairOut(origin=origin, receiving=receiving, place_nights=nights)
            for (origin, receiving), nights in found.pairs.items()
        ],
        months=[
            MonthOut(month=month, reason=reason, place_nights=nights)
            for (month, reason), nights in found.months.items()
        ],
    ).reply()


@router.get(
    "/fair-share-figures",
    response_model=FairShareFiguresOut,
    summary="Hotels, waiting, places, staff and answers",
)
async def list_fair_share_figures(tx: Tx, quarters: QuartersIn) -> Response:
    """Return, by quarter and region, what no opening has; small counts are left out."""
    found = await fair_shares.figures(tx, quarters)
    return FairShareFiguresOut(
        figures=[
            FigureOut.of({**figures, "quarter": quarter, "region": region})
            for quarter, regions in found.items()
            for region, figures in sorted(regions.items())
        ]
    ).reply()


@router.get(
    "/settlements",
    summary="Exact nights between two regions",
    response_class=Response,
    responses={
        200: {
            "content": {"text/csv": {"schema": {"type": "string"}}},
            "description": "One line a month.",
        }
    },
    description="Return the caller's own region's exact place-nights with another, or with every "
    "other, as CSV: of stays whose opening was due when the quarter was sealed. A line below 0 "
    "takes back what was booked before.",
)
async def list_settlements(
    tx: Tx,
    quarters: QuartersIn,
    with_: Annotated[
        RegionCode | None, Query(alias="with", description="Only with this region.")
    ] = None,
) -> Response:
    """Return the own region's exact place-nights with other regions, as CSV."""
    region, rows = await settlements.read_settlement(tx, quarters, other=with_)
    name = f"settlement-{region}-{quarters[0]}-{quarters[-1]}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(_csv(rows), headers=headers, media_type=CSV)


def _csv(lines: Sequence[SettledLine]) -> str:
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(COLUMNS)
    for line in lines:
        flow, amount = line.flow, line.amount
        nights = (amount.nights, amount.after_ready, amount.stays)
        rows.writerow(
            (
                line.quarter,
                f"{flow.month:%Y-%m}",
                flow.origin,
                flow.receiving,
                flow.reason,
                *nights,
            )
        )
    return written.getvalue()
