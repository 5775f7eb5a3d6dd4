"""The page of budgets: what is used, who raised one, and the press that raises it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import TypeAdapter, ValidationError

from app.api.kit import known_codes
from app.api.kit.disclosure import admit_apart, own_transaction
from app.api.kit.problems import status_of
from app.api.kit.wire import parse_optional_id
from app.budgets import budgets
from app.database.caller import Role
from app.database.transaction import Transaction
from app.deps import PartsIn, Tx
from app.errors import Fault, Invalid, Refusal
from app.reference import load
from app.referrals import shields
from app.referrals.shields import Colleague
from app.web.accounts.proof import is_code_wrong
from app.web.page import AnyPage, PageIn

router = APIRouter(include_in_schema=False)

MOST = 50
"""Raises shown, newest first."""
REASON = TypeAdapter[str](known_codes.BudgetReason)


@router.get("/budgets")
async def show_budgets(page: PageIn, tx: Tx) -> Response:
    """Show the caller's budgets, and who raised one."""
    return page.show("budgets.html", **await _values(tx))


@router.post("/budgets", dependencies=[Depends(admit_apart)])
async def raise_budget(
    request: Request,
    page: AnyPage,
    parts: PartsIn,
    reason: Annotated[str, Form(max_length=60)] = "",
    account: Annotated[str, Form(max_length=40)] = "",
    code: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Raise a budget, after proving the second factor where a code was typed."""
    wrong_code = await is_code_wrong(request, parts, code=code)
    try:
        because = REASON.validate_python(reason)
    except ValidationError:
        raise Invalid(Fault("/reason", "is not a known code")) from None
    try:
        async with own_transaction(request) as tx:
            await budgets.raise_budget(tx, parse_optional_id(account or None), reason=because)
    except Refusal as refusal:
        async with own_transaction(request) as tx:
            shown = await _values(tx)
        shown |= {"refusal": refusal, "named": bool(account), "wrong_code": wrong_code}
        return page.show("budgets.html", status=status_of(refusal), **shown)
    return page.go("/budgets")


async def _values(tx: Transaction) -> dict[str, Any]:
    caller = tx.caller
    works = caller.provider_id is not None
    return {
        "own": await budgets.read_own(tx) if works else [],
        "proved": await budgets.proved_lately(tx),
        "colleagues": await _list_colleagues(tx) if works else [],
        "raises": await budgets.list_raises(tx, limit=MOST),
        "alarms": await budgets.list_alarms(tx),
        "administrator": caller.has(Role.ADMINISTRATOR),
        "providers": await tx.snapshots.providers(tx),
        "codes": load().codes,
        "refusal": None,
        "named": False,
        "wrong_code": False,
    }


async def _list_colleagues(tx: Transaction) -> list[Colleague]:
    """Return the colleagues who work at the desk, by name."""
    found = await shields.colleagues(tx, limit=MOST, after=None)
    return [
        one
        for one in found
        if one.account_id != tx.caller.account_id and Role.INTAKE_WORKER in one.roles
    ]
