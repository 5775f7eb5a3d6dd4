"""Taking over a colleague's referral, on the wire.

It stands alone because it answers with no more than the act: no household, no offers.
"""

from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.kit.once import OnceIn
from app.api.kit.wire import AsText, Id, Out, parse_id
from app.deps import Tx
from app.referrals import takeovers

router = APIRouter(tags=["Referrals"])


class TakeoverOut(Out):
    """A referral on which the caller works from now on."""

    id: AsText = Field(validation_alias="event", description="Of the entry in the access log.")
    referral_id: Id
    at: datetime


@router.post(
    "/referrals/{id}/takeovers",
    status_code=201,
    response_model=TakeoverOut,
    summary="Take a referral over",
    description="Say that the caller works on a referral of the own desk from now on, as at the "
    "change of shift.\n\n"
    "The desk is told. It opens what is kept for those who work on it, such as the address to "
    "which they are on their way.",
)
async def take_over(id: str, tx: Tx, once: OnceIn) -> Response:
    """Say that the caller works on a referral from now on."""
    taken = await takeovers.take_over(tx, parse_id(id))
    return await once.keep(tx, TakeoverOut.of(taken).reply(201), referral_id=taken.referral_id)
