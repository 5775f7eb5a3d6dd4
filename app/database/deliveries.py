"""Deliveries to webhooks: a row for each event and webhook, leased by its sender.

A lease is a time in the row, by the database's clock: no lock or transaction is held while a
receiver takes its time, and a delivery of a process that died is due again when its lease has run
out. Noting the result locks the webhook first and deliveries then, or two that fail at once would
wait for each other when that disables their webhook.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    FromClause,
    Update,
    and_,
    any_,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from app.database.transaction import Transaction
from app.models import OutboxEntry, Webhook, WebhookDelivery

LEASE_S = 60
"""The length of a lease: much longer than sending takes at most."""
KEPT_HOURS = 24
FAILING_DAYS = 5
"""After so many days without a delivery that was received, a webhook is disabled."""
JITTER = 0.1
"""The part by which a pause may be longer, so that deliveries that failed together part."""
DELIVERED, GIVEN_UP = "delivered", "given_up"
GONE, FAILING = "gone", "failing"


@dataclass(frozen=True, slots=True)
class Leased:
    """A delivery to be sent now.

    `sealed` opens with the webhook's data key, which is wrapped in `key`.
    """

    id: UUID
    webhook_id: UUID
    kind: str
    subject: str
    happened_at: datetime
    attempts: int
    """How often it has been sent, this time included."""
    leased_at: datetime
    key: bytes = field(repr=False)
    sealed: bytes = field(repr=False)


async def spread(tx: Transaction, *, after: int, upto: int) -> None:
    """Write down the deliveries of events that the relay has numbered, by their positions.

    Positions are given once, so each event comes to each webhook once, and a webhook hears of
    everything numbered since it was added.
    """
    told = [
        WebhookDelivery.webhook_id,
        *(getattr(WebhookDelivery, name) for name in ("position", "kind", "subject", "at")),
    ]
    concerned = or_(
        OutboxEntry.audience.is_(None), Webhook.provider_id == any_(OutboxEntry.audience)
    )
    wanted = (
        select(
            Webhook.id, OutboxEntry.position, OutboxEntry.kind, OutboxEntry.subject, OutboxEntry.at
        )
        .join(Webhook, and_(OutboxEntry.kind == any_(Webhook.kinds), concerned))
        .where(
            OutboxEntry.position > after,
            OutboxEntry.position <= upto,
            Webhook.disabled_at.is_(None),
        )
    )
    await tx.run(insert(WebhookDelivery).inline().from_select(told, wanted))


async def lease(
    tx: Transaction,
    *,
    most: int,
    each: int,
    busy: Collection[UUID] = (),
    seconds: float = LEASE_S,
) -> list[Leased]:
    """Lease deliveries that are due and that no other process is sending.

    At most `each` a webhook, one if the last one failed, and none for busy webhooks. The turn among
    the others is drawn by lot, so that none waits behind the same ones every time.
    """
    clock = func.clock_timestamp()
    due = _due(each)
    drawn = (
        select(due.c.id)
        .select_from(Webhook)
        .join(due, true())
        .where(Webhook.disabled_at.is_(None), Webhook.id.not_in(busy) if busy else true())
        .order_by(func.random())
        .limit(most)
        .cte("drawn")
    )
    rows = await tx.rows(
        update(WebhookDelivery)
        .where(WebhookDelivery.id == drawn.c.id, Webhook.id == WebhookDelivery.webhook_id)
        .values(next_at=clock + timedelta(seconds=seconds), attempts=WebhookDelivery.attempts + 1)
        .returning(
            WebhookDelivery.id,
            WebhookDelivery.webhook_id,
            WebhookDelivery.kind,
            WebhookDelivery.subject,
            WebhookDelivery.at,
            WebhookDelivery.attempts,
            clock,
            Webhook.key,
            Webhook.sealed,
        )
    )
    return [Leased(*row) for row in rows]


async def note_received(tx: Transaction, leased: Leased) -> None:
    """Note that a delivery was received."""
    clock = func.clock_timestamp()
    await tx.run(
        update(Webhook)
        .where(Webhook.id == leased.webhook_id)
        .values(last_delivery_at=clock, failing_since=None)
    )
    await tx.run(_still(leased).values(ended_at=clock, outcome=DELIVERED))


async def note_failed(tx: Transaction, leased: Leased, *, again_in_seconds: float | None) -> bool:
    """Note that a delivery was not received, and when it is due again; None: never.

    Return whether its webhook has now been failing for so long that it is to be disabled. A sender
    whose lease ran out does not decide when it is due: another one is sending it.
    """
    clock = func.clock_timestamp()
    since = func.coalesce(Webhook.failing_since, clock)
    row = await tx.row(
        update(Webhook)
        .where(Webhook.id == leased.webhook_id, Webhook.disabled_at.is_(None))
        .values(failing_since=since)
        .returning((Webhook.failing_since <= clock - timedelta(days=FAILING_DAYS)).label("long"))
    )
    if again_in_seconds is None:
        change = _still(leased).values(ended_at=clock, outcome=GIVEN_UP)
    else:
        pause = timedelta(seconds=again_in_seconds)
        change = _still(leased).values(next_at=clock + pause * (1 + func.random() * JITTER))
    await tx.run(change.where(WebhookDelivery.attempts == leased.attempts))
    return row is not None and row.long


async def disable(tx: Transaction, webhook_id: UUID, *, because: str) -> bool:
    """Send nothing more to a webhook; False if it was disabled before."""
    clock = func.clock_timestamp()
    changed = await tx.run(
        update(Webhook)
        .where(Webhook.id == webhook_id, Webhook.disabled_at.is_(None))
        .values(disabled_at=clock, disabled_because=because)
    )
    if changed:
        await tx.run(
            update(WebhookDelivery)
            .where(WebhookDelivery.webhook_id == webhook_id, WebhookDelivery.ended_at.is_(None))
            .values(ended_at=clock, outcome=GIVEN_UP)
        )
    return changed == 1


async def prune(tx: Transaction, *, keep_hours: int = KEPT_HOURS) -> int:
    """Delete old deliveries and those of deleted webhooks; return how many."""
    since = func.clock_timestamp() - timedelta(hours=keep_hours)
    orphaned = ~exists().where(Webhook.id == WebhookDelivery.webhook_id)
    return await tx.run(
        delete(WebhookDelivery).where(or_(WebhookDelivery.ended_at < since, orphaned))
    )


def _due(each: int) -> FromClause:
    """Return the due deliveries of a webhook, the longest due first."""
    most = case((Webhook.failing_since.is_(None), each), else_=1)
    return (
        select(WebhookDelivery.id)
        .where(
            WebhookDelivery.webhook_id == Webhook.id,
            WebhookDelivery.ended_at.is_(None),
            WebhookDelivery.next_at <= func.clock_timestamp(),
        )
        .order_by(WebhookDelivery.next_at)
        .limit(most)
        .with_for_update(skip_locked=True)
        .lateral("due")
    )


def _still(leased: Leased) -> Update:
    return update(WebhookDelivery).where(
        WebhookDelivery.id == leased.id, WebhookDelivery.ended_at.is_(None)
    )
