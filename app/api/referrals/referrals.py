"""Referrals on the wire."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import (
    AfterValidator,
    AliasPath,
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
)

from app.api.kit import known_codes
from app.api.kit.household import (
    CallBack,
    DangerZoneIn,
    DangerZoneOut,
    DangerZones,
    Flag,
    HouseholdIn,
    HouseholdOut,
    Languages,
    ThreatLevel,
)
from app.api.kit.lists import ListIn, moment_and_id
from app.api.kit.once import OnceIn
from app.api.kit.wire import Id, In, Out, absent, aliases_from, check_match, parse_id, single
from app.api.referrals.shields import ShieldOut, ShieldWanted, shield_of
from app.api.referrals.waiting_list import AlternativeInUseOut, UnreadableOut
from app.deps import Tx, providers_known
from app.errors import Fault, Invalid
from app.placing import referral_changes
from app.referrals import referrals, shields

router = APIRouter(tags=["Referrals"])

ProviderIds = Annotated[
    list[known_codes.ProviderId], Field(max_length=50), AfterValidator(known_codes.once_each)
]

NOWHERE = "assessed danger needs a danger zone; without one say none_known"


class ReferralWanted(In):
    """A household that needs a place; what is not known yet may come later."""

    urgency: known_codes.Urgency
    origin_municipality: known_codes.MunicipalityCode
    household: HouseholdIn
    reason: known_codes.ReferralReason = "safety"
    danger_assessment: known_codes.DangerAssessment = "not_asked"
    danger_zones: DangerZones = Field(default=[], validate_default=True)
    perpetrator_whereabouts: known_codes.Whereabouts | None = None
    threat_level: ThreatLevel | None = None
    target_groups: known_codes.TargetGroups = []
    needs: known_codes.Needs = []
    languages: Languages = []
    near_municipality: known_codes.MunicipalityCode | None = None
    barred_providers: ProviderIds = []
    safety_plan: Flag = False
    call_back: CallBack | None = None
    shield: ShieldWanted | None = Field(
        default=None, description="Who alone may see it, from the very beginning."
    )

    @field_validator("danger_zones")
    @classmethod
    def _assessed_means_somewhere(
        cls, zones: list[DangerZoneIn], info: ValidationInfo
    ) -> list[DangerZoneIn]:
        if not zones and info.data.get("danger_assessment") == "assessed":
            raise ValueError(NOWHERE)
        return zones


class ReferralChange(In):
    """What is known now; what is left out stays as it was."""

    urgency: known_codes.Urgency = Field(default_factory=absent)
    origin_municipality: known_codes.MunicipalityCode = Field(default_factory=absent)
    household: HouseholdIn = Field(default_factory=absent)
    reason: known_codes.ReferralReason = Field(default_factory=absent)
    danger_assessment: known_codes.DangerAssessment = Field(default_factory=absent)
    danger_zones: DangerZones = Field(default_factory=absent)
    perpetrator_whereabouts: known_codes.Whereabouts | None = None
    threat_level: ThreatLevel | None = None
    target_groups: known_codes.TargetGroups = Field(default_factory=absent)
    needs: known_codes.Needs = Field(default_factory=absent)
    languages: Languages = Field(default_factory=absent)
    near_municipality: known_codes.MunicipalityCode | None = None
    barred_providers: ProviderIds = Field(default_factory=absent)
    safety_plan: Flag = Field(default_factory=absent)
    call_back: CallBack | None = None


class WithdrawalWanted(In):
    """Why a household needs no place any more."""

    reason: known_codes.ClosingReason


class ReferralOut(Out, alias_generator=aliases_from("content", "case")):
    """A referral, as its own provider sees it."""

    id: Id
    reference: str = Field(description="A code that can be spoken on the telephone.")
    status: str = Field(description="open, held, placed, ended or withdrawn")
    created_at: datetime
    updated_at: datetime
    hold_id: Id | None
    closed_because: str | None = Field(description="Why it was withdrawn.")
    closed_at: datetime | None
    alternative: AlternativeInUseOut | None
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
    near_municipality: str | None
    barred_providers: list[str]
    safety_plan: bool
    call_back: str | None
    shield: Annotated[ShieldOut | None, BeforeValidator(shield_of)] = Field(
        validation_alias=AliasPath("case", "named"),
        description="None where every colleague may see it.",
    )


class ReferralList(Out):
    """A page of referrals."""

    items: list[ReferralOut]
    unreadable: list[UnreadableOut] = Field(
        description="Those of this page that no key opens; what is known of them is lost to it."
    )
    next_cursor: str | None


@router.post(
    "/referrals",
    status_code=201,
    response_model=ReferralOut,
    dependencies=[Depends(providers_known)],
    summary="Register a household",
)
async def register_referral(wanted: ReferralWanted, tx: Tx, once: OnceIn) -> Response:
    """Register a household that needs a place."""
    content = wanted.model_dump(mode="json", exclude={"shield"})
    referral = await referrals.register_referral(tx, content=content)
    if wanted.shield is not None:
        named = wanted.shield.account_ids
        referral = await shields.name_colleagues(
            tx, referral.id, wanted=named, pointer="/shield/colleagues"
        )
    return await once.keep(
        tx, ReferralOut.of(referral).reply(201, etag=True), referral_id=referral.id
    )


@router.get("/referrals", response_model=ReferralList, summary="Own referrals")
async def list_referrals(
    tx: Tx,
    page: ListIn,
    status: Annotated[
        known_codes.ReferralStatus | None, Query(description="Only referrals with this status.")
    ] = None,
) -> Response:
    """List the own provider's referrals, newest first."""
    found = await referrals.list_for(
        tx, status=status, limit=page.limit + 1, after=moment_and_id(page)
    )
    shown = page.cut(found, place=lambda row: (row.created_at.isoformat(), str(row.id)))
    items, unreadable = referrals.unseal_readable(tx, shown.items)
    return ReferralList.of(shown, items=items, unreadable=unreadable).reply()


@router.get(
    "/referrals/{id}",
    response_model=ReferralOut,
    summary="One own referral",
)
async def read_referral(id: str, request: Request, tx: Tx) -> Response:
    """Read one of the own provider's referrals."""
    return single(ReferralOut.of(await referrals.read(tx, parse_id(id))), request)


@router.patch(
    "/referrals/{id}",
    response_model=ReferralOut,
    dependencies=[Depends(providers_known)],
    summary="Change what is known",
)
async def change_referral(id: str, wanted: ReferralChange, request: Request, tx: Tx) -> Response:
    """Change what is known of a referral; If-Match is required."""
    referral = await referrals.read(tx, parse_id(id), lock=True)
    check_match(request, ReferralOut.of(referral), required=True)
    changes: dict[str, Any] = wanted.model_dump(mode="json", include=wanted.model_fields_set)
    content = {**referral.content, **changes}
    if content["danger_assessment"] == "assessed" and not content["danger_zones"]:
        raise Invalid(Fault("/dangerZones", NOWHERE))
    return ReferralOut.of(
        await referral_changes.change_referral(tx, referral, content=content)
    ).reply(etag=True)


@router.post(
    "/referrals/{id}/withdrawal",
    response_model=ReferralOut,
    summary="No place is needed any more",
)
async def withdraw_referral(id: str, wanted: WithdrawalWanted, tx: Tx, once: OnceIn) -> Response:
    """Close a referral that no longer needs a place, and say why."""
    referral = await referral_changes.withdraw_referral(tx, parse_id(id), reason=wanted.reason)
    return await once.keep(tx, ReferralOut.of(referral).reply(etag=True), referral_id=referral.id)


@router.post(
    "/referrals/{id}/reopening",
    response_model=ReferralOut,
    summary="A place is needed after all",
)
async def reopen_referral(id: str, tx: Tx, once: OnceIn) -> Response:
    """Open a closed referral within the policy's days, with its place on the waiting list.

    A hold that was released by the closing is gone; an alternative that ended by it goes on, if
    that was within the policy's hours.
    """
    referral = await referrals.reopen_referral(tx, parse_id(id))
    return await once.keep(tx, ReferralOut.of(referral).reply(etag=True), referral_id=referral.id)
