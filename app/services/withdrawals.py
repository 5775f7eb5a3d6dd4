"""Withdrawing a referral that no longer needs a place."""

from uuid import UUID

from app.errors import Conflict
from app.seal import Keyring
from app.services import holds, referrals, swap_course
from app.services.caller import Caller
from app.services.referrals import Referral
from app.store import referrals as referral_rows
from app.store.database import Transaction


async def withdraw(tx: Transaction, caller: Caller, referral_id: UUID, *, keyring: Keyring) -> Referral:
    """Close a referral; a live hold is released with it. Withdrawing twice changes nothing."""
    course = await swap_course.of(tx, referral_id)
    referral = await referrals.read(tx, caller, referral_id, keyring=keyring, lock=True)
    if referral.status == "withdrawn":
        return referral
    if referral.status not in {"open", "held"}:
        raise Conflict("referral_not_open", "This referral has a placement, or is closed.")
    if referral.case.hold_id is not None:
        await holds.let_go(tx, caller, referral.case.hold_id)
    await swap_course.withdrawn(tx, course)
    await referral_rows.set_status(tx, referral_id, "withdrawn")
    return await referrals.read(tx, caller, referral_id, keyring=keyring)
