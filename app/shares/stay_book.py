"""Stays as the ledger tells them, read only as far back as asked or as new facts reach."""

import asyncio
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.allocation.ledger.openings import OpeningContent, parse_opening
from app.allocation.shares.changed_nights import first_changed_day
from app.allocation.shares.nights import LedgerStay, StayBook
from app.allocation.shares.quarters import Quarter, quarter_of
from app.allocation.shares.totals import Account
from app.allocation.shares.weights import RegionWeights, WeightHistory, region_weights_of
from app.database import counters
from app.database.sealing import keys
from app.database.transaction import Transaction
from app.reference import load
from app.seal import DataKey
from app.shares.store import stay_rows

BATCH = 5000
"""The openings that are read and unsealed at once."""


@dataclass(frozen=True, slots=True)
class StaysSince:
    """All stays with a night in a quarter or later, by the first leaves of the ledger.

    `before`: the same by the leaves that the newest totals were made from. Of the nights before
    `first` the two say the same.
    """

    first: Quarter
    leaves: int
    now: Account
    before: Account


async def read_stays(tx: Transaction, first: Quarter, *, sealed: int) -> StaysSince:
    """Read everything that counts in a quarter or later.

    `sealed` is the number of leaves that the newest totals were made from; with 0 everything is
    read. Quarters before `first` are included as far back as new facts reach. So the cost grows
    with what happened in a quarter or two, and not with the ledger.
    """
    leaves = await counters.read(tx, "ledger")
    key = await keys.read(tx, keys.LEDGER)
    weights = [
        (index, region_weights_of(said))
        for index, said in await stay_rows.weights_leaves(tx, below=leaves)
    ]
    since = 0
    if sealed:
        day = await _first_day_reached(tx, key, weights, sealed=sealed, leaves=leaves)
        first = first if day is None else min(first, quarter_of(day))
        # A household that had left by then, by those totals, has no night after it.
        since = await stay_rows.leaves_at_last_note(tx, before=load().country.midnight(first.first))
    before, stays = await _stays(tx, key, since=since, sealed=sealed, below=leaves)
    if not sealed:
        first = min([first, *(quarter_of(stay.arrived_on) for stay in stays)])
    return StaysSince(
        first,
        leaves,
        Account(stays, WeightHistory(version for _, version in weights)),
        Account(before, WeightHistory(version for index, version in weights if index < sealed)),
    )


async def arrived_stays(tx: Transaction, *, first: int, below: int) -> list[LedgerStay]:
    """Return the stays whose arrival is a leaf between two indexes, as these leaves tell them."""
    key = await keys.read(tx, keys.LEDGER)
    told, _ = await _stays(tx, key, since=0, sealed=below, below=below, first=first)
    return [stay for stay in told if stay.arrival >= first]


def unseal_opening(key: DataKey, index: int, sealed: bytes) -> OpeningContent:
    """Return what a sealed opening says."""
    return parse_opening(key.unseal_json(sealed, row=str(index)))


async def _first_day_reached(
    tx: Transaction,
    key: DataKey,
    weights: Sequence[tuple[int, RegionWeights]],
    *,
    sealed: int,
    leaves: int,
) -> date | None:
    told = await stay_rows.openings_of_changed_stays(tx, since=sealed, below=leaves)
    said = await asyncio.to_thread(
        lambda: [(index, stay, unseal_opening(key, index, row)) for index, stay, row in told]
    )
    return first_changed_day(said, weights, since=sealed)


async def _stays(
    tx: Transaction, key: DataKey, *, since: int, sealed: int, below: int, first: int = 0
) -> tuple[list[LedgerStay], list[LedgerStay]]:
    """Return the stays by the first `sealed` leaves, and those by the first `below`."""
    book, after, before = StayBook(), first - 1, None
    while rows := await stay_rows.openings(tx, after=after, below=below, since=since, most=BATCH):
        known = bisect_left(rows, sealed, key=lambda row: row[0])
        # In a thread, so that the process keeps answering others.
        await asyncio.to_thread(_take, book, key, rows[:known])
        if before is None and known < len(rows):
            before = list(book.stays())
        await asyncio.to_thread(_take, book, key, rows[known:])
        after = rows[-1][0]
    stays = list(book.stays())
    return stays if before is None else before, stays


def _take(book: StayBook, key: DataKey, rows: Sequence[tuple[int, bytes]]) -> None:
    for index, sealed in rows:
        book.take(index, unseal_opening(key, index, sealed))
