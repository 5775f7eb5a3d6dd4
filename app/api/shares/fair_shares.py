"""Fair shares on the wire: what each region gave, what was its part, and what only two of them settle."""

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.allocation.shares.fairness import MILLION, RegionShare
from app.api.kit.quarters import QuartersIn
from app.api.kit.wire import Out
from app.api.registry.availability import RegionCode
from app.deps import Tx
from app.shares import fair_shares
from app.shares.fair_shares import FairShareReport, PairRow, RegionCap, SealedTotals

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


class QuarterOut(Out):
    """A quarter whose totals are in the ledger."""

    quarter: str = Field(examples=["2026-Q1"])
    ledger_leaf: int = Field(description="The leaf that has these totals in clear.")
    version: int = Field(description="1 at first; above it, a later fact changed them.")
    leaves: int = Field(description="From how many leaves they were made.")
    open_from: dt.date = Field(
        description="By when every opening that they rest on is open to its auditors."
    )

    @classmethod
    def of(cls, sealed: SealedTotals) -> "QuarterOut":
        """Show where totals come from."""
        content = sealed.content
        return cls(
            quarter=sealed.quarter,
            ledger_leaf=sealed.index,
            version=sealed.version,
            leaves=content["leaves"],
            open_from=content["open_from"],
        )


class HeldCapOut(Out):
    """The cap that a region had in these quarters, the last of them."""

    id: str
    at_most: int = Field(
        description="Households of other regions at once, for other reasons than safety."
    )
    reason: str
    from_: dt.date = Field(alias="from")
    until: dt.date = Field(description="The last day, included.")
    displaced_nights: int | None = Field(
        description="Nights spent elsewhere by households for which this cap alone was in the way; null: fewer than 10."
    )

    @classmethod
    def of(cls, held: RegionCap) -> "HeldCapOut":
        """Show a cap."""
        cap = held.cap
        return cls.model_validate(
            {
                "id": str(cap.id),
                "at_most": cap.at_most,
                "reason": cap.reason,
                "from": cap.first_day,
                "until": cap.withdrawn_on or cap.last_day,
                "displaced_nights": held.displaced_nights,
            }
        )


class RegionShareOut(Out):
    """A region's share. Everything is in nights; `quota` and `credit` are exact to a millionth."""

    region: str
    weight: int | None = Field(description="In force on the last day.")
    weight_source: str | None
    quota: float = Field(description="Its part of everybody's safety nights.")
    given: int = Field(description="Safety nights at its providers.")
    received: int = Field(description="Safety nights of its own households elsewhere.")
    credit: float = Field(description="What it gave less its quota; below nought it still owes.")
    deviation: float | None = Field(
        description="The credit as a part of the quota; null without a quota."
    )
    capacity_debt: int = Field(
        description="Capacity nights that it owes: of its own households elsewhere."
    )
    capacity_given: int = Field(
        description="Capacity nights that others owe it. The two are never netted."
    )
    cap: HeldCapOut | None
    nights_after_ready: int = Field(
        description="Nights at its providers after the household was ready to leave: no credit, no quota."
    )
    nights_after_ready_received: int
    stays_given: int
    stays_received: int
    person_nights_given_at_least: int = Field(
        description="A household's size is known as a class: its smallest."
    )
    person_nights_received_at_least: int

    @classmethod
    def of(cls, share: RegionShare, read: FairShareReport) -> "RegionShareOut":
        """Show a region's share."""
        figures, held = share.figures, read.caps.get(share.region)
        weight, source = read.weights.get(share.region, (None, None))
        return cls(
            region=share.region,
            weight=weight,
            weight_source=source,
            quota=share.quota / MILLION,
            given=figures["given_safety"],
            received=figures["received_safety"],
            credit=share.credit / MILLION,
            deviation=None if share.deviation is None else share.deviation / MILLION,
            capacity_debt=figures["received_capacity"],
            capacity_given=figures["given_capacity"],
            cap=None if held is None else HeldCapOut.of(held),
            nights_after_ready=figures["given_after_ready"],
            nights_after_ready_received=figures["received_after_ready"],
            stays_given=figures["stays_given"],
            stays_received=figures["stays_received"],
            person_nights_given_at_least=figures["person_nights_given"],
            person_nights_received_at_least=figures["person_nights_received"],
        )


class FairSharesOut(Out):
    """What each region gave and received over whole quarters, and by how much all together are off."""

    quarters: list[QuarterOut]
    regions: list[RegionShareOut]
    total_relative_deviation: float = Field(
        description="The sum of |given - quota| over the sum of quotas; 0 where nothing was given."
    )


class PairOut(Out):
    """Place-nights from one region to another, those after the household was ready to leave included."""

    origin: str
    receiving: str
    place_nights: int


class MonthOut(Out):
    """Place-nights of all regions in a month, by reason."""

    month: str = Field(examples=["2026-01"])
    reason: str
    place_nights: int


class FairSharePairsOut(Out):
    """What everybody who controls may see of pairs and months; what is left out is small, or would give that away."""

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
    places_per_10000_inhabitants: float | None = Field(alias="placesPer10000Inhabitants")
    staffed_share: float | None = Field(
        description="Places that are not closed for want of staff, of all."
    )
    lawful_offers: int | None = Field(
        description="Offers of places here that people were asked to accept."
    )
    refusals_per_100_offers: float | None = Field(alias="refusalsPer100Offers")
    no_answer_per_100_offers: float | None = Field(alias="noAnswerPer100Offers")

    @classmethod
    def of(cls, quarter: str, region: str, found: Mapping[str, Any]) -> "FigureOut":
        """Show a region's figures."""
        return cls.model_validate(
            {
                "quarter": quarter,
                "region": region,
                **{
                    name: found[name]
                    for name in ("hotel_nights", "waiting_days", "places", "places_wanted")
                },
                "places_per_10000_inhabitants": _part(
                    found["places_per_10000_inhabitants_hundredths"], of=100
                ),
                "staffed_share": _part(found["staffed_permille"], of=1000),
                "lawful_offers": found["lawful_offers"],
                "refusals_per_100_offers": _part(found["refusals_permille"], of=10),
                "no_answer_per_100_offers": _part(found["no_answer_permille"], of=10),
            }
        )


class FairShareFiguresOut(Out):
    """What no opening has, by quarter and region."""

    figures: list[FigureOut]


@router.get(
    "/fair-shares",
    response_model=FairSharesOut,
    operation_id="readFairShares",
    summary="Every region's share",
)
async def read_fair_shares(tx: Tx, quarters: QuartersIn) -> Response:
    """Return what each region gave and received over whole quarters that are sealed, and what was its part."""
    read = await fair_shares.read(tx, quarters)
    return FairSharesOut(
        quarters=[QuarterOut.of(one) for one in read.sealed],
        regions=[RegionShareOut.of(share, read) for share in read.shares.regions],
        total_relative_deviation=read.shares.total_relative_deviation / MILLION,
    ).reply()


@router.get(
    "/fair-share-pairs",
    response_model=FairSharePairsOut,
    operation_id="listFairSharePairs",
    summary="From where to where, when and why",
)
async def list_pairs(tx: Tx, quarters: QuartersIn) -> Response:
    """Return place-nights of pairs of regions, and of months and reasons, where a quarter has 10 or more."""
    found = await fair_shares.pairs(tx, quarters)
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
    operation_id="listFairShareFigures",
    summary="Hotels, waiting, places, staff and answers",
)
async def list_figures(tx: Tx, quarters: QuartersIn) -> Response:
    """Return, by quarter and region, what no opening has; small counts are left out."""
    found = await fair_shares.figures(tx, quarters)
    return FairShareFiguresOut(
        figures=[
            FigureOut.of(quarter, region, one)
            for quarter, regions in found.items()
            for region, one in sorted(regions.items())
        ]
    ).reply()


@router.get(
    "/settlements",
    operation_id="listSettlements",
    summary="Exact nights between two regions",
    response_class=Response,
    responses={
        200: {
            "content": {"text/csv": {"schema": {"type": "string"}}},
            "description": "One line a month.",
        }
    },
)
async def list_settlements(
    tx: Tx,
    quarters: QuartersIn,
    with_: Annotated[
        RegionCode | None, Query(alias="with", description="Only with this region.")
    ] = None,
) -> Response:
    """Return the caller's own region's exact place-nights with another, or with every other, as CSV."""
    region, rows = await fair_shares.read_settlement(tx, quarters, other=with_)
    name = f"settlement-{region}-{quarters[0]}-{quarters[-1]}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(_csv(rows), headers=headers, media_type=CSV)


def _csv(rows: Sequence[PairRow]) -> str:
    written = io.StringIO()
    lines = csv.writer(written)
    lines.writerow(COLUMNS)
    for row in rows:
        month = f"{row.month:%Y-%m}"
        lines.writerow(
            (
                row.quarter,
                month,
                row.origin,
                row.receiving,
                row.reason,
                row.nights,
                row.after_ready,
                row.stays,
            )
        )
    return written.getvalue()


def _part(count: int | None, *, of: int) -> float | None:
    return None if count is None else count / of
