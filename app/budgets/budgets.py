"""Budgets of an account: use, read and raise them, and tell who has to hear of a raise."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from app.budgets.store import budget_rows
from app.budgets.store.budget_rows import AlarmRow, BudgetRow, RaiseRow
from app.database import access_log
from app.database.connections.spent_budgets import SPENT
from app.database.transaction import Transaction
from app.errors import BudgetSpent, Conflict, Missing, UnprovedFactor

RANKINGS, CONFIDENTIAL_SITES = "rankings", "confidential_sites"
RAISE, BUDGET = "raise", "budget"
"""The action and the object as the access log names them."""
KEPT = timedelta(days=8)
"""How long a use is kept: longer than any counts."""
TOLD = timedelta(days=7)
"""How long administrators are shown an alarm."""


async def check_budget(tx: Transaction, kind: str, *, times: int = 1) -> None:
    """Refuse if a budget of the caller is spent; use nothing of it."""
    if wait_s := await budget_rows.wait_s(tx, kind, times=times):
        raise BudgetSpent(*SPENT[kind], retry_after=wait_s)


async def spend_budget(
    tx: Transaction, kind: str, *, subject: UUID | None = None, times: int = 1
) -> None:
    """Use a budget of the caller.

    Something with a `subject` counts once however often it is used. Raises BudgetSpent.
    """
    if times:
        await budget_rows.spend(tx, kind, subject=subject, times=times)


async def proved_lately(tx: Transaction) -> bool:
    """Whether the caller proved a second factor within the policy's minutes."""
    return await budget_rows.proved_lately(tx, tx.caller.token_id)


async def raise_budget(tx: Transaction, account_id: UUID | None, *, reason: str) -> RaiseRow:
    """Double the budgets of an account, the caller's own if none is named.

    The whole desk and the administrators see it at once. Raises Missing for an account of another
    desk, Forbidden without a second factor for one's own, Conflict where it was done already.
    """
    of_account = tx.caller.account_id if account_id is None else account_id
    id_ = uuid4()
    outcome = await budget_rows.raise_budget(
        tx, id_, account_id=of_account, token_id=tx.caller.token_id, reason=reason
    )
    if outcome == "missing":
        raise Missing
    if outcome == "unproved":
        raise UnprovedFactor
    if outcome == "already":
        raise Conflict(
            "budget_raised_already",
            "You have raised this budget already. A colleague or an administrator can raise it"
            " further.",
        )
    made = await budget_rows.read_raise(tx, id_)
    assert made is not None  # noqa: S101 - made a moment ago, and visible to who made it
    entry = tx.caller.entry(RAISE, BUDGET, of_account, purpose=reason)
    await access_log.add_notice(tx, entry, provider_id=made.provider_id)
    return made


async def list_raises(
    tx: Transaction, *, limit: int, after: tuple[datetime, UUID] | None = None
) -> list[RaiseRow]:
    """Return the raises of the caller's desk, or for administrators of all, newest first."""
    return await budget_rows.list_raises(tx, limit=limit, after=after)


async def list_alarms(tx: Transaction) -> list[AlarmRow]:
    """Return the desks that reached their budget of holds in the last days, newest first."""
    return await budget_rows.list_alarms(tx, since=tx.at - TOLD)


async def read_own(tx: Transaction) -> list[BudgetRow]:
    """Return how much of each budget the caller and their desk have used."""
    return await budget_rows.read_own(tx)


async def prune_uses(tx: Transaction) -> None:
    """Forget uses that count no more."""
    await budget_rows.prune(tx, kept=KEPT)
