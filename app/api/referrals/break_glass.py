"""Breaking the glass of a shielded referral: logged before it opens, and told at once."""

from datetime import datetime

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, field_validator

from app.api.kit.disclosure import UNLOGGED, admit_apart, own_transaction, require_log
from app.api.kit.known_codes import BreakGlassReason
from app.api.kit.wire import AsText, Id, In, Line, Out
from app.errors import Missing
from app.referrals import break_glass
from app.referrals.break_glass import AlreadyNamed
from app.words import N_

router = APIRouter(tags=["Referrals"])

NO_LOG = N_("The access log is out of reach, so nothing is opened; try again in a moment.")


class LookWanted(In):
    """Which referral, by the code that its client can say, and why."""

    reference: Line = Field(examples=["baku-limo"])
    reason: BreakGlassReason = Field(examples=["client_on_the_line"])

    @field_validator("reference")
    @classmethod
    def _as_written(cls, reference: str) -> str:
        return reference.lower()


class BrokenOut(Out):
    """A referral that may be seen, by the usual calls, until then."""

    id: AsText = Field(
        validation_alias="event",
        description="Of the entry in the access log: coordinators are told of it as its `eventId`.",
    )
    referral_id: Id
    until: datetime


@router.post(
    "/break-glass-looks",
    status_code=201,
    response_model=BrokenOut,
    operation_id="breakGlass",
    summary="A look at a shielded referral",
    dependencies=[Depends(admit_apart)],
    description="Open a shielded referral of the own provider for a while; its coordinators hear "
    "of it at once.\n\n"
    "Every try is logged, granted or not, and few are allowed in an hour. An "
    "Idempotency-Key has no\n"
    "effect here.",
)
async def open_shielded_referral(wanted: LookWanted, request: Request) -> Response:
    """Open a shielded referral of the own provider for a while."""
    with require_log(NO_LOG, standing=(*UNLOGGED, AlreadyNamed)):
        async with own_transaction(request) as tx:
            broken = await break_glass.break_glass(tx, wanted.reference, reason=wanted.reason)
    if broken is None:
        request.state.logged = True
        raise Missing
    return BrokenOut.of(broken).reply(201)
