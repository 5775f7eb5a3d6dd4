"""Webhooks of a provider: where its own systems are told what its event stream tells."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from app.database.transaction import Transaction
from app.errors import Conflict, Fault, Invalid, Missing
from app.webhooks import signing
from app.webhooks.reach import Reach
from app.webhooks.store import webhooks
from app.webhooks.store.webhooks import WebhookRow
from app.webhooks.target import Target

MOST = 10
"""Of one provider."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook as its owner sees it."""

    row: WebhookRow
    url: str = field(repr=False)


async def add(
    tx: Transaction,
    *,
    reach: Reach,
    url: str,
    kinds: Sequence[str],
) -> tuple[Webhook, str]:
    """Add a webhook of the caller's provider; return it and its secret, which nobody is told again."""
    if faults := reach.faults(url):
        raise Invalid(*(Fault("/url", fault) for fault in faults))
    if await webhooks.count(tx, tx.caller.provider) >= MOST:
        raise Conflict(
            "too_many_webhooks", "There are %(most)s webhooks already; remove one first.", most=MOST
        )
    id_, target = uuid4(), Target(url, signing.new_secret())
    wrapped, sealed = target.seal(id_, keyring=tx.keyring)
    row = WebhookRow(id_, tuple(kinds), wrapped, sealed, tx.at)
    await webhooks.add(tx, row, provider_id=tx.caller.provider)
    return Webhook(row, url), target.secret


async def listed(
    tx: Transaction,
    *,
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[Webhook]:
    """Return the webhooks of the caller's provider, oldest first."""
    rows = await webhooks.listed(tx, tx.caller.provider, limit=limit, after=after)
    return [
        Webhook(row, Target.unseal(row.id, row.key, row.sealed, keyring=tx.keyring).url)
        for row in rows
    ]


async def remove(tx: Transaction, webhook_id: UUID) -> None:
    """Send nothing more to a webhook of the caller's provider, and forget it."""
    if not await webhooks.remove(tx, webhook_id, provider_id=tx.caller.provider):
        raise Missing
