"""Budgets on the wire: what is used of the caller's own, and raises."""

from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.kit.known_codes import BudgetReason
from app.api.kit.lists import ListIn, moment_and_id
from app.api.kit.once import OnceIn
from app.api.kit.wire import Id, In, Line, Out, parse_optional_id
from app.budgets import budgets
from app.deps import Tx

router = APIRouter(tags=["Budgets"])


class RaiseWanted(In):
    """Whose budgets are doubled, and why."""

    account: Line | None = Field(
        default=None,
        description="Of the own desk, or for an administrator any; left out: the own.",
    )
    reason: BudgetReason = Field(examples=["many_at_once"])


class RaiseOut(Out):
    """A doubling of an account's budgets, until then."""

    id: Id
    account: Id = Field(validation_alias="account_id")
    provider_id: Id
    raised_by: Id
    by: str = Field(validation_alias="as_what", description="oneself, colleague or administrator")
    reason: str
    at: datetime
    until: datetime


class RaiseList(Out):
    """A page of raises."""

    items: list[RaiseOut]
    next_cursor: str | None


class BudgetOut(Out):
    """How much of a budget is used, and how much there is."""

    budget: str = Field(
        validation_alias="kind",
        description="referrals, rankings, holds, desk_holds or confidential_sites",
    )
    used: int
    most: int


class BudgetList(Out):
    """The budgets of the caller."""

    items: list[BudgetOut]


@router.get("/budgets", response_model=BudgetList, summary="The own budgets")
async def list_budgets(tx: Tx) -> Response:
    """Say how much of each budget the caller and their desk have used."""
    return BudgetList(items=[BudgetOut.of(row) for row in await budgets.read_own(tx)]).reply()


@router.post(
    "/budget-raises",
    status_code=201,
    response_model=RaiseOut,
    summary="Raise a budget",
    description="Double the budgets of an account for the policy's hours: one's own, once in that "
    "time and with a second factor proved lately; those of a colleague; or as an administrator "
    "any.\n\n"
    "The whole desk and the administrators see it at once.",
)
async def raise_budget(wanted: RaiseWanted, tx: Tx, once: OnceIn) -> Response:
    """Double the budgets of an account for the policy's hours."""
    made = await budgets.raise_budget(tx, parse_optional_id(wanted.account), reason=wanted.reason)
    return await once.keep(tx, RaiseOut.of(made).reply(201))


@router.get("/budget-raises", response_model=RaiseList, summary="Raised budgets")
async def list_budget_raises(tx: Tx, page: ListIn) -> Response:
    """List who raised budgets of the own desk, or for an administrator of all, newest first."""
    found = await budgets.list_raises(tx, limit=page.limit + 1, after=moment_and_id(page))
    return RaiseList.of(
        page.cut(found, place=lambda row: (row.at.isoformat(), str(row.id)))
    ).reply()
