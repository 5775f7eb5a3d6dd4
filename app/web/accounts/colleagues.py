"""Colleagues: changes asked for accounts at the own provider, and vouching for one."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response

from app.accounts import account_changes, vouchings
from app.api.kit.disclosure import admit_apart, own_transaction
from app.api.kit.problems import status_of
from app.api.kit.wire import parse_id
from app.budgets import budgets
from app.database.caller import Role
from app.database.transaction import Transaction
from app.deps import PartsIn, Tx
from app.errors import Refusal
from app.referrals import shields
from app.web.accounts.proof import is_code_wrong
from app.web.page import AnyPage, PageIn

router = APIRouter(include_in_schema=False)

MOST = 50
"""Changes, colleagues and vouchings shown."""


@router.get("/colleagues")
async def show_colleagues(page: PageIn, tx: Tx) -> Response:
    """Show what waits for colleagues' accounts, what was decided of late, and who may vouch."""
    return page.show("colleagues.html", **await _values(tx))


@router.post("/colleagues/changes/{id}/refusal")
async def refuse_change(page: PageIn, tx: Tx, id: str) -> Response:
    """Refuse what an administrator asked for an account here."""
    await account_changes.refuse_change(tx, parse_id(id))
    return page.go("/colleagues")


@router.post("/colleagues/vouchings", dependencies=[Depends(admit_apart)])
async def vouch(
    request: Request,
    page: AnyPage,
    parts: PartsIn,
    account: Annotated[str, Form(max_length=40)] = "",
    code: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Vouch for a colleague, and show the code to read to them only this once."""
    wrong_code = await is_code_wrong(request, parts, code=code)
    try:
        async with own_transaction(request) as tx:
            made = await vouchings.vouch(tx, parse_id(account))
            shown: dict[str, Any] = await _values(tx) | {"made": made}
    except Refusal as refusal:
        async with own_transaction(request) as tx:
            shown = await _values(tx)
        shown |= {"refusal": refusal, "wrong_code": wrong_code}
        return page.show("colleagues.html", status=status_of(refusal), **shown)
    return page.show("colleagues.html", **shown)


@router.post("/colleagues/vouchings/{id}/ending")
async def end_vouching(page: PageIn, tx: Tx, id: str) -> Response:
    """End what a colleague vouched for, at once."""
    await vouchings.end_vouching(tx, parse_id(id))
    return page.go("/colleagues")


async def _values(tx: Transaction) -> dict[str, Any]:
    changes = await account_changes.list_changes(tx, limit=MOST)
    people = await shields.colleagues(tx, limit=MOST, after=None)
    return {
        "waiting": [one for one in changes if one.waits],
        "decided": [one for one in changes if not one.waits],
        "keeps_accounts": tx.caller.has(Role.COORDINATOR),
        "proved": await budgets.proved_lately(tx),
        "people": [
            one
            for one in people
            if one.account_id != tx.caller.account_id and Role.INTAKE_WORKER in one.roles
        ],
        "vouchings": await vouchings.list_vouchings(tx, limit=MOST),
        "at": tx.at,
        "made": None,
        "refusal": None,
        "wrong_code": False,
    }
