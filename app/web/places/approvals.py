"""What waits for approval: for the coordinators of its provider, and for administrators."""

from collections.abc import Mapping
from uuid import UUID

from fastapi import APIRouter, Response

from app.api.kit.wire import parse_id
from app.api.registry import approvals
from app.database.caller import Role
from app.deps import Tx
from app.errors import Invalid
from app.registry import proposals
from app.web.page import PageIn
from app.web.places import view
from app.web.places.forms import FormFields, FormIn

router = APIRouter(include_in_schema=False)

YES, NO = "yes", "no"


@router.get("/approvals")
async def show_awaited(page: PageIn, tx: Tx) -> Response:
    """Show what waits for approval."""
    names: Mapping[str, str] = {}
    if tx.caller.has(Role.COORDINATOR):
        names = {str(site.id): site.name for site in await view.list_own_sites(tx)}
    return page.show(
        "places/approvals.html",
        awaited=await approvals.read_awaited(tx),
        names=names,
        provider_id=str(tx.caller.provider_id),
        reference=await tx.snapshots.reference(tx),
    )


@router.post("/approvals")
async def decide(page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Approve or reject what was looked at: all of it, or nothing."""
    answer = form.one("approve")
    if answer not in {YES, NO}:
        raise Invalid
    await proposals.decide_each(tx, _read_proposals(form), approve=answer == YES)
    return page.go("/approvals")


def _read_proposals(form: FormFields) -> Mapping[UUID, UUID | None]:
    """Return by site the proposal that was looked at."""
    pairs = [one.partition(" ") for one in form.many("proposal")]
    return {parse_id(site): parse_id(proposal) for site, _, proposal in pairs}
