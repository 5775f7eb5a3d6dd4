"""Changes to a hold: kept longer, resolved, confirmed, or noted as run out."""

from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, bindparam, func, select, text, update

from app import metrics
from app.database.transaction import Transaction
from app.models import Claim, Hold, Referral

FREED = {
    "kind": None,
    "hold_id": None,
    "placement_id": None,
    "claimed_until": text("'-infinity'"),
    "reason": None,
}
BATCH = 200


def _still_its(hold_id: UUID) -> tuple[ColumnElement[bool], ...]:
    """The condition for a hold to change a claim: it is the hold's at this very moment."""
    return Claim.hold_id == hold_id, Claim.claimed_until > func.clock_timestamp()


async def keep(
    tx: Transaction, hold_id: UUID, *, until: datetime, accepted_by: str | None, renewal: bool
) -> bool:
    """Extend a live hold, accepted or renewed; False if it no longer has its place."""
    kept = await tx.run(update(Claim).where(*_still_its(hold_id)).values(claimed_until=until))
    if kept == 0:
        return False
    changes = (
        update(Hold).where(Hold.id == hold_id, Hold.resolved_at.is_(None)).values(expires_at=until)
    )
    if renewal:
        changes = changes.values(renewals_left=Hold.renewals_left - 1)
    if accepted_by is not None:
        changes = changes.values(
            status="accepted", accepted_by=accepted_by, accepted_at=func.clock_timestamp()
        )
    await tx.run(changes)
    await tx.run(update(Referral).where(Referral.hold_id == hold_id).values(held_until=until))
    return True


async def resolve(tx: Transaction, hold_id: UUID, *, status: str, reason: str | None) -> bool:
    """Resolve a live hold without a placement: free its place and reopen its referral."""
    freed = await tx.run(
        update(Claim).where(*_still_its(hold_id)).values(**FREED, since=func.clock_timestamp())
    )
    if freed == 0:
        return False
    # The referral before the hold: a receiver may change it only while the hold is live.
    await tx.run(
        update(Referral)
        .where(Referral.hold_id == hold_id)
        .values(status="open", hold_id=None, held_until=None, updated_at=func.clock_timestamp())
    )
    await _close(tx, hold_id, status=status, reason=reason)
    return True


_WITHDRAW_DECLINE = text("SELECT withdraw_decline(:id) AS answer").bindparams(
    bindparam("id", type_=Uuid())
)


async def withdraw_decline(tx: Transaction, hold_id: UUID) -> str:
    """Take back a decline of the caller's provider; return what the database says of it."""
    answer: str = (await tx.rows(_WITHDRAW_DECLINE, {"id": hold_id}))[0].answer
    tx.wrote_outbox()
    return answer


async def hand_over(tx: Transaction, hold_id: UUID, *, placement_id: UUID) -> bool:
    """Pass a live hold's claim to a placement; False if it no longer has its place."""
    handed = await tx.run(
        update(Claim)
        .where(*_still_its(hold_id))
        .values(
            kind="placement",
            hold_id=None,
            placement_id=placement_id,
            claimed_until=text("'infinity'"),
            since=func.clock_timestamp(),
        )
    )
    return handed > 0


async def confirm(tx: Transaction, hold_id: UUID, *, placement_id: UUID) -> bool:
    """Resolve a live hold as placed, its claim passed on; False if it has lost its place."""
    if not await hand_over(tx, hold_id, placement_id=placement_id):
        return False
    await _close(tx, hold_id, status="placed", reason=None)
    await tx.run(
        update(Referral)
        .where(Referral.hold_id == hold_id)
        .values(status="placed", hold_id=None, held_until=None, updated_at=func.clock_timestamp())
    )
    return True


async def _close(tx: Transaction, hold_id: UUID, *, status: str, reason: str | None) -> None:
    await tx.run(
        update(Hold)
        .where(Hold.id == hold_id, Hold.resolved_at.is_(None))
        .values(status=status, reason=reason, resolved_at=func.clock_timestamp())
    )
    tx.after_commit.append(partial(metrics.count_holds, (status,)))


# The functions decide what becomes of the place: nothing else takes a claim from a placement.
_FREE_PLACE = text("SELECT free_place(:id)")
_LEAVE_PREVIOUS = text("SELECT leave_previous(:id, :at)")


async def free(tx: Transaction, placement_id: UUID) -> bool:
    """Free the place of a placement that is over; False if it was no longer its place."""
    return (await tx.rows(_FREE_PLACE, {"id": placement_id}))[0].free_place


async def has_place(tx: Transaction, placement_id: UUID) -> bool:
    """Whether a placement has its place: one reserved after others waits until they have left."""
    return (
        await tx.row(select(Claim.place_id).where(Claim.placement_id == placement_id)) is not None
    )


async def leave_previous(tx: Transaction, placement_id: UUID, *, at: datetime) -> bool | None:
    """End the placement that an arriving household leaves: free its place, end its referral.

    Return whether it was with the same provider in the same region; None if they had left it
    before.
    """
    tx.wrote_outbox()
    return (await tx.rows(_LEAVE_PREVIOUS, {"id": placement_id, "at": at}))[0].leave_previous


# Rows locked by others are left for the next round: nothing depends on the sweep. A hold that still
# has a claim is left too: an act that found it live, and is extending or confirming it now, has
# locked that claim.
_SWEEP_REFERRALS = text("""
UPDATE referrals
SET status = 'open', hold_id = NULL, held_until = NULL, updated_at = clock_timestamp()
WHERE id IN (SELECT id FROM referrals WHERE status = 'held' AND held_until <= clock_timestamp()
             LIMIT :batch FOR UPDATE SKIP LOCKED)
""")
_SWEEP_CLAIMS = text("""
UPDATE claims
SET kind = NULL, hold_id = NULL, claimed_until = '-infinity', since = clock_timestamp()
WHERE place_id IN (SELECT place_id FROM claims
                   WHERE kind = 'hold' AND claimed_until <= clock_timestamp()
                   LIMIT :batch FOR UPDATE SKIP LOCKED)
""")
_SWEEP_HOLDS = text("""
WITH lapsed AS (
  UPDATE holds SET status = CASE status WHEN 'pending' THEN 'no_answer' ELSE 'expired' END,
                   resolved_at = clock_timestamp()
  WHERE id IN (SELECT id FROM holds WHERE resolved_at IS NULL AND expires_at <= clock_timestamp()
               AND NOT EXISTS (SELECT FROM claims WHERE claims.hold_id = holds.id)
               LIMIT :batch FOR UPDATE SKIP LOCKED)
  RETURNING id, provider_id, receiver_id, site_id, status
), told AS (
  INSERT INTO outbox (kind, subject, audience)
  SELECT 'hold', id::text, ARRAY[provider_id, receiver_id] FROM lapsed
  UNION ALL
  SELECT 'availability', m.region, ARRAY[receiver_id]
  FROM lapsed JOIN sites AS s ON s.id = lapsed.site_id
       JOIN municipalities AS m ON m.code = s.municipality
)
SELECT status FROM lapsed
""")


async def sweep(tx: Transaction) -> int:
    """Note the holds that ran out and tell their sides; return how many there were."""
    for statement in (_SWEEP_REFERRALS, _SWEEP_CLAIMS):
        await tx.run(statement, {"batch": BATCH})
    lapsed = await tx.rows(_SWEEP_HOLDS, {"batch": BATCH})
    tx.after_commit.append(partial(metrics.count_holds, [row.status for row in lapsed]))
    return len(lapsed)
