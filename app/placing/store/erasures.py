"""Erasures: what prevents one, what it destroys, and the referrals that are overdue."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Text,
    Uuid,
    any_,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    text,
    update,
)

from app.database.answers import GONE
from app.database.transaction import Transaction
from app.models import Answer, Erasure, Hold, Placement, Ranking, Referral, ReferralSecret, Shield
from app.models.states import hold_live, placement_coming
from app.placing.erasure_list import ErasureRecord

# What stands against an erasure: a place that is held for the household, or to which it came or
# may still come.
LIVE_HOLD, COMING = hold_live("h"), placement_coming("p")

_CANDIDATE = text(f"""
SELECT r.id, r.provider_id, r.reference, e.at AS erased_at, h.id AS hold_id, h.receiver_id,
       h.site_id, h.expires_at, p.status AS placement,
       greatest(h.created_at, (SELECT max(q.created_at) FROM placements AS q
                               WHERE q.referral_id = r.id AND {placement_coming("q")})) AS placed_at
FROM referrals AS r
LEFT JOIN erasures AS e ON e.referral_id = r.id
LEFT JOIN holds AS h ON h.referral_id = r.id AND {LIVE_HOLD}
LEFT JOIN placements AS p ON p.referral_id = r.id AND {COMING}
WHERE r.id = :id
ORDER BY p.created_at LIMIT 1
""").bindparams(bindparam("id", type_=Uuid()))  # noqa: S608 - the two conditions above

# An open referral is not over, unless its household had a place, did not come, and nothing has
# happened since.
_OVERDUE = text(f"""
SELECT r.id FROM referrals AS r
WHERE NOT EXISTS (SELECT FROM erasures AS e WHERE e.referral_id = r.id)
  AND CASE r.status
      WHEN 'ended' THEN (SELECT max(p.departed_at) FROM placements AS p WHERE p.referral_id = r.id)
      WHEN 'withdrawn' THEN r.updated_at
      WHEN 'placed' THEN NULL
      ELSE (SELECT greatest(max(p.no_show_at), r.updated_at) FROM placements AS p
            WHERE p.referral_id = r.id HAVING max(p.no_show_at) IS NOT NULL)
      END < clock_timestamp() - make_interval(days => :days)
  AND NOT EXISTS (SELECT FROM holds AS h WHERE h.referral_id = r.id AND {LIVE_HOLD})
  AND NOT EXISTS (SELECT FROM placements AS p WHERE p.referral_id = r.id AND {COMING})
ORDER BY r.updated_at LIMIT :most FOR UPDATE OF r SKIP LOCKED
""")  # noqa: S608 - as above

IDS = bindparam("ids", type_=ARRAY(Uuid()))

_RECORD = text("""
INSERT INTO erasures (referral_id, cause) SELECT id, :cause FROM unnest(:ids) AS id
ON CONFLICT DO NOTHING RETURNING referral_id
""").bindparams(IDS, bindparam("cause", type_=Text()))

_FORGOTTEN = text("""
SELECT r.id FROM unnest(:ids) AS listed JOIN referrals AS r ON r.id = listed
WHERE NOT EXISTS (SELECT FROM erasures AS e WHERE e.referral_id = r.id) ORDER BY r.id
""").bindparams(IDS)

_UNLISTED = text("""
SELECT e.referral_id, e.cause, e.at FROM erasures AS e
WHERE NOT EXISTS (SELECT FROM unnest(:ids) AS listed WHERE listed = e.referral_id)
ORDER BY e.at, e.referral_id
""").bindparams(IDS)

_CLOSE = (
    update(Referral)
    .where(Referral.id == any_(IDS), Referral.status.in_(("open", "held")))
    .values(status="withdrawn", hold_id=None, held_until=None, updated_at=func.clock_timestamp())
)
_UNSHIELD = delete(Shield).where(Shield.referral_id == any_(IDS))
_DESTROY = delete(ReferralSecret).where(ReferralSecret.referral_id == any_(IDS))


@dataclass(frozen=True, slots=True)
class ErasureCandidate:
    """A referral to be erased, and what prevents it."""

    id: UUID
    provider_id: UUID
    reference: str
    erased_at: datetime | None
    hold_id: UUID | None
    """A live hold, with its receiver, site and end."""
    receiver_id: UUID | None
    site_id: UUID | None
    held_until: datetime | None
    placement: str | None
    """The status of its live placement: underway, arrived, or a no_show not yet checked."""
    placed_at: datetime | None
    """When the newest of these began."""


@dataclass(frozen=True, slots=True)
class RemainingRows:
    """How many rows of an erased referral stay, with nobody in them."""

    rankings: int
    holds: int
    placements: int


async def read_candidate(
    tx: Transaction, referral_id: UUID, *, lock: bool = False
) -> ErasureCandidate | None:
    """Return a referral with what prevents its erasure; locked if asked."""
    if lock:
        # Lock first, read then: something may have changed while we waited.
        await tx.rows(select(Referral.id).where(Referral.id == referral_id).with_for_update())
    row = await tx.row(_CANDIDATE, {"id": referral_id})
    return None if row is None else ErasureCandidate(*row)


async def find_by_reference(tx: Transaction, reference: str) -> UUID | None:
    """Return the referral with a speakable code."""
    row = await tx.row(select(Referral.id).where(Referral.reference == reference))
    return None if row is None else row.id


async def lock_overdue(tx: Transaction, *, days: int, most: int) -> list[UUID]:
    """Lock and return referrals closed for that many days; skip those that are locked."""
    return [row.id for row in await tx.rows(_OVERDUE, {"days": days, "most": most})]


async def find_not_erased(tx: Transaction, ids: Collection[UUID]) -> list[UUID]:
    """Return the referrals among some ids that exist and are not noted as erased."""
    return [row.id for row in await tx.rows(_FORGOTTEN, {"ids": list(ids)})]


async def record(tx: Transaction, ids: Sequence[UUID], *, cause: str) -> list[UUID]:
    """Note referrals as erased; return the new ones.

    Waits for transactions that are noting the same.
    """
    return [row.referral_id for row in await tx.rows(_RECORD, {"ids": list(ids), "cause": cause})]


async def destroy(tx: Transaction, ids: Sequence[UUID]) -> None:
    """Destroy the keys, sealed content and shields of referrals; close those that are open."""
    # The status first: the worker may take away the secrets of none but closed referrals.
    for statement in (_CLOSE, _UNSHIELD, _DESTROY):
        await tx.run(statement, {"ids": list(ids)})


async def empty_answers(tx: Transaction) -> int:
    """Empty the kept answers about erased referrals; return how many."""
    erased = select(Erasure.referral_id)
    named = func.unnest(Answer.referral_ids).column_valued("named")
    of_several = exists(select(named).where(named.in_(erased)))
    return await tx.run(
        update(Answer)
        .where(or_(Answer.referral_id.in_(erased), of_several), Answer.sealed != GONE)
        .values(sealed=GONE)
    )


async def count_remaining(tx: Transaction, referral_id: UUID) -> RemainingRows:
    """Return how many rows of an erased referral stay."""
    counts = [
        select(func.count())
        .select_from(table)
        .where(table.referral_id == referral_id)
        .scalar_subquery()
        for table in (Ranking, Hold, Placement)
    ]
    return RemainingRows(*(await tx.rows(select(*counts)))[0])


async def find_unlisted(tx: Transaction, ids: Collection[UUID]) -> list[ErasureRecord]:
    """Return the erasures of referrals that are not among some ids."""
    return [ErasureRecord(*row) for row in await tx.rows(_UNLISTED, {"ids": list(ids)})]
