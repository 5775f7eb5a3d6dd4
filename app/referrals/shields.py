"""Shields: only named colleagues see a referral, name others, and remove its shield."""

from collections.abc import Sequence
from uuid import UUID

from app.database.transaction import Transaction
from app.errors import Fault, Forbidden, Invalid
from app.referrals import referrals
from app.referrals.referrals import UnsealedReferral
from app.referrals.store import shield_rows
from app.referrals.store.shield_rows import Colleague


async def colleagues(
    tx: Transaction, *, limit: int | None = None, after: tuple[str, UUID] | None = None
) -> list[Colleague]:
    """Return the accounts in use at the caller's provider, by name."""
    return await shield_rows.colleagues(tx, limit=limit, after=after)


async def name_colleagues(
    tx: Transaction,
    referral_id: UUID,
    *,
    wanted: Sequence[UUID],
    pointer: str,
) -> UnsealedReferral:
    """Let only these colleagues and the caller see a referral, in place of those named before.

    `pointer` says where the list stands in the input, for faults. A glass that was broken stays
    broken until its time is over.
    """
    referral = await _lock_shield(tx, referral_id)
    known = {colleague.account_id for colleague in await shield_rows.colleagues(tx)}
    faults = [
        Fault(f"{pointer}/{index}", "is not the account of a colleague")
        for index, account_id in enumerate(wanted)
        if account_id not in known
    ]
    if faults:
        raise Invalid(*faults)
    await shield_rows.name_colleagues(
        tx,
        referral_id,
        provider_id=tx.caller.provider,
        reference=referral.case.reference,
        accounts={tx.caller.account_id, *wanted},
    )
    return await referrals.read(tx, referral_id)


async def remove_shield(tx: Transaction, referral_id: UUID) -> None:
    """Let every colleague see a referral again; without a shield nothing changes."""
    await _lock_shield(tx, referral_id)
    await shield_rows.remove_shield(tx, referral_id, provider_id=tx.caller.provider)


async def _lock_shield(tx: Transaction, referral_id: UUID) -> UnsealedReferral:
    """Return a referral whose shield the caller may change, locked against others.

    A named colleague may change it. When none of them works here any more, a colleague who has
    broken the glass may, so that one person can always take over.
    """
    await shield_rows.lock_provider(tx, tx.caller.provider)
    referral = await referrals.read(tx, referral_id, lock=True)
    named = await shield_rows.named_colleagues(tx, referral_id)
    if named and tx.caller.account_id not in named:
        at_work = {colleague.account_id for colleague in await shield_rows.colleagues(tx)}
        if not at_work.isdisjoint(named):
            raise Forbidden("Only colleagues who are named may change that.", code="not_named")
    return referral
