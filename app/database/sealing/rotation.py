"""Key rotation: reseal with the newest key, a few rows at a time, during service.

Only wrapped data keys change, never what they seal; and the answers that are kept for a day, as
they have no data key. If it is interrupted, the next rotation does what is left.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TypeAlias

from app.database.sealing import sealed_rows
from app.database.sealing.sealed_rows import ANSWERS, WRAPPED, Resealed, Sealed, Shelf
from app.database.transaction import Transaction
from app.errors import OperatorError
from app.seal import Keyring, SealBroken, Seals

MOST_PASSES = 10
PAUSE_S = 1.0
"""How long to wait for transactions that are busy with all that is left."""

Begin: TypeAlias = Callable[[], AbstractAsyncContextManager[Transaction]]
"""Opens a transaction of the owner."""
ReportRows: TypeAlias = Callable[[int, int], None]
"""Reports how many of how many rows were read in this pass."""


@dataclass(frozen=True, slots=True)
class Tally:
    """The rows of a survey, by their seals."""

    seen: int = 0
    older: int = 0
    """Sealed by an older key when they were read."""
    changed: int = 0
    closed: int = 0
    """Opened by no key."""

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.seen + other.seen,
            self.older + other.older,
            self.changed + other.changed,
            self.closed + other.closed,
        )


Visit: TypeAlias = Callable[[Transaction, Shelf, list[Sealed]], Awaitable[Tally]]


@dataclass(frozen=True, slots=True)
class Rotated:
    """The wrapped data keys and the kept answers that a rotation changed."""

    keys: int = 0
    answers: int = 0


async def rotate(
    begin: Begin, *, keyring: Keyring, report: ReportRows | None = None, rows: int | None = None
) -> Rotated:
    """Reseal with the newest key everything that an older key sealed.

    It ends with a pass that finds nothing more. `rows` is how many one transaction changes. Raise
    OperatorError if none of the keys opens some data keys, or if another process goes on wrapping
    with an older one; all that could be changed has been.
    """

    async def change(tx: Transaction, shelf: Shelf, batch: list[Sealed]) -> Tally:
        found, changes = _sort_rows(batch, _seals(keyring, shelf))
        changed = await sealed_rows.replace(tx, shelf, changes) if changes else 0
        return found + Tally(changed=changed)

    done = Rotated()
    for _ in range(MOST_PASSES):
        found = await _pass(begin, (*WRAPPED, ANSWERS), visit=change, report=report, rows=rows)
        keys, answers = _keys(found), found[ANSWERS]
        done = Rotated(done.keys + keys.changed, done.answers + answers.changed)
        if not keys.older + answers.older:
            _refuse_closed(keys)
            return done
        if not keys.changed + answers.changed:
            await asyncio.sleep(PAUSE_S)
    raise OperatorError(
        f"Re-wrapped {done.keys:,} keys, but more are still being wrapped by an older key, or "
        "are in use all the time. "
        "Give every process the newest key first, then do this again."
    )


async def survey(
    begin: Begin, *, keyring: Keyring, report: ReportRows | None = None, rows: int | None = None
) -> Tally:
    """Count the wrapped data keys, those of older keys, and those that no key opens."""

    async def look(_tx: Transaction, shelf: Shelf, batch: list[Sealed]) -> Tally:
        return _sort_rows(batch, _seals(keyring, shelf))[0]

    return _keys(await _pass(begin, WRAPPED, visit=look, report=report, rows=rows))


async def _pass(
    begin: Begin,
    shelves: Sequence[Shelf],
    *,
    visit: Visit,
    report: ReportRows | None,
    rows: int | None,
) -> Mapping[Shelf, Tally]:
    """Visit every row that there is, by id, some in each transaction."""
    async with begin() as tx:
        total = await sealed_rows.count(tx, shelves)
    done = 0
    tallies: dict[Shelf, Tally] = {}
    for shelf in shelves:
        tallies[shelf] = Tally()
        last: Sealed | None = None
        while True:
            async with begin() as tx:
                batch = await sealed_rows.batch(tx, shelf, after=last, rows=rows)
                if not batch:
                    break
                tallies[shelf] += await visit(tx, shelf, batch)
            last = batch[-1]
            done += len(batch)
            if report is not None:
                report(done, max(done, total))
    return tallies


def _sort_rows(batch: list[Sealed], seals: Seals) -> tuple[Tally, list[Resealed]]:
    """Return the content of some rows, and the new content of those that an older key sealed."""
    changes: list[Resealed] = []
    closed = 0
    for sealed in batch:
        try:
            content = seals.reseal(sealed.content, row=sealed.row)
        except SealBroken:
            closed += 1
        else:
            changes += [Resealed(sealed, content)] if content is not None else []
    return Tally(seen=len(batch), older=len(changes), closed=closed), changes


def _seals(keyring: Keyring, shelf: Shelf) -> Seals:
    return keyring.answers if shelf is ANSWERS else keyring.wrapping


def _keys(found: Mapping[Shelf, Tally]) -> Tally:
    return sum((found[shelf] for shelf in WRAPPED), Tally())


def _refuse_closed(keys: Tally) -> None:
    # An answer that nothing opens is no loss worth stopping for: it goes within a day.
    if keys.closed:
        raise OperatorError(
            f"{keys.closed:,} of {keys.seen:,} wrapped keys open with none of the keys given: "
            "one that is needed is "
            "missing. Put it back behind the others, then do this again; take none away."
        )
