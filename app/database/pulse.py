"""The state of the service in counts: claims, outbox, pool, the schema's revision."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select, text

from app.database import counters
from app.database.pool import PoolUse
from app.database.transaction import Transaction
from app.models import Claim, Discrepancy, OutboxEntry, Provider

if TYPE_CHECKING:
    from app.database.transaction import Database


@dataclass(frozen=True, slots=True)
class Pulse:
    """Counts of this moment, about no household in particular."""

    live_claims: Mapping[str, int]
    """By kind: hold, placement, occupied, out_of_service."""
    outbox_waiting: int
    """Rows that are committed and not yet numbered."""
    outbox_waiting_seconds: float
    """How long the oldest of them has waited."""
    dues: Mapping[tuple[str, str], int]
    """Live ones by kind, and `open`, `overdue`, or overdue and `unseen`."""
    backup_age_seconds: float | None
    """How long ago the last backup was made; None before the first."""
    discrepancies: int
    """Records that disagree."""


_DUES = text("""
SELECT d.kind, count(*) AS open, count(*) FILTER (WHERE d.due_at <= clock_timestamp()) AS overdue,
       count(*) FILTER (WHERE d.due_at <= clock_timestamp()
                          AND NOT EXISTS (SELECT FROM due_sights AS s WHERE s.due_id = d.id))
         AS unseen
FROM dues AS d WHERE d.ended_at IS NULL GROUP BY d.kind
""")


async def read(tx: Transaction) -> Pulse:
    """Take the pulse."""
    clock = func.clock_timestamp()
    claims = await tx.rows(
        select(Claim.kind, func.count().label("places"))
        .where(Claim.claimed_until > clock)
        .group_by(Claim.kind)
    )
    waited = func.extract("epoch", clock - func.min(OutboxEntry.at))
    waiting = await tx.row(
        select(func.count().label("rows"), waited.label("seconds")).where(
            OutboxEntry.position.is_(None)
        )
    )
    live = {row.kind: row.places for row in claims}
    dues = {
        (row.kind, state): getattr(row, state)
        for row in await tx.rows(_DUES)
        for state in ("open", "overdue", "unseen")
    }
    backed_up = await counters.moment(tx, counters.BACKUP)
    age = None if backed_up is None else max(0.0, (tx.at - backed_up).total_seconds())
    differ = (
        await tx.rows(
            select(func.count()).select_from(Discrepancy).where(Discrepancy.gone_at.is_(None))
        )
    )[0][0]
    rows, seconds = (0, 0.0) if waiting is None else (waiting.rows, float(waiting.seconds or 0))
    return Pulse(live, rows, max(0.0, seconds), dues, age, differ)


def pool_use(database: "Database") -> PoolUse:
    """Return the use of this process's pool."""
    return database.use


async def revision(tx: Transaction) -> str | None:
    """Return the schema's revision, as the migrations left it."""
    row = await tx.row(text("SELECT version_num FROM alembic_version"))
    return None if row is None else row[0]


async def some_provider(tx: Transaction) -> str | None:
    """Return the slug of one of the providers, for an example that works."""
    row = await tx.row(select(func.min(Provider.slug)))
    return None if row is None else row[0]
