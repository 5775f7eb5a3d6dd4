"""Holds on the wire."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from app.api.kit import known_codes
from app.api.kit.disclosure import UNLOGGED, admit_apart, own_transaction, require_log
from app.api.kit.household import DangerZoneOut, HouseholdOut
from app.api.kit.lists import ListIn, moment_and_id
from app.api.kit.once import AlreadyAnswered, OnceIn, OnceRequired
from app.api.kit.problems import problem_of
from app.api.kit.wire import Id, In, Out, parse_id, single
from app.database.answers import KeptAnswer
from app.deps import Tx
from app.errors import Missing, Refusal
from app.placing import danger_looks, holds, take_hold
from app.placing.holds import HoldView
from app.placing.take_hold import HoldRequest
from app.words import N_

router = APIRouter(tags=["Holds"])

NO_LOG = N_("The access log is out of reach, so nothing is shown; try again in a moment.")


class AnswersGiven(In):
    """What an offer asks before it is held; written to the referral."""

    threat_level: Literal[1, 2, 3] | None = Field(
        default=None,
        description="Needed for an openly known address as long as it is not known. It stays known "
        "where a 3 refuses such an address.",
    )


class HoldWanted(In):
    """The offer to hold, and the ranking that has it."""

    referral_id: Annotated[str, Field(max_length=40)]
    ranking_id: Annotated[str, Field(max_length=40)]
    offer_id: Annotated[str, Field(max_length=200)]
    override_reason: known_codes.OverrideReason | None = Field(
        default=None, description="Needed below rank 1."
    )
    answers: AnswersGiven | None = Field(
        default=None, description="To what the offer's `needsAnswer` names."
    )


class ReleaseWanted(In):
    """Why a place is given back."""

    reason: known_codes.ReleaseReason


class AcceptanceWanted(In):
    """Who accepts: a person, always."""

    by: Literal["person"]


class DeclineWanted(In):
    """Why a household cannot come."""

    reason: known_codes.DeclineReason


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


class DangerOut(Out):
    """A region to stay clear of, and why; no municipality."""

    region: str
    cause: str


class AskedOut(
    Out,
    json_schema_extra={
        "description": "What an acceptance is about, for the receiving provider, before a person "
        "there has accepted: of the danger the regions and their causes."
    },
):
    """What an acceptance is about, before a person has accepted."""

    urgency: str
    reason: str
    household: HouseholdOut
    danger_assessment: str
    threat_level: int | None
    target_groups: list[str]
    needs: list[str]
    languages: list[str]
    safety_plan: bool
    origin_region: str
    danger: list[DangerOut]
    clearance: Literal["ample", "sufficient", "not_assessed"] | None = Field(
        description="How much room the danger leaves here; null: too little, by what is known now."
    )
    switchboard: str = Field(description="Of the desk that asks.")


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
    decline_withdrawn_at: datetime | None = Field(
        description="When its decline was taken back: the site may be offered to them again."
    )
    swap_id: Id | None = Field(
        description="The swap for which it is kept: consent to that, or refuse it."
    )
    coming: ComingOut | AskedOut | None = Field(
        validation_alias="shared",
        description="For the receiver: what an acceptance is about, and everything that it may "
        "know once a person there has accepted.",
    )


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
    """Hold any free place of an offer, the best fitting first: one winner a place."""
    request = HoldRequest(
        referral_id=parse_id(wanted.referral_id),
        ranking_id=parse_id(wanted.ranking_id),
        offer_id=wanted.offer_id,
        override_reason=wanted.override_reason,
        threat_level=None if wanted.answers is None else wanted.answers.threat_level,
    )

    def record(hold: HoldView) -> KeptAnswer:
        answer = once.record(tx, HoldOut.of(hold).reply(201, etag=True))
        assert answer is not None  # noqa: S101 - the key is required here
        return answer

    taken = await take_hold.take_hold(tx, request, record=record)
    if isinstance(taken, Refusal):
        return problem_of(taken)  # and not raised: what was answered with it is committed
    if not taken.first:
        raise AlreadyAnswered
    return HoldOut.of(taken.hold).reply(201, etag=True)


@router.get("/holds", response_model=HoldList, summary="Holds sent and received")
async def list_holds(
    tx: Tx,
    page: ListIn,
    status: Annotated[
        known_codes.HoldStatus | None, Query(description="Only holds with this status.")
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
    description="Read a hold; the receiving provider sees what an acceptance is about, and once a "
    "person there has accepted who is coming, until they have left or are safe elsewhere.",
)
async def read_hold(id: str, request: Request, tx: Tx) -> Response:
    """Read a hold; its receiver sees who is coming."""
    return single(HoldOut.of(await holds.read(tx, parse_id(id))), request)


class DangerLookWanted(In):
    """Why the municipalities are looked at before a person accepts."""

    reason: known_codes.DangerLookReason


class LookedOut(Out):
    """A municipality to stay clear of, and why; no radius."""

    municipality: str
    cause: str


class DangerLookOut(Out):
    """Where a household flees from, for this once."""

    origin_municipality: str
    danger_zones: list[LookedOut]


@router.post(
    "/holds/{id}/danger-looks",
    response_model=DangerLookOut,
    summary="Where they flee from, before accepting",
    dependencies=[Depends(admit_apart)],
    description="Return the municipalities of origin and danger to the receiver of a hold that no "
    "person has accepted yet.\n\n"
    "The look is logged before anything is read, and the sender is told. An Idempotency-Key has no "
    "effect here.",
)
async def look_at_danger(id: str, wanted: DangerLookWanted, request: Request) -> Response:
    """Return the municipalities of origin and danger, once the look has been logged."""
    response = DangerLookOut.of(await look_once(request, parse_id(id), wanted.reason)).reply()
    response.headers["Cache-Control"] = "no-store"
    return response


async def look_once(request: Request, hold_id: UUID, reason: str) -> Mapping[str, Any]:
    """Return the municipalities once the look has been logged; else raise Missing."""
    with require_log(NO_LOG, standing=(*UNLOGGED, Missing)):
        async with own_transaction(request) as tx:
            await danger_looks.note_look(tx, hold_id, reason=reason)
    async with own_transaction(request) as tx:
        return await danger_looks.read_municipalities(tx, hold_id)


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


@router.post(
    "/holds/{id}/decline-withdrawal",
    response_model=HoldOut,
    summary="Take a decline back",
)
async def withdraw_decline(id: str, tx: Tx, once: OnceIn) -> Response:
    """Take a decline back while the referral is open: the site may be offered to them again.

    The hold stays declined. Declines for `staffing` and `no_capacity_after_all` bar the site only
    for the policy's hours, and until it confirms that everything there is true.
    """
    hold = await holds.withdraw_decline(tx, parse_id(id))
    return await once.keep(tx, HoldOut.of(hold).reply(etag=True))
