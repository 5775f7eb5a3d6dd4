"""Webhooks as they are stored, with how their deliveries go."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, bindparam, delete, func, insert, select, text, tuple_

from app.database.pool import Row
from app.database.transaction import Transaction
from app.models import Webhook, WebhookDelivery


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """A stored webhook; `sealed` opens with its data key, which is wrapped in `key`."""

    id: UUID
    kinds: tuple[str, ...]
    key: bytes = field(repr=False)
    sealed: bytes = field(repr=False)
    created_at: datetime
    last_delivery_at: datetime | None = None
    failing_since: datetime | None = None
    disabled_at: datetime | None = None
    disabled_because: str | None = None
    waiting: int = 0
    """How many events are still to be sent there."""


_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended(:provider_id, 2))").bindparams(
    bindparam("provider_id", type_=Text())
)
_WAITING = (
    select(func.count())
    .where(WebhookDelivery.webhook_id == Webhook.id, WebhookDelivery.ended_at.is_(None))
    .correlate(Webhook)
    .scalar_subquery()
    .label("waiting")
)
_READ = select(
    *(getattr(Webhook, name) for name in WebhookRow.__slots__ if name != "waiting"), _WAITING
).order_by(Webhook.created_at, Webhook.id)  # fmt: skip


async def count(tx: Transaction, provider_id: UUID) -> int:
    """Return how many webhooks a provider has; until the end nobody else can add one."""
    await tx.rows(_ALONE, {"provider_id": str(provider_id)})
    return (await tx.rows(select(func.count()).where(Webhook.provider_id == provider_id)))[0][0]


async def add(tx: Transaction, webhook: WebhookRow, *, provider_id: UUID) -> None:
    """Store a new webhook; it gets the events that are numbered from then on."""
    await tx.run(
        insert(Webhook).values(
            id=webhook.id,
            provider_id=provider_id,
            kinds=list(webhook.kinds),
            key=webhook.key,
            sealed=webhook.sealed,
            created_at=webhook.created_at,
        )
    )


async def list_of_provider(
    tx: Transaction, provider_id: UUID, *, limit: int, after: tuple[datetime, UUID] | None
) -> Sequence[WebhookRow]:
    """Return a provider's webhooks, oldest first."""
    statement = _READ.where(Webhook.provider_id == provider_id).limit(limit)
    if after is not None:
        statement = statement.where(tuple_(Webhook.created_at, Webhook.id) > tuple_(*after))
    return [_webhook(row) for row in await tx.rows(statement)]


async def remove(tx: Transaction, webhook_id: UUID, *, provider_id: UUID) -> bool:
    """Delete this provider's webhook and its secret; False if there is none."""
    return (
        await tx.run(
            delete(Webhook).where(Webhook.id == webhook_id, Webhook.provider_id == provider_id)
        )
        == 1
    )


def _webhook(row: Row) -> WebhookRow:
    return WebhookRow(
        id=row.id,
        kinds=tuple(row.kinds),
        key=row.key,
        sealed=row.sealed,
        created_at=row.created_at,
        last_delivery_at=row.last_delivery_at,
        failing_since=row.failing_since,
        disabled_at=row.disabled_at,
        disabled_because=row.disabled_because,
        waiting=row.waiting,
    )
