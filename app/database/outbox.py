"""The outbox: changes that others must hear of, numbered once committed, kept for a day.

Each is written in the transaction that made it true. Rows get their ids when they are written and
become visible when their transaction commits, in another order: a reader of "after the last id"
would lose some. So the relay numbers rows that are committed, under a lock: positions have no gaps,
and nothing appears before one that has been read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    any_,
    cast,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from app.database import deliveries
from app.database.transaction import Transaction
from app.models import Head, OutboxEntry

HEAD = "outbox"
NUMBERED_AT_ONCE = 1000
KEPT_HOURS = 24
FURTHEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A numbered row of the outbox."""

    position: int
    kind: str
    subject: str
    audience: frozenset[UUID] | None
    """The providers concerned; None: all staff."""


@dataclass(frozen=True, slots=True)
class Glance:
    """The newest position of the outbox, and whether a row waits for its number."""

    newest: int
    waiting: bool


async def add(tx: Transaction, *, kind: str, subject: str, audience: Sequence[UUID] | None) -> None:
    """Write down a change that others must hear of once this transaction is committed.

    `kind` is one of the model's; `subject` an id, or for availability a region's code; `audience`
    names the providers concerned, None all staff.
    """
    providers = None if audience is None else sorted(set(audience))
    # Inline: to ask for the new id would be to read a row that concerns, perhaps, only others.
    await tx.run(
        insert(OutboxEntry).inline().values(kind=kind, subject=subject, audience=providers)
    )
    tx.wrote_outbox()


async def glance(tx: Transaction) -> Glance:
    """Return the newest position of the outbox, and whether rows wait."""
    waiting = exists().where(OutboxEntry.position.is_(None))
    row = await tx.row(select(Head.value, waiting.label("waiting")).where(Head.name == HEAD))
    return Glance(0, waiting=False) if row is None else Glance(row.value, waiting=row.waiting)


async def number(tx: Transaction, *, most: int = NUMBERED_AT_ONCE) -> int | None:
    """Give positions to committed rows, in order; return the newest, None without such rows.

    With its position a row also comes to the webhooks that want it. The head row is locked first:
    only then does the next statement see all that earlier holders of the lock did.
    """
    locked = await tx.row(select(Head.value).where(Head.name == HEAD).with_for_update())
    before = 0 if locked is None else locked.value
    first = (
        select(OutboxEntry.id)
        .where(OutboxEntry.position.is_(None))
        .order_by(OutboxEntry.id)
        .limit(most)
    )
    # As one list and not as rows: these are looked up by their ids, whatever else is kept.
    waiting = select(func.array(first.scalar_subquery(), type_=ARRAY(BigInteger)).label("ids")).cte(
        "waiting"
    )
    ids = cast(select(waiting.c.ids).scalar_subquery(), ARRAY(BigInteger))
    numbered = (
        update(OutboxEntry)
        .where(OutboxEntry.id == any_(ids))
        .values(position=before + func.array_position(ids, OutboxEntry.id))
        .returning(OutboxEntry.position)
        .cte("numbered")
    )
    newest = select(func.max(numbered.c.position)).scalar_subquery()
    row = await tx.row(
        update(Head)
        .where(Head.name == HEAD)
        .values(value=func.coalesce(newest, Head.value))
        .returning(Head.value)
    )
    if row is None or row.value == before:
        return None
    await deliveries.spread(tx, after=before, upto=row.value)
    return row.value


async def read_after(
    tx: Transaction,
    position: int,
    *,
    upto: int = FURTHEST,
    provider_id: UUID | None = None,
    limit: int = 500,
) -> list[Entry]:
    """Return numbered rows after a position, in order.

    With `provider_id` only those that concern that provider.
    """
    statement = (
        select(OutboxEntry.position, OutboxEntry.kind, OutboxEntry.subject, OutboxEntry.audience)
        .where(OutboxEntry.position > position, OutboxEntry.position <= upto)
        .order_by(OutboxEntry.position)
        .limit(limit)
    )
    if provider_id is not None:
        concerned = OutboxEntry.audience.contains([provider_id])
        statement = statement.where(or_(OutboxEntry.audience.is_(None), concerned))
    return [
        Entry(
            row.position,
            row.kind,
            row.subject,
            None if row.audience is None else frozenset(row.audience),
        )
        for row in await tx.rows(statement)
    ]


async def newest(tx: Transaction) -> int:
    """Return the last position given, kept or not."""
    return (await glance(tx)).newest


async def oldest(tx: Transaction) -> int | None:
    """Return the oldest position kept; None if the outbox is empty.

    From here to the newest nothing is missing.
    """
    row = await tx.row(select(func.min(OutboxEntry.position)))
    return None if row is None else row[0]


async def prune(tx: Transaction, *, keep_hours: int = KEPT_HOURS) -> int:
    """Forget rows written longer ago than that; return how many.

    A beginning of the outbox goes, always: positions and times run in step only nearly, and a hole
    would be a lost event.
    """
    since = func.clock_timestamp() - timedelta(hours=keep_hours)
    first_kept = (
        select(func.min(OutboxEntry.position)).where(OutboxEntry.at >= since).scalar_subquery()
    )
    return await tx.run(
        delete(OutboxEntry).where(
            OutboxEntry.at < since, OutboxEntry.position < func.coalesce(first_kept, FURTHEST)
        )
    )
