"""A look at a shielded referral by somebody who is not named: logged before it is granted, and told at once."""

from datetime import datetime

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, field_validator

from app.api.kit.known import BreakGlassReason
from app.api.kit.logged_first import SAID, admitted, apart, no_log_no_look
from app.api.kit.wire import In, Line, Out
from app.errors import Missing
from app.referrals import break_glass
from app.referrals.break_glass import AlreadyNamed, BrokenGlass
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

    id: str = Field(
        description="Of the entry in the access log: coordinators are told of it as its `eventId`."
    )
    referral_id: str
    until: datetime

    @classmethod
    def of(cls, broken: BrokenGlass) -> "BrokenOut":
        """Show what was opened."""
        return cls(id=str(broken.event), referral_id=str(broken.referral_id), until=broken.until)


@router.post(
    "/break-glass-looks",
    status_code=201,
    response_model=BrokenOut,
    operation_id="breakGlass",
    summary="A look at a shielded referral",
    dependencies=[Depends(admitted)],
)
async def look(wanted: LookWanted, request: Request) -> Response:
    """Open a shielded referral of the own provider for a while; its coordinators hear of it at once.

    Every try is logged, granted or not, and few are allowed in an hour. An Idempotency-Key has no
    effect here.
    """
    with no_log_no_look(NO_LOG, said=(*SAID, AlreadyNamed)):
        async with apart(request) as tx:
            broken = await break_glass.break_glass(tx, wanted.reference, reason=wanted.reason)
    if broken is None:
        request.state.logged = True
        raise Missing
    return BrokenOut.of(broken).reply(201)
