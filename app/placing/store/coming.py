"""Those who come to a provider, or are there: what is known of them now."""

from collections.abc import Collection
from typing import TYPE_CHECKING
from uuid import UUID

from app.referrals.store import referrals

if TYPE_CHECKING:
    from app.database.transaction import Transaction
    from app.referrals.store.referrals import ReferralRow


async def referrals_of(tx: "Transaction", ids: Collection[UUID]) -> "list[ReferralRow]":
    """Return those of some referrals that the caller may see, wherever they came from; in no order."""
    return await referrals.several(tx, ids) if ids else []
