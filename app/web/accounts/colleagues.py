"""Colleagues: what is asked for accounts at the own provider, and refusing it."""

from fastapi import APIRouter, Response

from app.accounts import account_changes
from app.api.kit.wire import parse_id
from app.database.caller import Role
from app.deps import Tx
from app.web.page import PageIn

router = APIRouter(include_in_schema=False)

MOST = 50
"""Changes shown, the newest first."""


@router.get("/colleagues")
async def show_colleagues(page: PageIn, tx: Tx) -> Response:
    """Show what waits for colleagues' accounts, and what was decided of late."""
    changes = await account_changes.list_changes(tx, limit=MOST)
    return page.show(
        "colleagues.html",
        waiting=[one for one in changes if one.waits],
        decided=[one for one in changes if not one.waits],
        keeps_accounts=tx.caller.has(Role.COORDINATOR),
        own_id=tx.caller.account_id,
    )


@router.post("/colleagues/changes/{id}/refusal")
async def refuse_change(page: PageIn, tx: Tx, id: str) -> Response:
    """Refuse what an administrator asked for an account here."""
    await account_changes.refuse_change(tx, parse_id(id))
    return page.go("/colleagues")
