"""Changes to a referral that may have a place, which is checked again for safety."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.database import outbox
from app.database.transaction import Transaction
from app.errors import Conflict
from app.placing import holds, place_check
from app.placing.store import promises
from app.placing.swaps import swap_course
from app.referrals import referrals
from app.referrals.referrals import UnsealedReferral


async def change_referral(
    tx: Transaction, referral: UnsealedReferral, *, content: Mapping[str, Any]
) -> UnsealedReferral:
    """Change what is known of a locked referral, and check again that its place is safe."""
    changed = await referrals.change(tx, referral, content=content)
    await recheck_place(tx, changed)
    return changed


async def recheck_place(tx: Transaction, referral: UnsealedReferral) -> None:
    """Check a referral's place against what is known now; alarm both sides if that differs."""
    for promise in await promises.list_of_referral(tx, referral.id):
        check = await place_check.check_place(tx, promise.place_id, referral.content)
        if bool(check.unsafe) != promise.unsafe:
            await promises.mark_safety(tx, promise, unsafe=bool(check.unsafe))
            await outbox.add(
                tx,
                kind="alarm",
                subject=str(promise.id),
                audience=[promise.provider_id, promise.receiver_id],
            )


async def withdraw_referral(tx: Transaction, referral_id: UUID, *, reason: str) -> UnsealedReferral:
    """Close a referral that needs no place, and release its hold; again changes nothing."""
    swap = await swap_course.lock_swap_of(tx, referral_id)
    referral = await referrals.read(tx, referral_id, lock=True)
    if referral.status == "withdrawn":
        return referral
    if referral.status not in {"open", "held"}:
        raise Conflict("referral_not_open", "This referral has a placement, or is closed.")
    if referral.case.hold_id is not None:
        await holds.release_for_withdrawal(tx, referral.case.hold_id)
    await swap_course.end_proposed(tx, swap)
    await referrals.close(tx, referral_id, because=reason)
    return await referrals.read(tx, referral_id)
