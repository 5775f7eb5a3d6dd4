"""Quarter totals: the worker adds up openings and seals each quarter in the ledger, once."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from app.allocation.shares.quarters import (
    Quarter,
    last_closed_quarter,
    quarter_named,
    quarter_of,
    quarters_between,
)
from app.allocation.shares.totals import booked, content_of
from app.database.sealing import keys
from app.database.transaction import Transaction
from app.ledger.ledger import append_clear
from app.reference import load
from app.shares import quarter_figures, stay_book
from app.shares.stay_book import StaysSince
from app.shares.store import quarter_rows, stay_rows


@dataclass(frozen=True, slots=True)
class _Booking:
    """What a quarter's leaf books of each region, late facts from a leaf on included."""

    quarter: Quarter
    regions: Mapping[str, Mapping[str, int]]
    late_from: int


async def seal_quarters(tx: Transaction) -> int:
    """Seal, as the worker, every quarter that ended as long ago as the policy says.

    Return how many there were. Nothing sealed is sealed anew: what became known since of earlier
    nights is booked in the first of them, in its own numbers, so that no fact shows by itself.
    """
    missing = await _missing_quarters(tx)
    if not missing:
        return 0
    sealed = await quarter_rows.sealed_leaves(tx)
    told = await stay_book.read_stays(tx, missing[0], sealed=sealed)
    quarters = missing if sealed else quarters_between(told.first, missing[-1])
    regions = sorted((await tx.snapshots.reference(tx)).regions)
    for number, booking in enumerate(
        await asyncio.to_thread(_bookings, told, quarters, regions=regions, sealed=sealed)
    ):
        if not await _append(tx, booking, told):
            return number
    await stay_rows.note_running(
        tx,
        (stay.arrival for stay in told.now.stays),
        running=(stay.arrival for stay in told.now.stays if stay.departed_on is None),
        leaves=told.leaves,
    )
    return len(quarters)


async def _missing_quarters(tx: Transaction) -> tuple[Quarter, ...]:
    """Return the quarters to be sealed in order, without gaps from the ledger's first leaf on."""
    began = await quarter_rows.first_leaf(tx)
    if began is None:
        return ()
    policy = (await tx.snapshots.reference(tx)).policy
    over = last_closed_quarter(load().country.day_of(tx.at), days=policy.quarter_grace_days)
    if sealed := await quarter_rows.sealed_quarters(tx):
        return quarters_between(quarter_named(max(sealed)).next, over)
    written_at, opening = began
    days = [load().country.day_of(written_at)]
    if opening is not None:
        key = await keys.read(tx, keys.LEDGER)
        days.append(stay_book.unseal_opening(key, *opening).date)
    return quarters_between(quarter_of(min(days)), over)


def _bookings(
    told: StaysSince, quarters: tuple[Quarter, ...], *, regions: list[str], sealed: int
) -> list[_Booking]:
    """Return what each quarter books: only the first has anything late to book."""
    first, *others = quarters
    since = told.first.first
    return [
        _Booking(first, booked(first, told.now, told.before, since=since, regions=regions), sealed),
        *(
            _Booking(
                quarter,
                booked(quarter, told.now, told.now, since=quarter.first, regions=regions),
                told.leaves,
            )
            for quarter in others
        ),
    ]


async def _append(tx: Transaction, booking: _Booking, told: StaysSince) -> bool:
    """Seal a quarter's totals; False if another worker has done so meanwhile."""
    name = str(booking.quarter)
    if not await quarter_rows.claim_quarter(tx, name):
        return False
    figures = await quarter_figures.take(tx, booking.quarter, told)
    await quarter_rows.add_figures(tx, name, figures)
    # Every leaf behind these totals has been written by now, and opens at most so many days later.
    delay = (await tx.snapshots.reference(tx)).policy.opening_delay_days
    content = content_of(
        booking.quarter,
        booking.regions,
        leaves=told.leaves,
        late_from=booking.late_from,
        open_from=load().country.day_of(tx.at) + timedelta(days=delay + 1),
    )
    index = await append_clear(tx, leaf_type="quarter_total", content=content)
    await quarter_rows.set_leaf(tx, name, index=index)
    return True
