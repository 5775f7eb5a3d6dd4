"""Swaps: yes or no to the own legs."""

from fastapi import APIRouter, Response

from app.api.kit.wire import parse_id
from app.api.placing.swaps import ConsentWanted, RefusalWanted
from app.deps import Tx
from app.placing.swaps import proposals
from app.placing.swaps.proposals import Consent
from app.web.language import _
from app.web.page import PageIn
from app.web.places.answers import said
from app.web.places.forms import FormIn, required

router = APIRouter(include_in_schema=False)


@router.post("/places/swaps/{id}/consent")
async def consent(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Say yes to one side of one leg."""
    wanted = required(ConsentWanted, {"legId": form.one("leg"), "as": form.one("as")})
    given = Consent(parse_id(wanted.leg_id), wanted.as_)
    shown = await proposals.consent_to_leg(tx, parse_id(id), given)
    if shown.swap.status == "reserved":
        return said(page, _("Everybody said yes: all the places of this swap are reserved."))
    return said(page, _("Your yes is noted. The swap waits for the others."))


@router.post("/places/swaps/{id}/refusal")
async def refuse(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Say no to a swap, with a reason."""
    wanted = required(RefusalWanted, {"reason": form.one("reason")})
    await proposals.refuse_swap(tx, parse_id(id), reason=wanted.reason)
    return said(page, _("You said no. The swap ends for all, and nobody moves."))
