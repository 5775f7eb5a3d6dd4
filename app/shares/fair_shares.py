"""Fair shares: what regions gave and received, and how rankings see them.

Regions read sealed totals alone, which every controller may see. Rankings see balances that are
computed once a day from the ledger.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.allocation.shares.balances import BurdenShare, RegionBalance, region_balances
from app.allocation.shares.fairness import FairShares, fair_shares
from app.allocation.shares.nights import SAFETY
from app.allocation.shares.quarters import Quarter, quarter_named, quarter_of
from app.allocation.shares.shares import NIGHT
from app.allocation.shares.totals import QUOTA, nights_by_region
from app.database.transaction import Transaction
from app.errors import Conflict
from app.placing import caps
from app.placing.caps import CapRow
from app.reference import load
from app.shares import quarter_figures, stay_book
from app.shares.quarter_figures import HouseholdYear
from app.shares.stay_book import StaysSince
from app.shares.store import quarter_rows
from app.shares.store.quarter_rows import SealedTotals


@dataclass(frozen=True, slots=True)
class RegionCap:
    """A cap of a region, and the nights it displaced in these quarters; None if they are few."""

    cap: CapRow
    displaced_nights: int | None


@dataclass(frozen=True, slots=True)
class FairShareReport:
    """The fair shares of some quarters, with the leaves they come from."""

    sealed: Sequence[SealedTotals]
    shares: FairShares
    weights: Mapping[str, tuple[int, str]]
    """The weights in force on the last day, each with its source."""
    caps: Mapping[str, RegionCap]
    """The cap of each region that began last."""
    year: HouseholdYear | None
    """The households of the newest year that was counted by then."""


async def read(tx: Transaction, quarters: Sequence[Quarter]) -> FairShareReport:
    """Return each region's nights given and received, and its quota.

    Raises Conflict if a quarter is not sealed yet.
    """
    found = await read_sealed(tx, quarters)
    displaced = await caps.displaced_nights(tx, [str(quarter) for quarter in quarters])
    held = await caps.list_within(tx, quarters[0].first, quarters[-1].last)
    return FairShareReport(
        sealed=found,
        shares=fair_shares(one.content for one in found),
        weights=await quarter_rows.weights_on(tx, quarters[-1].last),
        caps={cap.region: RegionCap(cap, displaced.get(str(cap.id))) for cap in held},
        year=await quarter_figures.read_year(tx, quarters[-1]),
    )


async def read_sealed(tx: Transaction, quarters: Sequence[Quarter]) -> list[SealedTotals]:
    """Return the newest totals of each quarter; Conflict if one is not sealed yet."""
    names = [str(quarter) for quarter in quarters]
    found = await quarter_rows.newest(tx, names)
    if missing := [name for name in names if name not in found]:
        raise Conflict(
            "quarter_not_sealed",
            "There are no totals of %(quarters)s yet.",
            quarters=", ".join(missing),
        )
    return [found[name] for name in names]


async def sealed_quarters(tx: Transaction) -> tuple[Quarter, ...]:
    """Return the sealed quarters, in order."""
    return tuple(sorted(quarter_named(name) for name in await quarter_rows.sealed_quarters(tx)))


async def by_quarter(
    tx: Transaction, quarters: Sequence[Quarter]
) -> list[tuple[Quarter, FairShares]]:
    """Return the fair shares of each sealed quarter by itself."""
    found = await read_sealed(tx, quarters)
    return [
        (quarter, fair_shares([one.content])) for quarter, one in zip(quarters, found, strict=True)
    ]


async def first_due(tx: Transaction) -> date:
    """Return the day on which the first quarter will be sealed.

    That is the quarter of the ledger's first leaf, and the policy's grace after its end.
    """
    began = await quarter_rows.first_leaf(tx)
    grace = (await tx.snapshots.reference(tx)).policy.quarter_grace_days
    first = load().country.day_of(tx.at if began is None else began[0])
    return quarter_of(first).after + timedelta(days=grace)


async def figures(
    tx: Transaction, quarters: Sequence[Quarter]
) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """Return the figures by quarter and region that no opening has, such as hotel nights."""
    names = [one.quarter for one in await read_sealed(tx, quarters)]
    found = await quarter_rows.figures(tx, names)
    return {name: found[name]["regions"] for name in names if name in found}


# --- balances for rankings ---


async def show_balances(tx: Transaction) -> bool:
    """Show today's balances to rankings, unless they see them already; return whether it did.

    They come from the openings, as a controller would compute them: corrections count, and no
    running sum can drift. They change once a day, so that nobody can watch a family arrive.
    """
    on = load().country.day_of(tx.at)
    regions = await quarter_rows.regions_without_balance(tx, on=on)
    if not regions:
        return False
    found = await _compute_balances(tx, on)
    await quarter_rows.set_balances(tx, {region: found[region] for region in regions}, on=on)
    return True


async def _compute_balances(tx: Transaction, on: date) -> Mapping[str, RegionBalance]:
    """Compute balances: open and changed quarters from openings, earlier ones from totals."""
    sealed = await quarter_rows.newest(tx)
    leaves = max((one.content["leaves"] for one in sealed.values()), default=0)
    open_quarter = quarter_named(max(sealed)).next if sealed else quarter_of(on)
    told = await stay_book.read_stays(tx, open_quarter, sealed=leaves)
    reference = await tx.snapshots.reference(tx)
    return await asyncio.to_thread(
        region_balances,
        told.now.stays,
        _before(told, open_quarter, sealed.values(), reference.regions),
        since=told.first.first,
        on=on,
        weights=told.now.weights,
        nights_ahead=reference.policy.points.solidarity.nights_ahead,
    )


def _before(
    told: StaysSince, open_quarter: Quarter, sealed: Iterable[SealedTotals], regions: Iterable[str]
) -> dict[str, BurdenShare]:
    """Return each region's nights given and quota before the first quarter that is read again.

    That is all that is sealed, less what was told then of the quarters that are read again.
    """
    sums: dict[str, Counter[str]] = {region: Counter() for region in regions}
    for one in sealed:
        for region, figures in one.content["regions"].items():
            sums.setdefault(region, Counter()).update(figures)
    again = nights_by_region(told.before, told.first.first, open_quarter.first)
    for region, figures in again.items():
        sums.setdefault(region, Counter()).subtract(figures)
    return {
        region: BurdenShare(figures[f"given_{SAFETY}"] * NIGHT, figures[QUOTA])
        for region, figures in sums.items()
    }
