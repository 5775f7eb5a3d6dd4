"""What rankings know of how the burden is shared: reckoned anew from the ledger, once a day."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date

from app.allocation.shares.nights import SAFETY
from app.allocation.shares.quarters import Quarter, quarter_named, quarter_of
from app.allocation.shares.shares import NIGHT
from app.allocation.shares.steering import Shared, Standing, standings
from app.allocation.shares.totals import QUOTA
from app.database.transaction import Transaction
from app.reference import load
from app.shares import stay_book
from app.shares.store import quarter_totals, shares_shown
from app.shares.store.quarter_totals import Sealed


async def show(
    tx: Transaction,
) -> bool:
    """Let rankings see how regions stand today, unless they do already; return whether anything was reckoned.

    From the openings themselves, as a controller would: what was corrected since is in it, and no
    running sum can drift. Once a day, so that nobody can watch a family arrive.
    """
    on = load().country.day_of(tx.at)
    regions = await shares_shown.regions_not_shown(tx, on=on)
    if not regions:
        return False
    found = await _standings(tx, on)
    await shares_shown.show(tx, {region: found[region] for region in regions}, on=on)
    return True


async def _standings(
    tx: Transaction,
    on: date,
) -> Mapping[str, Standing]:
    """Reckon from the openings all that is not sealed yet, and whatever new facts reach; the rest from its totals."""
    sealed = await quarter_totals.newest(tx)
    leaves = max((one.content["leaves"] for one in sealed.values()), default=0)
    open_quarter = quarter_named(max(sealed)).next if sealed else quarter_of(on)
    told = await stay_book.read(tx, open_quarter, sealed=leaves)
    reference = await tx.snapshots.reference(tx)
    return await asyncio.to_thread(
        standings,
        told.stays,
        _before(told.first, sealed.values(), reference.regions),
        since=told.first.first,
        on=on,
        weights=told.weights,
        nights_ahead=reference.policy.points.solidarity.nights_ahead,
    )


def _before(first: Quarter, sealed: Iterable[Sealed], regions: Iterable[str]) -> dict[str, Shared]:
    """Return what each region gave before a quarter, and what was its part."""
    given: Counter[str] = Counter()
    quota: Counter[str] = Counter()
    for one in sealed:
        if one.quarter < str(first):
            for region, figures in one.content["regions"].items():
                given[region] += figures[f"given_{SAFETY}"] * NIGHT
                quota[region] += figures[QUOTA]
    return {region: Shared(given[region], quota[region]) for region in regions}
