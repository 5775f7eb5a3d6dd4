"""What is said of a budget that the database finds spent."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import asyncpg

from app.errors import BudgetSpent, Conflict, Refusal
from app.words import N_

BUDGET_SPENT = "PLB01"
"""The SQLSTATE with which `migrations/sql/budgets.sql` refuses."""
SPENT = {
    "referrals": (
        "referral_budget_spent",
        N_(
            "You have registered as many new referrals today as one account may. Raise your"
            " budget, or ask a colleague or an administrator to raise it."
        ),
    ),
    "rankings": (
        "ranking_budget_spent",
        N_(
            "You have seen as many rankings with offers today as one account may. Raise your"
            " budget, or ask a colleague or an administrator to raise it."
        ),
    ),
    "confidential_sites": (
        "address_budget_spent",
        N_(
            "You have seen as many confidential addresses this week as one account may. Raise your"
            " budget, ask a colleague or an administrator to raise it, or call the shelter."
        ),
    ),
    "holds": (
        "too_many_holds",
        N_(
            "You hold as many places of other providers as one account may. Give one back, raise"
            " your budget, or ask a colleague or an administrator to raise it."
        ),
    ),
    "desk_holds": (
        "too_many_holds",
        N_(
            "Your desk holds as many places of other providers as one desk may. Give one back, or"
            " ask a colleague or an administrator to raise the budget."
        ),
    ),
}
"""The code and the sentence of the refusal for each budget."""


@contextmanager
def refuse_spent_budgets() -> Generator[None]:
    """Say in the domain's words that a budget is spent."""
    try:
        yield
    except asyncpg.PostgresError as error:
        if getattr(error, "sqlstate", None) != BUDGET_SPENT:
            raise
        raise refusal_of(error) from error


def refusal_of(error: asyncpg.PostgresError) -> Refusal:
    """Return the refusal for a budget that the error names, with the seconds to wait, if any."""
    said: Any = error
    code, text = SPENT[said.message]
    wait_s: str | None = said.detail
    return Conflict(code, text) if not wait_s else BudgetSpent(code, text, retry_after=int(wait_s))
