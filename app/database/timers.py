"""Work that recurs, shared by every process: one leases a timer's row and does it.

A lease that a crash left runs out by itself.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, text, update

from app.database.transaction import Transaction
from app.models import Timer

LEASE_SECONDS = 120
LATE_S = 180.0
"""Work due for longer is done by nobody: a crash of who had it costs a lease at most."""
FREE = text("'-infinity'::timestamptz")


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to do one timer's work until then."""

    name: str
    until: datetime


async def lease(
    tx: Transaction, names: Collection[str], *, seconds: float = LEASE_SECONDS
) -> Lease | None:
    """Lease one of some timers that is due and free; None if there is none."""
    clock = func.clock_timestamp()
    due = (
        select(Timer.name)
        .where(Timer.name.in_(names), Timer.due_at <= clock, Timer.leased_until <= clock)
        .order_by(Timer.due_at, Timer.name)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    row = await tx.row(
        update(Timer)
        .where(Timer.name == due)
        .values(leased_until=clock + timedelta(seconds=seconds))
        .returning(Timer.name, Timer.leased_until)
    )
    return None if row is None else Lease(row.name, row.leased_until)


async def postpone(tx: Transaction, held: Lease, *, seconds: float) -> None:
    """Give a lease back for work that failed: nobody tries before some seconds are over.

    It stays due since when it was, so that how late it is tells how long nothing has come of it.
    """
    clock = func.clock_timestamp()
    await tx.run(
        update(Timer)
        .where(Timer.name == held.name, Timer.leased_until == held.until)
        .values(leased_until=clock + timedelta(seconds=seconds))
    )


async def lateness(tx: Transaction) -> Mapping[str, float]:
    """Return by timer the seconds that its work has been due; infinite if never done."""
    clock = func.clock_timestamp()
    waited = func.extract("epoch", clock - func.nullif(Timer.due_at, FREE))
    rows = await tx.rows(
        select(Timer.name, func.greatest(waited, 0.0).label("seconds"), Timer.due_at == FREE)
    )
    return {row.name: math.inf if row[2] else float(row.seconds) for row in rows}


async def done(tx: Transaction, held: Lease, *, again_in_seconds: float) -> bool:
    """Give a lease back and say when the work is due again.

    False if it had run out and another process has it.
    """
    again = func.clock_timestamp() + timedelta(seconds=again_in_seconds)
    changed = await tx.run(
        update(Timer)
        .where(Timer.name == held.name, Timer.leased_until == held.until)
        .values(due_at=again, leased_until=FREE)
    )
    return changed == 1
