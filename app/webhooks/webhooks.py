"""Webhooks of a provider, whose own systems get what its event stream tells."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from app.database.transaction import Transaction
from app.errors import Conflict, Fault, Invalid, Missing
from app.webhooks import post
from app.webhooks.destinations import Destinations
from app.webhooks.post import WebhookTarget
from app.webhooks.store import webhook_rows
from app.webhooks.store.webhook_rows import WebhookRow

MOST = 10
"""The webhooks of one provider at most."""


@dataclass(frozen=True, slots=True)
class OwnWebhook:
    """A webhook as its owner sees it."""

    row: WebhookRow
    url: str = field(repr=False)


async def add(
    tx: Transaction, *, destinations: Destinations, url: str, kinds: Sequence[str]
) -> tuple[OwnWebhook, str]:
    """Add a webhook of the caller's provider; return it and its secret, shown this once."""
    if faults := destinations.faults(url):
        raise Invalid(*(Fault("/url", fault) for fault in faults))
    if await webhook_rows.count(tx, tx.caller.provider) >= MOST:
        raise Conflict(
            "too_many_webhooks", "There are %(most)s webhooks already; remove one first.", most=MOST
        )
    id_, target = uuid4(), WebhookTarget(url, post.new_secret())
    wrapped, sealed = target.seal(id_, keyring=tx.keyring)
    row = WebhookRow(id_, tuple(kinds), wrapped, sealed, tx.at)
    await webhook_rows.add(tx, row, provider_id=tx.caller.provider)
    return OwnWebhook(row, url), target.secret


async def list_own(
    tx: Transaction, *, limit: int, after: tuple[datetime, UUID] | None
) -> list[OwnWebhook]:
    """Return the webhooks of the caller's provider, oldest first."""
    rows = await webhook_rows.list_of_provider(tx, tx.caller.provider, limit=limit, after=after)
    return [
        OwnWebhook(row, WebhookTarget.unseal(row.id, row.key, row.sealed, keyring=tx.keyring).url)
        for row in rows
    ]


async def remove(tx: Transaction, webhook_id: UUID) -> None:
    """Remove a webhook of the caller's provider, and send nothing more to it."""
    if not await webhook_rows.remove(tx, webhook_id, provider_id=tx.caller.provider):
        raise Missing
