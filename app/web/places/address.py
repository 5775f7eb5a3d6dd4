"""The one page that shows an address: logged before it is read, shown once, in front of the board."""

from fastapi import APIRouter, Depends, Request, Response

from app.api.addresses import NO_LOG, RevealWanted
from app.api.ids import parse
from app.api.logged_first import admitted, entered, no_log_no_look
from app.deps import PartsIn
from app.errors import Missing
from app.services import address
from app.services.address import Question
from app.web.page import Page
from app.web.places.answers import sheet
from app.web.places.forms import FormIn, required

router = APIRouter(include_in_schema=False)


@router.post("/places/site/{id}/address", dependencies=[Depends(admitted)])
async def reveal(id: str, request: Request, parts: PartsIn, form: FormIn) -> Response:
    """Show the address of an own site, for a purpose."""
    wanted = required(RevealWanted, {"purpose": form.one("purpose")})
    question = Question(parse(id), wanted.purpose, None)
    with no_log_no_look(NO_LOG):
        async with entered(request, parts) as (tx, caller):
            granted = await address.ask(tx, caller, question)
    if not granted:
        request.state.logged = True
        raise Missing
    async with entered(request, parts) as (tx, caller):
        found = await address.reveal(tx, caller, question, keyring=parts.keyring)
    return sheet(Page(request), "places/_address.html", address=found)
