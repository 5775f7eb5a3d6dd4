"""Reminders: of what is due for those who wait, once; of what is overdue for somebody in an alternative, every day."""

from app.database import outbox
from app.database.transaction import Transaction
from app.reference import load
from app.referrals.store import waiting_rows
from app.referrals.store.waiting_rows import AT_ONCE, Unasked
from app.seal import Keyring, SealBroken


async def remind(
    tx: Transaction,
) -> bool:
    """Tell those concerned of what is due and not yet told, so many at once; return whether there may be more."""
    policy = (await tx.snapshots.reference(tx)).policy
    told = await waiting_rows.remind(tx, zone=load().country.time_zone)
    unasked = await waiting_rows.find_unasked(tx, hours=policy.safety_plan_hours)
    new = await waiting_rows.note_asked(tx, unasked)
    for one in unasked:
        if one.id in new and not _has_plan(one, tx.keyring):
            await outbox.add(tx, kind="reminder", subject=str(one.id), audience=[one.provider_id])
    return AT_ONCE in {told, len(unasked)}


def _has_plan(one: Unasked, keyring: Keyring) -> bool:
    try:
        key = keyring.unwrap(one.key, row=str(one.id))
        return bool(key.unseal_json(one.sealed, row=str(one.id))["safety_plan"])
    except SealBroken:
        return True  # nobody can see to it
