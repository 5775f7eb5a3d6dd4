"""The one endpoint that shows an address. It is logged before it is read, it is never kept, and never sent twice."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from app.api.ids import parse, parse_optional
from app.api.known import RevealPurpose
from app.api.wire import In, Line, Out
from app.deps import Parts, PartsIn, caller_of, token_hash, transaction
from app.errors import Forbidden, Missing, Unauthenticated, Unavailable
from app.services import address
from app.services.address import Question
from app.services.caller import Caller
from app.store.database import Transaction

router = APIRouter()


class RevealWanted(In):
    """Why the address is needed, and for whom."""

    purpose: RevealPurpose = Field(examples=["warm_handover"])
    referral_id: Line | None = Field(default=None, description="For which referral, where it is for one.")


class AddressOut(Out):
    """Where a site is."""

    street: str
    postcode: str
    city: str


class RevealOut(Out):
    """An address, for this once."""

    address: AddressOut


async def _admitted(request: Request) -> None:
    """Let the caller in as every route does, and close that transaction again.

    What follows needs two transactions one after the other; a connection kept from here on would be a third held
    while waiting for more, and a small pool would run dry on it.
    """
    async with asynccontextmanager(transaction)(request):
        pass


@router.post(
    "/sites/{id}/address-reveals",
    response_model=RevealOut,
    operation_id="revealAddress",
    summary="The address of a site",
    dependencies=[Depends(_admitted)],
)
async def reveal_address(id: str, wanted: RevealWanted, request: Request, parts: PartsIn) -> Response:
    """Return an address to its owner, or to whoever has a hold or placement there that a person accepted.

    Every question is logged, granted or not. An Idempotency-Key has no effect here.
    """
    question = Question(parse(id), wanted.purpose, parse_optional(wanted.referral_id))
    if not await _logged(request, parts, question):
        raise Missing
    async with _entered(request, parts) as (tx, caller):
        found = await address.reveal(tx, caller, question, keyring=parts.keyring)
    response = RevealOut(address=AddressOut(**found)).reply()
    response.headers["Cache-Control"] = "no-store"
    return response


async def _logged(request: Request, parts: Parts, question: Question) -> bool:
    try:
        async with _entered(request, parts) as (tx, caller):
            return await address.ask(tx, caller, question)
    except (Unauthenticated, Forbidden):
        raise
    except Exception as error:
        # Whatever it was: what could not be logged is not shown.
        raise Unavailable("The access log is out of reach, so no address is shown; try again in a moment.") from error


@asynccontextmanager
async def _entered(request: Request, parts: Parts) -> AsyncGenerator[tuple[Transaction, Caller]]:
    async with parts.database.entered(token_hash(request)) as tx:
        yield tx, caller_of(request, tx.identity)
