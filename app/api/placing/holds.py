"""Holds on the wire."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.api.kit import known
from app.api.kit.household import DangerZoneOut, HouseholdOut
from app.api.kit.lists import ListIn, moment_and_id
from app.api.kit.once import AlreadyAnswered, OnceIn, OnceRequired
from app.api.kit.wire import Id, In, Out, parse_id, single
from app.database.answers import Answer
from app.deps import Tx
from app.placing import holds, take_hold
from app.placing.holds import HoldView
from app.placing.take_hold import HoldRequest

router = APIRouter(tags=["Holds"])


class HoldWanted(In):
    """Which offer of which ranking to hold."""

    referral_id: Annotated[str, Field(max_length=40)]
    ranking_id: Annotated[str, Field(max_length=40)]
    offer_id: Annotated[str, Field(max_length=200)]
    override_reason: known.OverrideReason | None = Field(
        default=None, description="Needed below rank 1."
    )


class ReleaseWanted(In):
    """Why a place is given back."""

    reason: known.ReleaseReason


class AcceptanceWanted(In):
    """Who accepts: a person, always."""

    by: Literal["person"]


class DeclineWanted(In):
    """Why a household cannot come."""

    reason: known.DeclineReason


class ComingOut(
    Out,
    json_schema_extra={
        "description": "Who is coming, for the receiving provider, as it is known now: until they "
        "have left, or are safe elsewhere."
    },
):
    """Who is coming, as the receiving provider may know it now."""

    urgency: str
    reason: str
    origin_municipality: str
    household: HouseholdOut
    danger_assessment: str
    danger_zones: list[DangerZoneOut]
    perpetrator_whereabouts: str | None
    threat_level: int | None
    target_groups: list[str]
    needs: list[str]
    languages: list[str]
    safety_plan: bool
    call_back: str | None


class HoldOut(Out):
    """A place kept for a referral."""

    id: Id
    status: str = Field(
        description="pending, accepted, placed, declined, no_answer, released or expired"
    )
    referral_id: Id
    reference: str | None = Field(description="The referral's speakable code.")
    provider_id: Id = Field(description="Whose place it is.")
    sender_id: Id = Field(description="Whose intake desk asked.")
    site_id: Id | None = Field(description="For the receiver.")
    place_id: Id | None = Field(description="For the receiver.")
    kind: str
    rank: int | None
    override_reason: str | None
    reason: str | None = Field(description="Why it was declined or released.")
    accepted_by: str | None
    created_at: datetime
    expires_at: datetime
    renewals_left: int
    unsafe_since: datetime | None = Field(
        description="Since when the danger, as it is known now, forbids this place."
    )
    swap_id: Id | None = Field(
        description="The swap for which it is kept: consent to that, or refuse it."
    )
    coming: ComingOut | None = Field(validation_alias="shared")


class HoldList(Out):
    """A page of holds."""

    items: list[HoldOut]
    next_cursor: str | None


@router.post(
    "/holds",
    status_code=201,
    response_model=HoldOut,
    summary="Hold a place",
)
async def hold_place(wanted: HoldWanted, tx: Tx, once: OnceRequired) -> Response:
    """Hold any free place of an offer: one winner a place."""
    request = HoldRequest(
        referral_id=parse_id(wanted.referral_id),
        ranking_id=parse_id(wanted.ranking_id),
        offer_id=wanted.offer_id,
        override_reason=wanted.override_reason,
    )

    def record(hold: HoldView) -> Answer:
        answer = once.record(tx, HoldOut.of(hold).reply(201, etag=True))
        assert answer is not None  # noqa: S101 - the key is required here
        return answer

    hold, first = await take_hold.take_hold(tx, request, record=record)
    if not first:
        raise AlreadyAnswered
    return HoldOut.of(hold).reply(201, etag=True)


@router.get("/holds", response_model=HoldList, summary="Holds sent and received")
async def list_holds(
    tx: Tx,
    page: ListIn,
    status: Annotated[
        known.HoldStatus | None, Query(description="Only holds with this status.")
    ] = None,
) -> Response:
    """List the holds that the own provider sent or received, newest first."""
    found = await holds.list_for(tx, status=status, limit=page.limit + 1, after=moment_and_id(page))
    return HoldList.of(
        page.cut(found, place=lambda hold: (hold.created_at.isoformat(), str(hold.id)))
    ).reply()


@router.get(
    "/holds/{id}",
    response_model=HoldOut,
    summary="One hold",
    description="Read a hold; the receiving provider sees who is coming, until they have left or "
    "are safe elsewhere.",
)
async def read_hold(id: str, request: Request, tx: Tx) -> Response:
    """Read a hold; its receiver sees who is coming."""
    return single(HoldOut.of(await holds.read(tx, parse_id(id))), request)


@router.delete(
    "/holds/{id}",
    status_code=204,
    summary="Give a place back, silently",
)
async def discard_hold(id: str, tx: Tx) -> Response:
    """Give a place back, without a reason; doing so again changes nothing."""
    await holds.discard_hold(tx, parse_id(id))
    return Response(status_code=204)


@router.post(
    "/holds/{id}/release",
    response_model=HoldOut,
    summary="Give a place back, and say why",
)
async def release_hold(id: str, wanted: ReleaseWanted, tx: Tx, once: OnceIn) -> Response:
    """Give a place back, and say why."""
    hold = await holds.release_hold(tx, parse_id(id), reason=wanted.reason)
    return await once.keep(tx, HoldOut.of(hold).reply(etag=True))


@router.post(
    "/holds/{id}/renewals",
    response_model=HoldOut,
    summary="Keep a place longer",
)
async def renew_hold(id: str, tx: Tx, once: OnceIn) -> Response:
    """Keep a place a while longer; the policy limits how often."""
    hold = await holds.renew_hold(tx, parse_id(id))
    return await once.keep(tx, HoldOut.of(hold).reply(etag=True), referral_id=hold.referral_id)


@router.post(
    "/holds/{id}/acceptance",
    response_model=HoldOut,
    summary="Accept who is coming",
)
async def accept_hold(id: str, wanted: AcceptanceWanted, tx: Tx, once: OnceIn) -> Response:
    """Accept, as the receiving provider, knowing who comes."""
    del wanted  # It can only say that a person accepts.
    hold = await holds.accept_hold(tx, parse_id(id))
    return await once.keep(tx, HoldOut.of(hold).reply(etag=True))


@router.post(
    "/holds/{id}/decline",
    response_model=HoldOut,
    summary="Decline who is coming",
)
async def decline_hold(id: str, wanted: DeclineWanted, tx: Tx, once: OnceIn) -> Response:
    """Decline, as the receiving provider, with a coded reason."""
    hold = await holds.decline_hold(tx, parse_id(id), reason=wanted.reason)
    return await once.keep(tx, HoldOut.of(hold).reply(etag=True))
