"""Withdrawing a referral that no longer needs a place."""

from uuid import UUID

from app.database.transaction import Transaction
from app.errors import Conflict
from app.placing import holds
from app.placing.swaps import swap_course
from app.referrals import referrals
from app.referrals.referrals import UnsealedReferral
from app.referrals.store import referral_rows


async def withdraw(
    tx: Transaction,
    referral_id: UUID,
) -> UnsealedReferral:
    """Close a referral; a live hold is released with it. Withdrawing twice changes nothing."""
    course = await swap_course.lock_swap_of(tx, referral_id)
    referral = await referrals.read(tx, referral_id, lock=True)
    if referral.status == "withdrawn":
        return referral
    if referral.status not in {"open", "held"}:
        raise Conflict("referral_not_open", "This referral has a placement, or is closed.")
    if referral.case.hold_id is not None:
        await holds.release_withdrawn(tx, referral.case.hold_id)
    await swap_course.end_proposed(tx, course)
    await referral_rows.set_status(tx, referral_id, "withdrawn")
    return await referrals.read(tx, referral_id)
