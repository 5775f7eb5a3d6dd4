"""A region's share of a quarter, over time and beside those of all others."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.allocation.shares.fairness import MILLION, FairShares
from app.allocation.shares.quarters import Quarter
from app.api.shares.fair_shares import list_settlements, region_share_out
from app.database.caller import Role
from app.deps import Tx
from app.errors import Missing
from app.shares import fair_shares
from app.web.page import PageIn
from app.web.share import charts

router = APIRouter()

OVER_TIME = 8
"""The number of quarters over time: two years."""
PERMILLE = 1000

QuarterName = Annotated[str | None, Query(max_length=7)]


@router.get("/share")
async def show_share(page: PageIn, tx: Tx, quarter: QuarterName = None) -> Response:
    """Show the share of the caller's region, or of all regions if the caller has none."""
    known = await fair_shares.sealed_quarters(tx)
    if not known:
        return page.show("share/not_yet.html", due=await fair_shares.first_due(tx))
    region = tx.caller.region if tx.caller.has(Role.AUDITOR) else None
    return page.show(
        "share/share.html", **await _values(tx, region, known, chosen_of(known, quarter))
    )


@router.get("/share/settlement")
async def export_settlement(tx: Tx, quarter: QuarterName = None) -> Response:
    """Return the region's exact nights with every other region."""
    return await list_settlements(tx, (chosen_of(await fair_shares.sealed_quarters(tx), quarter),))


def chosen_of(known: Sequence[Quarter], name: str | None) -> Quarter:
    """Return the quarter of this name, by default the newest; Missing if there is none."""
    found = [one for one in known if name is None or str(one) == name]
    if not found:
        raise Missing
    return found[-1]


async def _values(
    tx: Tx, region: str | None, known: Sequence[Quarter], chosen: Quarter
) -> dict[str, Any]:
    reference = await tx.snapshots.reference(tx)
    read = await fair_shares.read(tx, (chosen,))
    shares = [region_share_out(one, read) for one in read.shares.regions]
    names = {code: one.name for code, one in reference.regions.items()}
    weights = [one.weight or 0 for one in shares]
    return {
        "charts": charts,
        "region": names.get(region) if region else None,
        "own": next((one for one in shares if one.region == region), None),
        "shares": sorted(shares, key=lambda one: names.get(one.region, one.region)),
        "names": names,
        "all_weights": sum(weights),
        "all_given": sum(one.given for one in shares),
        "off_permille": read.shares.total_relative_deviation * PERMILLE // MILLION,
        "known": known[::-1],
        "chosen": chosen,
        "sealed": read.sealed[0],
        "over_time": [
            _of_quarter(quarter, found, region)
            for quarter, found in await fair_shares.by_quarter(tx, known[-OVER_TIME:])
        ],
    }


def _of_quarter(quarter: Quarter, found: FairShares, region: str | None) -> dict[str, Any]:
    """Return a quarter's figures of one region, or of all together."""
    ours = [one for one in found.regions if region is None or one.region == region]
    return {
        "quarter": quarter,
        "quota": sum(one.quota for one in ours) / MILLION,
        "given": sum(one.figures["given_safety"] for one in ours),
        "capacity_debt": sum(one.figures["received_capacity"] for one in ours),
        "capacity_given": sum(one.figures["given_capacity"] for one in ours),
        "after_ready": sum(one.figures["given_after_ready"] for one in ours),
        "off_permille": found.total_relative_deviation * PERMILLE // MILLION,
    }
