"""Alternatives that the provider answers for, and its capacity to help at home."""

from fastapi import APIRouter, Response

from app.api.kit.wire import parse_id
from app.api.referrals.alternatives import CapacityWanted, CheckWanted, EndingWanted
from app.deps import Tx
from app.referrals import alternatives
from app.web.language import _
from app.web.page import PageIn
from app.web.places.answers import say, show_sheet
from app.web.places.forms import FormIn, parse, require

router = APIRouter(include_in_schema=False)


@router.post("/places/alternatives/{id}/check")
async def check_alternative(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Note a check on a household in an alternative."""
    wanted = require(CheckWanted, {"outcome": form.one("outcome")})
    await alternatives.note_check(tx, parse_id(id), outcome=wanted.outcome)
    if wanted.outcome == alternatives.WELL:
        return say(page, _("Noted: they are well."))
    return say(page, _("Noted. Their own desk is warned now; try again as soon as you can."))


@router.post("/places/alternatives/{id}/ending")
async def end_alternative(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """End an alternative, with a reason."""
    wanted = require(EndingWanted, {"reason": form.one("reason")})
    await alternatives.end_alternative(tx, parse_id(id), reason=wanted.reason)
    return say(page, _("Ended. Their own desk can see it."))


@router.get("/places/capacity")
async def show_capacity(
    page: PageIn,
    tx: Tx,
) -> Response:
    """Show how many households the provider can help at home."""
    known = await alternatives.capacity(tx)
    return show_sheet(
        page, "places/_capacity.html", values={"capacity": known.capacity}, known=known, faults={}
    )


@router.post("/places/capacity")
async def publish_capacity(page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Publish how many households the provider can help at home."""
    wanted, faults = parse(CapacityWanted, {"capacity": form.number("capacity")})
    if wanted is None:
        known = await alternatives.capacity(tx)
        return show_sheet(
            page,
            "places/_capacity.html",
            status=400,
            values=form.values,
            known=known,
            faults=faults,
        )
    await alternatives.set_capacity(tx, capacity=wanted.capacity)
    return say(page, _("Published. Every intake desk can see it."))
