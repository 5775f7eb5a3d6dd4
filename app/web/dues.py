"""What is due: the list on the first page of each role, and the way to what it is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from app.api.kit.wire import parse_id
from app.database.caller import Caller, Role
from app.database.transaction import Transaction
from app.deps import Tx
from app.dues import dues
from app.dues.dues import DueView
from app.registry import sites
from app.web.menu import home_of
from app.web.page import PageIn

router = APIRouter(include_in_schema=False)

PART = "dues/_list.html"
MOST, AT_ONCE = 200, 12
"""How many dues are read, and how many are shown before the others are folded away."""
SOON = timedelta(hours=24)
"""How long before its moment a due is shown as one to come."""
ON_BOARD: Mapping[str, str] = {
    "hold_to_answer": "h",
    "expected_arrival": "a",
    "no_show_unchecked": "a",
    "planned_return": "l",
    "swap_consent": "w",
    "alternative_check": "e",
    "alternative_nights": "e",
    "site_to_confirm": "s",
}
"""By what the place of a subject on the board begins, for each kind that has one."""


@dataclass(frozen=True, slots=True)
class DuesToShow:
    """The dues that are the reader's work: those of now, and those to come within a day."""

    now: tuple[DueView, ...]
    later: tuple[DueView, ...]
    sites: Mapping[UUID, str]
    """The names of own sites that some are about."""


async def read_dues(tx: Transaction) -> Mapping[str, Any]:
    """Return what the list of dues shows."""
    found = await dues.list_for(tx, limit=MOST, after=None)
    shown = [due for due in found if due.to_do or due.row.due_at <= tx.at + SOON]
    about_sites = any(due.row.kind.startswith("site_") for due in shown)
    names: Mapping[UUID, str] = {}
    if about_sites and tx.caller.has(Role.COORDINATOR):
        names = {site.id: site.name for site in await sites.list_own(tx, limit=MOST, after=None)}
    listed = DuesToShow(
        tuple(due for due in shown if due.to_do),
        tuple(due for due in shown if not due.to_do),
        names,
    )
    return {"dues": listed, "dues_at_once": AT_ONCE}


@router.get("/dues")
async def renew_dues(page: PageIn, tx: Tx) -> Response:
    """Show the list again after a change; by itself it is no page."""
    if not page.partial:
        return page.go(home_of(tx.caller.roles))
    return page.show(PART, **await read_dues(tx))


@router.get("/dues/{id}")
async def open_due(id: str, page: PageIn, tx: Tx) -> Response:
    """Note that the reader has seen a due, and lead to what it is about.

    Where no page shows that to the reader, it has not been seen.
    """
    found = await dues.read(tx, parse_id(id))
    path = _path_of(found, tx.caller)
    if path != home_of(tx.caller.roles):
        await dues.see_due(tx, found.row.id)
    return page.go(path)


@router.post("/dues/{id}/taking")
async def take_due(id: str, page: PageIn, tx: Tx) -> Response:
    """Note that the reader sees to a due, and show the list again."""
    await dues.take_due(tx, parse_id(id))
    if not page.partial:
        return page.go(home_of(tx.caller.roles))
    return page.show(PART, **await read_dues(tx))


def _path_of(due: DueView, caller: Caller) -> str:
    """Return the page of a due's subject for a reader: of own households the referral's page."""
    row = due.row
    if row.kind == "site_to_approve":
        return "/approvals"
    is_own = row.referral_id is not None and row.desk_id == caller.provider_id
    if is_own and caller.has(Role.INTAKE_WORKER):
        return f"/find/{row.referral_id}"
    if caller.has(Role.COORDINATOR):
        return (
            f"/places#{ON_BOARD[row.kind]}-{row.subject_id}" if row.kind in ON_BOARD else "/places"
        )
    return home_of(caller.roles)
