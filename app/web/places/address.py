"""The one page that shows an address.

Logged before it is read, shown once, in front of the board.
"""

from fastapi import APIRouter, Depends, Request, Response

from app.api.kit.disclosure import admit_apart
from app.api.kit.wire import parse_id
from app.api.registry.addresses import RevealWanted, reveal_address
from app.registry.address import AddressQuestion
from app.web.page import Page
from app.web.places.answers import sheet
from app.web.places.forms import FormIn, required

router = APIRouter(include_in_schema=False)


@router.post("/places/site/{id}/address", dependencies=[Depends(admit_apart)])
async def reveal(id: str, request: Request, form: FormIn) -> Response:
    """Show the address of an own site, for a purpose."""
    wanted = required(RevealWanted, {"purpose": form.one("purpose")})
    question = AddressQuestion(parse_id(id), wanted.purpose, None)
    found = await reveal_address(request, question)
    return sheet(Page(request), "places/_address.html", address=found)
