"""The endpoints that reveal an address: logged before it is read, never kept or resent."""

from collections.abc import Mapping

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from app.api.kit.disclosure import UNLOGGED, admit_apart, own_transaction, require_log
from app.api.kit.known_codes import RevealPurpose
from app.api.kit.wire import In, Line, Out, parse_id, parse_optional_id
from app.errors import Conflict, Missing
from app.registry import address, sender_address
from app.registry.address import AddressQuestion
from app.registry.sender_address import SenderQuestion
from app.words import N_

router = APIRouter()

NO_LOG = N_("The access log is out of reach, so no address is shown; try again in a moment.")


class RevealWanted(In):
    """Why the address is needed, and for whom."""

    purpose: RevealPurpose = Field(examples=["warm_handover"])
    referral_id: Line | None = Field(
        default=None, description="For which referral, where it is for one."
    )


class SenderRevealWanted(In):
    """Why the address is needed."""

    purpose: RevealPurpose = Field(examples=["transport"])


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
    description="Return an address to the owner of the site.\n\n"
    "For the purpose `approval` it is the one that waits for approval, for a coordinator who may "
    "give that; for every other, the one that stands.\n\n"
    "Every question is logged, granted or not. An Idempotency-Key has no effect here.",
)
async def reveal(id: str, wanted: RevealWanted, request: Request) -> Response:
    """Reveal an address to the owner of the site."""
    question = AddressQuestion(parse_id(id), wanted.purpose, parse_optional_id(wanted.referral_id))
    return _answer(await reveal_address(request, question))


@router.post(
    "/placements/{id}/address-reveals",
    response_model=RevealOut,
    operation_id="revealAddressOfPlacement",
    summary="Where they are on their way to",
    dependencies=[Depends(admit_apart)],
    description="Return, to the desk that sent them, the address to which a household is on its "
    "way.\n\n"
    "For an account that registered, ranked, held, confirmed or noted a contact of the referral, "
    "or took it over, with a second factor proved lately (a bearer token is fresh for as long "
    "after it was made), within its weekly budget of confidential sites. Every refusal names the "
    "owner's switchboard. Every question is logged. An Idempotency-Key has no effect here.",
)
async def reveal_to_sender(id: str, wanted: SenderRevealWanted, request: Request) -> Response:
    """Reveal to its sender the address to which a household is on its way."""
    question = SenderQuestion(parse_id(id), wanted.purpose)
    return _answer(await reveal_sender_address(request, question))


def _answer(found: Mapping[str, str]) -> Response:
    response = RevealOut(address=AddressOut(**found)).reply()
    response.headers["Cache-Control"] = "no-store"
    return response


async def reveal_sender_address(request: Request, question: SenderQuestion) -> Mapping[str, str]:
    """Return the address of a placement once the question has been logged, or refuse."""
    with require_log(NO_LOG, standing=(*UNLOGGED, Conflict, Missing)):
        async with own_transaction(request) as tx:
            await sender_address.ask(tx, question)
    async with own_transaction(request) as tx:
        return await sender_address.reveal(tx, question)


async def reveal_address(request: Request, question: AddressQuestion) -> Mapping[str, str]:
    """Return an address once the question has been logged; else raise Missing."""
    with require_log(NO_LOG):
        async with own_transaction(request) as tx:
            refusal = await address.ask(tx, question)
    if refusal is not None:
        request.state.logged = True
        raise refusal
    async with own_transaction(request) as tx:
        return await address.reveal(tx, question)
