"""The access log as each reader may see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.accounts.store import access_log_reads
from app.accounts.store.access_log_reads import AccessLogFilter, AccessLogRow
from app.database.register import ProviderCard
from app.database.transaction import Transaction
from app.errors import Missing


@dataclass(frozen=True, slots=True)
class AccessByProvider:
    """An entry of the log, with the name of the provider that looked, if it is known."""

    row: AccessLogRow
    provider: str | None


async def list_entries(
    tx: Transaction, wanted: AccessLogFilter, *, limit: int, after: tuple[datetime, int] | None
) -> list[AccessLogRow]:
    """Return entries of the whole log for administrators, newest first."""
    return await access_log_reads.list_entries(tx, wanted, limit=limit, after=after)


async def list_of_referral(
    tx: Transaction, referral_id: UUID, *, limit: int, before: int | None
) -> list[AccessByProvider]:
    """Return who looked at a referral of the caller's provider, newest first.

    Its client may be shown this. Refused looks that name the referral are included, and so are
    those of an erased referral.
    """
    if not await access_log_reads.is_own(tx, referral_id, provider_id=tx.caller.provider):
        raise Missing
    tx.looks.referral_ids.add(referral_id)
    rows = await access_log_reads.list_of_referral(
        tx, referral_id, limit=limit, before=access_log_reads.NEWEST if before is None else before
    )
    return await _with_providers(tx, rows)


async def list_notices(
    tx: Transaction, *, limit: int, before: int | None, after: int | None
) -> list[AccessByProvider]:
    """Return the entries that the caller's provider is notified of, newest first.

    These are questions for addresses of its sites, its own people's too, and each break of its
    glass. `after` is the last event that the caller knows.
    """
    rows = await access_log_reads.list_notices(
        tx,
        tx.caller.provider,
        limit=limit,
        before=access_log_reads.NEWEST if before is None else before,
        after=access_log_reads.OLDEST if after is None else after,
    )
    return await _with_providers(tx, rows)


async def _with_providers(tx: Transaction, rows: list[AccessLogRow]) -> list[AccessByProvider]:
    cards: Mapping[str, ProviderCard] = await tx.snapshots.providers(tx)
    return [AccessByProvider(row, _name(cards, row.provider_id)) for row in rows]


def _name(cards: Mapping[str, ProviderCard], provider_id: UUID | None) -> str | None:
    card = cards.get(str(provider_id))
    return None if card is None else card.name
