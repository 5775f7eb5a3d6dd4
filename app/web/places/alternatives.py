"""Who is looked after elsewhere, and how many households can be helped where they are."""

from fastapi import APIRouter, Response

from app.api.kit.wire import parse_id
from app.api.referrals.alternatives import CapacityWanted, CheckWanted, EndingWanted
from app.deps import Tx
from app.referrals import alternatives
from app.web.language import _
from app.web.page import PageIn
from app.web.places.answers import said, sheet
from app.web.places.forms import FormIn, read, required

router = APIRouter(include_in_schema=False)


@router.post("/places/alternatives/{id}/check")
async def check(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Say how a household is that has an alternative."""
    wanted = required(CheckWanted, {"outcome": form.one("outcome")})
    await alternatives.note_check(tx, parse_id(id), outcome=wanted.outcome)
    if wanted.outcome == alternatives.WELL:
        return said(page, _("Noted: they are well."))
    return said(page, _("Noted. Their own desk is warned now; try again as soon as you can."))


@router.post("/places/alternatives/{id}/ending")
async def end(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """End an alternative, with a reason."""
    wanted = required(EndingWanted, {"reason": form.one("reason")})
    await alternatives.end_alternative(tx, parse_id(id), reason=wanted.reason)
    return said(page, _("Ended. Their own desk can see it."))


@router.get("/places/capacity")
async def capacity(
    page: PageIn,
    tx: Tx,
) -> Response:
    """Show how many households can be helped where they are."""
    known = await alternatives.capacity(tx)
    return sheet(
        page, "places/_capacity.html", values={"capacity": known.capacity}, known=known, faults={}
    )


@router.post("/places/capacity")
async def publish(page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Say how many that can be."""
    wanted, faults = read(CapacityWanted, {"capacity": form.number("capacity")})
    if wanted is None:
        known = await alternatives.capacity(tx)
        return sheet(
            page,
            "places/_capacity.html",
            status=400,
            values=form.values,
            known=known,
            faults=faults,
        )
    await alternatives.set_capacity(tx, capacity=wanted.capacity)
    return said(page, _("Published. Every intake desk can see it."))
