"""The endpoint that reveals an address: logged before it is read, never kept or resent."""

from collections.abc import Mapping

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from app.api.kit.disclosure import admit_apart, own_transaction, require_log
from app.api.kit.known import RevealPurpose
from app.api.kit.wire import In, Line, Out, parse_id, parse_optional_id
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
    dependencies=[Depends(admit_apart)],
    description="Return an address to its owner, or to whoever has a hold or placement there that "
    "a person accepted.\n\n"
    "Every question is logged, granted or not. An Idempotency-Key has no effect here.",
)
async def reveal(id: str, wanted: RevealWanted, request: Request) -> Response:
    """Reveal an address to its owner, or to a sender whom a person accepted."""
    question = AddressQuestion(parse_id(id), wanted.purpose, parse_optional_id(wanted.referral_id))
    found = await reveal_address(request, question)
    response = RevealOut(address=AddressOut(**found)).reply()
    response.headers["Cache-Control"] = "no-store"
    return response


async def reveal_address(request: Request, question: AddressQuestion) -> Mapping[str, str]:
    """Return an address once the question has been logged; else raise Missing."""
    with require_log(NO_LOG):
        async with own_transaction(request) as tx:
            granted = await address.ask(tx, question)
    if not granted:
        request.state.logged = True
        raise Missing
    async with own_transaction(request) as tx:
        return await address.reveal(tx, question)
