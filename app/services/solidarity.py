"""What rankings know of how the burden is shared: reckoned anew from the ledger, once a day."""

import asyncio
from collections.abc import Sequence

from app.allocation.nights import StayBook
from app.allocation.openings import parse_opening
from app.allocation.steering import standings
from app.seal import DataKey, Keyring
from app.services.ledger import local_day
from app.store import keys, solidarity
from app.store.database import Transaction

BATCH = 5000
"""Openings that are read, and opened aside, at once."""


async def show(tx: Transaction, *, keyring: Keyring) -> bool:
    """Let rankings see how regions stand today, unless they do already; return whether anything was reckoned.

    From the openings themselves, as a controller would: what was corrected since is in it, and no running sum can
    drift. Once a day, so that nobody can watch a family arrive.
    """
    on = local_day(tx.at)
    regions = await solidarity.regions_not_shown(tx, on=on)
    if not regions:
        return False
    reference = await tx.snapshots.reference(tx)
    book = await _read(tx, keyring=keyring)
    found = await asyncio.to_thread(
        standings,
        book.stays(),
        reference.regions,
        on=on,
        weights=reference.weights,
        nights_ahead=reference.policy.points.solidarity.nights_ahead,
    )
    await solidarity.show(tx, {region: found[region] for region in regions}, on=on)
    return True


async def _read(tx: Transaction, *, keyring: Keyring) -> StayBook:
    key = await keys.read(tx, keys.LEDGER, keyring=keyring)
    book = StayBook()
    rows = await solidarity.openings(tx, after=-1, most=BATCH)
    while rows:
        await asyncio.to_thread(_take, book, rows, key)
        rows = await solidarity.openings(tx, after=rows[-1][0], most=BATCH)
    return book


def _take(book: StayBook, rows: Sequence[tuple[int, bytes]], key: DataKey) -> None:
    for index, sealed in rows:
        book.take(index, parse_opening(key.unseal_json(sealed, row=str(index))))
