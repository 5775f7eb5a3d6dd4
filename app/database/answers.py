"""First answers, kept for repeats of the same request."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, delete, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from app.database.transaction import Transaction
from app.models import Answer, ReferralSecret

KEPT_HOURS = 24
GONE = b""
"""The content of an answer whose referral has been erased: a repeat finds it, and says so."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """A sealed answer, and the request that it answers."""

    account_id: UUID
    route: str
    key: str
    fingerprint: bytes
    provider_id: UUID | None
    region: str | None
    status: int
    sealed: bytes
    referral_id: UUID | None = None
    """The referral whose content it has, if any."""
    referral_ids: Sequence[UUID] = ()
    """The referrals whose content it has, if they are several."""


async def keep(tx: Transaction, answer: KeptAnswer) -> bool:
    """Keep an answer; False if the key has one already.

    Waits for a transaction that writes the same key.
    """
    values = asdict(answer) | {"referral_ids": list(answer.referral_ids)}
    return await tx.run(insert(Answer).values(**values).on_conflict_do_nothing()) == 1


async def read(tx: Transaction, account_id: UUID, *, route: str, key: str) -> KeptAnswer | None:
    """Return the answer kept for a key, if any; after a day it is forgotten.

    It is empty once its referral has been erased; one that was only kept after that belongs to no
    referral.
    """
    known = exists().where(ReferralSecret.referral_id == Answer.referral_id)
    named = func.unnest(Answer.referral_ids).column_valued("named")
    all_known = ~exists(select(named).where(~exists().where(ReferralSecret.referral_id == named)))
    readable = or_(Answer.sealed == GONE, and_(or_(Answer.referral_id.is_(None), known), all_known))
    row = await tx.row(
        select(
            Answer.account_id,
            Answer.route,
            Answer.key,
            Answer.fingerprint,
            Answer.provider_id,
            Answer.region,
            Answer.status,
            Answer.sealed,
            Answer.referral_id,
            Answer.referral_ids,
        ).where(
            Answer.account_id == account_id,
            Answer.route == route,
            Answer.key == key,
            readable,
        )
    )
    return None if row is None else KeptAnswer(*row)


async def prune(tx: Transaction, *, keep_hours: int = KEPT_HOURS) -> int:
    """Forget answers given longer ago than that; return how many."""
    return await tx.run(
        delete(Answer).where(Answer.made_at < func.clock_timestamp() - timedelta(hours=keep_hours))
    )
