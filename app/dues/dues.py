"""Dues of the caller's organisation: listed, seen, taken on; and the ringing of all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app import metrics
from app.database import outbox
from app.database.transaction import Transaction
from app.dues.kinds import KINDS, kinds_of
from app.dues.store import due_rows
from app.dues.store.due_rows import DueRow, SightRow, UnseenRow
from app.errors import Conflict, Missing
from app.reference import load

AT_ONCE = 200
"""How many dues ring in one transaction."""
TAKEN_MINUTES = 10
"""For how long an account that takes a due on sees to it."""
KEPT_DAYS = 31
"""How long a due is kept after it ended, for the figures."""
COUNTED_DAYS = 7
"""The days before today whose dues administrators are shown the figures of."""


@dataclass(frozen=True, slots=True)
class DueView:
    """A due, and who has seen it."""

    row: DueRow
    seen_by: tuple[SightRow, ...]
    at: datetime

    @property
    def overdue(self) -> bool:
        """Whether its moment has come."""
        return self.row.due_at <= self.at

    @property
    def to_do(self) -> bool:
        """Whether it is to be done now: it has rung, or is about to."""
        row = self.row
        return row.rung_at is not None or (row.rings_at is not None and row.rings_at <= self.at)

    @property
    def taken_by(self) -> SightRow | None:
        """Who sees to it now."""
        taken = [one for one in self.seen_by if one.taken_until and one.taken_until > self.at]
        return max(taken, key=lambda one: one.taken_until or one.seen_at, default=None)


async def list_for(
    tx: Transaction, *, limit: int, after: tuple[datetime, UUID] | None
) -> list[DueView]:
    """Return the dues that are the caller's work, the longest due first."""
    rows = await due_rows.list_live(
        tx, tx.caller.provider_id, kinds=_kinds(tx), limit=limit, after=after
    )
    return await _view(tx, rows)


async def read(tx: Transaction, due_id: UUID) -> DueView:
    """Return a due that is, or was, the caller's work."""
    row = await due_rows.read(tx, due_id, tx.caller.provider_id, kinds=_kinds(tx))
    if row is None:
        raise Missing
    return (await _view(tx, [row]))[0]


async def see_due(tx: Transaction, due_id: UUID) -> DueView:
    """Note that the caller has seen a due; one that is over is only shown."""
    found = await read(tx, due_id)
    if found.row.ended_at is None:
        await _note_sight(tx, found.row, minutes=None)
    return await read(tx, due_id)


async def take_due(tx: Transaction, due_id: UUID) -> DueView:
    """Note that the caller sees to a due for some minutes; its colleagues are told."""
    found = await read(tx, due_id)
    if found.row.ended_at is not None or not await _note_sight(
        tx, found.row, minutes=TAKEN_MINUTES
    ):
        raise Conflict("due_over", "This was done already, or is not to be done any more.")
    return await read(tx, due_id)


async def count_unseen(tx: Transaction) -> tuple[datetime, datetime, list[UnseenRow]]:
    """Return a span of days, and by provider how many of its dues nobody saw.

    For administrators. It ends with the last midnight: what is live today would tell of one
    household.
    """
    country = load().country
    until = country.midnight(country.day_of(tx.at))
    since = country.midnight(country.day_of(tx.at) - timedelta(days=COUNTED_DAYS))
    return since, until, await due_rows.count_unseen(tx, since=since, until=until)


async def _view(tx: Transaction, rows: Sequence[DueRow]) -> list[DueView]:
    tx.looks.referral_ids.update(row.referral_id for row in rows if row.referral_id is not None)
    sights = await due_rows.read_sights(tx, [row.id for row in rows]) if rows else []
    return [
        DueView(row, tuple(one for one in sights if one.due_id == row.id), tx.at) for row in rows
    ]


async def _note_sight(tx: Transaction, row: DueRow, *, minutes: int | None) -> bool:
    noted = await due_rows.note_sight(tx, row.id, tx.caller.account_id, minutes=minutes)
    if noted and row.provider_id is not None:
        await outbox.add(tx, kind="due", subject=str(row.id), audience=[row.provider_id])
    return noted


def _kinds(tx: Transaction) -> list[str]:
    return kinds_of(tx.caller.roles)


# --- what the worker does --------------------------------------------------------------


async def ring_dues(tx: Transaction) -> bool:
    """Tell those whose work it is of the dues whose moment has come.

    Return whether there may be more. Nobody is told of one that has ended, and each is told again
    after its kind's hours.
    """
    policy = (await tx.snapshots.reference(tx)).policy
    again: Mapping[str, int | None] = {
        code: None if kind.again_hours is None else kind.again_hours(policy)
        for code, kind in KINDS.items()
    }
    rung = await due_rows.ring(tx, again_hours=again, batch=AT_ONCE)
    if "site_to_approve" in rung:
        await due_rows.renew_approvals(tx)
    if rung:
        tx.after_commit.append(lambda: metrics.count_rung_dues(rung))
    return sum(rung.values()) == AT_ONCE


async def prune_dues(tx: Transaction) -> None:
    """Forget the dues that have been over for long."""
    await due_rows.prune(tx, days=KEPT_DAYS)
