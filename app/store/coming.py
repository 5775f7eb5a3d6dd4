"""Those who come to a provider, or are there: what is known of them now, and who hears that it has changed."""

from collections.abc import Collection
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Uuid as UuidType
from sqlalchemy import bindparam, text

from app.store import referrals

if TYPE_CHECKING:
    from app.store.database import Transaction
    from app.store.referrals import ReferralRow

_TELL = text("""
INSERT INTO outbox (kind, subject, audience)
SELECT 'hold', id::text, ARRAY[provider_id, receiver_id] FROM holds
WHERE referral_id = :referral_id AND resolved_at IS NULL AND expires_at > clock_timestamp()
UNION ALL
SELECT 'placement', id::text, ARRAY[provider_id, receiver_id] FROM placements
WHERE referral_id = :referral_id
  AND (status IN ('underway', 'arrived') OR (status = 'no_show' AND safety_checked_at IS NULL))
""").bindparams(bindparam("referral_id", type_=UuidType()))


async def referrals_of(tx: "Transaction", ids: Collection[UUID]) -> "list[ReferralRow]":
    """Return those of some referrals that the caller may see, wherever they came from; in no order."""
    return await referrals.several(tx, ids) if ids else []


async def tell_of_change(tx: "Transaction", referral_id: UUID) -> None:
    """Tell those to whom one of the caller's referrals comes, or came, that something else is known of it now."""
    if await tx.run(_TELL, {"referral_id": referral_id}):
        tx.wrote_outbox()
