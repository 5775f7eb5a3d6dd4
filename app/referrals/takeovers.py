"""Take a colleague's referral over at the change of shift, and tell the desk.

It stands alone because it neither reads nor changes what is known of the household.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.database import access_log
from app.database.transaction import Transaction
from app.errors import Erased, Missing
from app.referrals.store import referral_rows

TAKE_OVER, REFERRAL = "take_over", "referral"
"""The action and the object as the access log names them."""


@dataclass(frozen=True, slots=True)
class Takeover:
    """A referral on which the caller works from now on, and the log's entry that says so."""

    event: int
    referral_id: UUID
    at: datetime


async def take_over(tx: Transaction, referral_id: UUID) -> Takeover:
    """Note that the caller works on a referral of the own desk from now on, and tell the desk."""
    provider_id = tx.caller.provider
    row = await referral_rows.read(tx, referral_id, provider_id=provider_id)
    if row is None:
        raise Missing
    if row.key is None:
        raise Erased
    entry = tx.caller.entry(TAKE_OVER, REFERRAL, referral_id, referral_ids=(referral_id,))
    event = await access_log.add_notice(tx, entry, provider_id=provider_id)
    return Takeover(event, referral_id, tx.at)
