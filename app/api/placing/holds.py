"""Holds on the wire."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.api.kit import known
from app.api.kit.household import DangerZoneOut, HouseholdOut
from app.api.kit.once import AlreadyAnswered, OnceIn, OnceRequired
from app.api.kit.pages import PageIn, moment_and_id
from app.api.kit.wire import In, Out, parse, single, text_of
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


class ComingOut(Out):
    """Who is coming, for the receiving provider, as it is known now: until they have left, or are safe elsewhere."""

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

    @classmethod
    def of(cls, content: Mapping[str, Any] | None) -> "ComingOut | None":
        """Show what the receiving provider may know of a household; nothing where that is nothing."""
        if content is None:
            return None
        return cls.model_validate({name: content[name] for name in cls.model_fields})


class HoldOut(Out):
    """A place kept for a referral."""

    id: str
    status: str = Field(
        description="pending, accepted, placed, declined, no_answer, released or expired"
    )
    referral_id: str
    reference: str | None = Field(description="The referral's speakable code.")
    provider_id: str = Field(description="Whose place it is.")
    sender_id: str = Field(description="Whose intake desk asked.")
    site_id: str | None = Field(
        description="For the receiver; for the sender once a person has accepted."
    )
    place_id: str | None = Field(description="For the receiver.")
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
    swap_id: str | None = Field(
        description="The swap for which it is kept: consent to that, or refuse it."
    )
    coming: ComingOut | None

    @classmethod
    def of(cls, hold: HoldView) -> "HoldOut":
        """Show a hold."""
        return cls(
            id=str(hold.id),
            status=hold.status,
            referral_id=str(hold.referral_id),
            reference=hold.reference,
            provider_id=str(hold.provider_id),
            sender_id=str(hold.sender_id),
            site_id=text_of(hold.site_id),
            place_id=text_of(hold.place_id),
            kind=hold.kind,
            rank=hold.rank,
            override_reason=hold.override_reason,
            reason=hold.reason,
            accepted_by=hold.accepted_by,
            created_at=hold.created_at,
            expires_at=hold.expires_at,
            renewals_left=hold.renewals_left,
            unsafe_since=hold.unsafe_since,
            swap_id=text_of(hold.swap_id),
            coming=ComingOut.of(hold.shared),
        )


class HoldList(Out):
    """A page of holds."""

    items: list[HoldOut]
    next_cursor: str | None


@router.post(
    "/holds",
    status_code=201,
    response_model=HoldOut,
    operation_id="holdPlace",
    summary="Hold a place",
)
async def take(wanted: HoldWanted, tx: Tx, once: OnceRequired) -> Response:
    """Hold any free place of an offer: one winner a place."""
    request = HoldRequest(
        referral_id=parse(wanted.referral_id),
        ranking_id=parse(wanted.ranking_id),
        offer_id=wanted.offer_id,
        override_reason=wanted.override_reason,
    )

    def record(hold: HoldView) -> Answer:
        answer = once.record(tx.caller, HoldOut.of(hold).reply(201, etag=True))
        assert answer is not None  # noqa: S101 - the key is required here
        return answer

    hold, first = await take_hold.take_hold(tx, request, record=record)
    if not first:
        raise AlreadyAnswered
    return HoldOut.of(hold).reply(201, etag=True)


@router.get(
    "/holds", response_model=HoldList, operation_id="listHolds", summary="Holds sent and received"
)
async def listed(
    tx: Tx,
    page: PageIn,
    status: Annotated[
        known.HoldStatus | None, Query(description="Only holds with this status.")
    ] = None,
) -> Response:
    """List the holds that the own provider sent or received, newest first."""
    found = await holds.list_for(tx, status=status, limit=page.limit + 1, after=moment_and_id(page))
    items, cursor = page.cut(found, place=lambda hold: (hold.created_at.isoformat(), str(hold.id)))
    return HoldList(items=[HoldOut.of(hold) for hold in items], next_cursor=cursor).reply()


@router.get("/holds/{id}", response_model=HoldOut, operation_id="readHold", summary="One hold")
async def read(id: str, request: Request, tx: Tx) -> Response:
    """Read a hold; the receiving provider sees who is coming, until they have left or are safe elsewhere."""
    return single(HoldOut.of(await holds.read(tx, parse(id))), request)


@router.delete(
    "/holds/{id}",
    status_code=204,
    operation_id="discardHold",
    summary="Give a place back, silently",
)
async def discard(id: str, tx: Tx) -> Response:
    """Give a place back, without a reason; doing so again changes nothing."""
    await holds.discard_hold(tx, parse(id))
    return Response(status_code=204)


@router.post(
    "/holds/{id}/release",
    response_model=HoldOut,
    operation_id="releaseHold",
    summary="Give a place back, and say why",
)
async def release(id: str, wanted: ReleaseWanted, tx: Tx, once: OnceIn) -> Response:
    """Give a place back, and say why."""
    hold = await holds.release_hold(tx, parse(id), reason=wanted.reason)
    return await once.keep(tx, HoldOut.of(hold).reply(etag=True))


@router.post(
    "/holds/{id}/renewals",
    response_model=HoldOut,
    operation_id="renewHold",
    summary="Keep a place longer",
)
async def renew(id: str, tx: Tx, once: OnceIn) -> Response:
    """Keep a place a while longer; the policy limits how often."""
    hold = await holds.renew_hold(tx, parse(id))
    return await once.keep(tx, HoldOut.of(hold).reply(etag=True), referral_id=hold.referral_id)


@router.post(
    "/holds/{id}/acceptance",
    response_model=HoldOut,
    operation_id="acceptHold",
    summary="Accept who is coming",
)
async def accept(id: str, wanted: AcceptanceWanted, tx: Tx, once: OnceIn) -> Response:
    """Accept, as the receiving provider, knowing who comes."""
    del wanted  # It can only say that a person accepts.
    hold = await holds.accept_hold(tx, parse(id))
    return await once.keep(tx, HoldOut.of(hold).reply(etag=True))


@router.post(
    "/holds/{id}/decline",
    response_model=HoldOut,
    operation_id="declineHold",
    summary="Decline who is coming",
)
async def decline(id: str, wanted: DeclineWanted, tx: Tx, once: OnceIn) -> Response:
    """Decline, as the receiving provider, with a coded reason."""
    hold = await holds.decline_hold(tx, parse(id), reason=wanted.reason)
    return await once.keep(tx, HoldOut.of(hold).reply(etag=True))
