"""Break the glass: look at a shielded referral for a while; its coordinators hear of it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.database import access_log
from app.database.caller import REFUSED, AccessEntry, Caller
from app.database.transaction import Transaction
from app.errors import Conflict, TooOften
from app.referrals.store import shield_rows
from app.referrals.store.shield_rows import GlassRequest, ShieldedReferral

BREAK_GLASS = "break_glass"
"""The action in the access log."""
TRIES_PER_HOUR = 10
"""Tries by one account, granted or not: references must not be guessed."""


@dataclass(frozen=True, slots=True)
class BrokenGlass:
    """A broken glass: `event` is the access log's entry, `until` ends the look."""

    event: int
    referral_id: UUID
    until: datetime


class AlreadyNamed(Conflict):
    """A refusal: named colleagues need to break no glass."""

    def __init__(self) -> None:
        super().__init__("already_named", "You are one of those who may see this referral.")


async def break_glass(tx: Transaction, reference: str, *, reason: str) -> BrokenGlass | None:
    """Open a shielded referral to the caller for a while; None if there is no such referral.

    Granted or not, it is logged; if granted, the provider's coordinators are told. All of it is
    one transaction: nothing is seen before the commit, and without a log entry there is no look.

    Raises TooOften for an account that has used up its tries of this hour.
    """
    await shield_rows.lock_provider(tx, tx.caller.provider)
    wait_s = await access_log.wait(
        tx, tx.caller.account_id, action=BREAK_GLASS, most=TRIES_PER_HOUR, tries=True
    )
    if wait_s:
        raise TooOften(retry_after=wait_s)
    found = await shield_rows.find_by_reference(tx, reference, provider_id=tx.caller.provider)
    if found is not None and tx.caller.account_id in found.named:
        raise AlreadyNamed
    entry = _entry(tx.caller, found, reason=reason)
    if found is None:
        await access_log.add(tx, entry)
        return None
    event = await access_log.add_notice(tx, entry, provider_id=tx.caller.provider)
    policy = (await tx.snapshots.reference(tx)).policy
    glass = GlassRequest(
        referral_id=found.referral_id,
        account_id=tx.caller.account_id,
        provider_id=tx.caller.provider,
        reference=reference,
        because=reason,
        minutes=policy.break_glass_minutes,
    )
    until = await shield_rows.break_glass(tx, glass)
    return BrokenGlass(event, found.referral_id, until)


def _entry(caller: Caller, found: ShieldedReferral | None, *, reason: str) -> AccessEntry:
    if found is None:
        return caller.entry(BREAK_GLASS, "referral", None, outcome=REFUSED, purpose=reason)
    return caller.entry(
        BREAK_GLASS,
        "referral",
        found.referral_id,
        purpose=reason,
        referral_ids=(found.referral_id,),
    )
