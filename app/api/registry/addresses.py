"""The one endpoint that shows an address. It is logged before it is read, it is never kept, and never sent twice."""

from collections.abc import Mapping

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from app.api.kit.known import RevealPurpose
from app.api.kit.logged_first import admitted, apart, no_log_no_look
from app.api.kit.wire import In, Line, Out, parse, parse_optional
from app.errors import Missing
from app.registry import address
from app.registry.address import AddressQuestion
from app.words import N_

router = APIRouter()

NO_LOG = N_("The access log is out of reach, so no address is shown; try again in a moment.")


class RevealWanted(In):
    """Why the address is needed, and for whom."""

    purpose: RevealPurpose = Field(examples=["warm_handover"])
    referral_id: Line | None = Field(
        default=None, description="For which referral, where it is for one."
    )


class AddressOut(Out):
    """Where a site is."""

    street: str
    postcode: str
    city: str


class RevealOut(Out):
    """An address, for this once."""

    address: AddressOut


@router.post(
    "/sites/{id}/address-reveals",
    response_model=RevealOut,
    operation_id="revealAddress",
    summary="The address of a site",
    dependencies=[Depends(admitted)],
)
async def reveal_address(id: str, wanted: RevealWanted, request: Request) -> Response:
    """Return an address to its owner, or to whoever has a hold or placement there that a person accepted.

    Every question is logged, granted or not. An Idempotency-Key has no effect here.
    """
    question = AddressQuestion(parse(id), wanted.purpose, parse_optional(wanted.referral_id))
    found = await revealed(request, question)
    response = RevealOut(address=AddressOut(**found)).reply()
    response.headers["Cache-Control"] = "no-store"
    return response


async def revealed(request: Request, question: AddressQuestion) -> Mapping[str, str]:
    """Return the address that somebody asked for, once that has been written down; else raise Missing."""
    with no_log_no_look(NO_LOG):
        async with apart(request) as tx:
            granted = await address.ask(tx, question)
    if not granted:
        request.state.logged = True
        raise Missing
    async with apart(request) as tx:
        return await address.reveal(tx, question)
