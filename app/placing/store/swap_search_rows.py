"""Searches for swaps: how many were found for a referral, and their sealed documents."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, insert, select, text

from app.database.transaction import Transaction
from app.models import SwapSearch

_WAIT = text("""
SELECT ceil(extract(epoch FROM asked_at + interval '1 hour' - clock_timestamp()))::int AS wait_s
FROM swap_searches
WHERE referral_id = :referral_id AND asked_at > clock_timestamp() - interval '1 hour'
ORDER BY asked_at DESC OFFSET :most - 1 LIMIT 1
""").bindparams(bindparam("referral_id", type_=Uuid()))


@dataclass(frozen=True, slots=True)
class SearchRow:
    """A search as it is stored; `new` while its swaps may still be proposed."""

    id: UUID
    referral_id: UUID
    sealed: bytes
    new: bool


async def wait_s(tx: Transaction, referral_id: UUID, *, per_hour: int) -> int:
    """Return the seconds until a referral may be searched for again; 0 for now."""
    row = await tx.row(_WAIT, {"referral_id": referral_id, "most": per_hour})
    return 0 if row is None else max(0, row.wait_s)


async def add(
    tx: Transaction,
    search_id: UUID,
    *,
    referral_id: UUID,
    provider_id: UUID,
    found: int,
    sealed: bytes,
) -> None:
    """Record a search."""
    await tx.run(
        insert(SwapSearch).values(
            id=search_id,
            referral_id=referral_id,
            provider_id=provider_id,
            found=found,
            sealed=sealed,
        )
    )


async def read(
    tx: Transaction, search_id: UUID, *, provider_id: UUID, minutes: int
) -> SearchRow | None:
    """Return one of a provider's searches; it is new for some minutes."""
    new = SwapSearch.asked_at > func.clock_timestamp() - timedelta(minutes=minutes)
    row = await tx.row(
        select(SwapSearch.id, SwapSearch.referral_id, SwapSearch.sealed, new).where(
            SwapSearch.id == search_id, SwapSearch.provider_id == provider_id
        )
    )
    return None if row is None else SearchRow(*row)
