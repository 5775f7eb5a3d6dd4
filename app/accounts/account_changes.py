"""Changes of accounts at a provider: asked for, refused, and when they take effect.

What an administrator asks for waits for the policy's hours; the database decides, in one function
(`takes_effect_at`), and its rows decide between a refusal and the moment.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from app.accounts.sessions import ACCOUNT
from app.accounts.store import change_rows
from app.accounts.store.change_rows import ChangeRow
from app.accounts.store.staff_rows import AccountRow
from app.database import access_log
from app.database.transaction import Transaction
from app.errors import Conflict, Missing

INVITE, CHANGE, ENABLE, RESET = "invite", "change", "enable", "reset"
REFUSE = "refuse"
AT_ONCE = 50
"""How many take effect in one transaction at most."""


@dataclass(frozen=True, slots=True)
class AskedChange:
    """What was asked, and from when on it counts."""

    effective_at: datetime
    waits: bool


async def ask_change(
    tx: Transaction,
    account_id: UUID,
    act: str,
    *,
    wanted: AccountRow | None = None,
    invitation: tuple[bytes, timedelta] | None = None,
    purpose: str | None = None,
) -> AskedChange:
    """Ask for a change of an account, log it, and tell everyone at its provider.

    `invitation` is the hash of its code and how long it stays open. Raises Missing for an account
    that the caller does not keep.
    """
    asked = await change_rows.ask(
        tx, uuid4(), account_id=account_id, act=act, wanted=wanted, invitation=invitation
    )
    if asked is None:
        raise Missing
    await log_act(tx, act, account_id, purpose=purpose, told_id=asked.told_id)
    return AskedChange(asked.effective_at, asked.waits)


async def refuse_change(tx: Transaction, change_id: UUID) -> ChangeRow:
    """Refuse a change at the caller's provider: it never takes effect.

    Raises Missing for another provider's, and Conflict where something was quicker.
    """
    outcome = await change_rows.refuse(tx, change_id)
    if outcome == "missing":
        raise Missing
    if outcome == "decided":
        raise Conflict("already_decided", "This has taken effect already, or does so no more.")
    (refused,) = await change_rows.list_seen(tx, change_id=change_id, limit=1)
    await log_act(tx, REFUSE, refused.account_id, purpose=refused.act, told_id=refused.provider_id)
    return refused


async def list_changes(
    tx: Transaction,
    *,
    limit: int,
    account_id: UUID | None = None,
    after: tuple[datetime, UUID] | None = None,
) -> list[ChangeRow]:
    """Return changes at the caller's provider, for administrators at all, the newest first."""
    return await change_rows.list_seen(tx, account_id=account_id, limit=limit, after=after)


async def let_due_take_effect(tx: Transaction) -> bool:
    """Let changes take effect whose moment has come; return whether there may be more."""
    return await change_rows.let_due_take_effect(tx, most=AT_ONCE) == AT_ONCE


async def log_act(
    tx: Transaction,
    action: str,
    account_id: UUID,
    *,
    purpose: str | None = None,
    told_id: UUID | None = None,
) -> None:
    """Write an act on an account in the log, and tell the provider whom it concerns."""
    if tx.identity is None:
        entry = access_log.of_actor(tx.actor, action, ACCOUNT, account_id, purpose=purpose)
        await access_log.add(tx, entry)
        return
    entry = tx.caller.entry(action, ACCOUNT, account_id, purpose=purpose, told_id=told_id)
    if told_id is None:
        await access_log.add(tx, entry)
    else:
        await access_log.add_notice(tx, entry, provider_id=told_id)
