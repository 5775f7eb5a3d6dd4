"""Own sites on the wire, without their address, which is revealed by addresses.py."""

from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field, StrictBool, ValidationInfo, field_validator

from app.api.kit.known_codes import (
    AddressSecrecy,
    Admission,
    AlarmCause,
    Features,
    MunicipalityCode,
    Supervision,
    TargetGroups,
)
from app.api.kit.lists import ListIn, moment_and_id
from app.api.kit.once import OnceIn
from app.api.kit.wire import (
    Id,
    In,
    Line,
    Name,
    Out,
    absent,
    aliases_from,
    check_match,
    parse_id,
    sent_fields,
    single,
)
from app.api.registry import addresses, approvals
from app.deps import Tx
from app.registry import sites
from app.registry.sites import SiteTraits

router = APIRouter(tags=["Sites"])
router.include_router(addresses.router)
router.include_router(approvals.router)


class AddressWanted(In):
    """Where a site is."""

    street: Line = Field(examples=["Voorbeeldstraat 1"])
    postcode: Line = Field(examples=["0000 AA"])
    city: Line = Field(examples=["Voorbeeldstad"])


class SiteWanted(In):
    """A site to be added."""

    name: Name = Field(description="No two sites of a provider have the same, whatever its case.")
    municipality: MunicipalityCode
    address: AddressWanted
    address_secrecy: AddressSecrecy
    supervision: Supervision
    features: Features = Field(default_factory=list[str])
    specialisms: TargetGroups = Field(
        default_factory=list[str], description="Target groups that score points here."
    )
    exclusive_to: TargetGroups = Field(
        default_factory=list[str], description="If any: others are not offered this site."
    )
    admission: Admission = "open"
    automatic_acceptance: StrictBool = Field(
        default=False, description="Only where the address is known."
    )

    @field_validator("automatic_acceptance")
    @classmethod
    def _only_where_known(cls, automatic: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic passes it so
        if automatic and info.data.get("address_secrecy", "known") != "known":
            message = "can be true only where the address is known"
            raise ValueError(message)
        return automatic


class SiteChange(In):
    """What of a site is to be changed; what is not sent stays as it is."""

    name: Name = Field(default_factory=absent)
    municipality: MunicipalityCode = Field(default_factory=absent)
    address: AddressWanted = Field(default_factory=absent)
    address_secrecy: AddressSecrecy = Field(default_factory=absent)
    supervision: Supervision = Field(default_factory=absent)
    features: Features = Field(default_factory=absent)
    specialisms: TargetGroups = Field(default_factory=absent)
    exclusive_to: TargetGroups = Field(default_factory=absent)
    admission: Admission = Field(default_factory=absent)
    automatic_acceptance: StrictBool = Field(default_factory=absent)
    compromised: AlarmCause | None = Field(
        default=None,
        description="Why nobody is safe here any more: nothing is offered, holds are declined, and "
        "both providers of everybody who is here, or on the way, get an event `alarm`. Null: they "
        "are safe again.",
    )


class ProposedOut(Out):
    """What of a site waits for approval; that its address is another one, but not which."""

    id: Id
    municipality: str | None = Field(description="The other municipality; null: as it is.")
    address_secrecy: str | None = Field(description="What it will be; null: as it is.")
    address: bool = Field(
        validation_alias="moves", description="Whether the address is another one."
    )
    proposed_at: datetime
    awaits: list[str] = Field(
        description="Whose approval it needs yet: `coordinator`, `administrator`."
    )


class SiteOut(Out, alias_generator=aliases_from("traits")):
    """An own site, without its address."""

    id: Id
    name: str
    status: Literal["proposed", "approved", "rejected"] = Field(
        description="Nothing at a site is offered or placed into before it is approved."
    )
    proposed: ProposedOut | None = Field(
        description="What of it waits for approval: the site, or a change of one that stands."
    )
    new: bool = Field(
        description="Whether it was approved, or has moved, less than the policy's days ago."
    )
    municipality: str
    address_secrecy: str
    supervision: str
    features: list[str]
    specialisms: list[str]
    exclusive_to: list[str]
    admission: str
    automatic_acceptance: bool
    compromised: str | None = Field(description="Why nobody is safe here any more.")
    compromised_since: datetime | None
    confirmed_at: datetime | None = Field(
        description="When everything here was last said to be true; null: never."
    )


class SitesOut(Out):
    """A page of own sites, oldest first."""

    items: list[SiteOut]
    next_cursor: str | None


class ConfirmationOut(Out):
    """That everything at a site was said to be true."""

    site_id: str
    confirmed_at: datetime


@router.post(
    "/sites",
    status_code=201,
    response_model=SiteOut,
    summary="Add a site",
)
async def create_site(wanted: SiteWanted, tx: Tx, once: OnceIn) -> Response:
    """Propose an own site; its places come next. Nothing is offered before it is approved.

    409 `name_taken` if another site of the provider has the same name.
    """
    content = sent_fields(wanted, all_fields=True)
    name, where = content.pop("name"), content.pop("address")
    site = await sites.add(tx, name=name, address=where, traits=SiteTraits(**content))
    return await once.keep(tx, SiteOut.of(site).reply(201, etag=True))


@router.get("/sites", response_model=SitesOut, summary="Own sites")
async def list_sites(tx: Tx, page: ListIn) -> Response:
    """Return the own sites."""
    found = await sites.list_own(tx, limit=page.limit + 1, after=moment_and_id(page))
    return SitesOut.of(
        page.cut(found, place=lambda site: (site.created_at.isoformat(), str(site.id)))
    ).reply()


@router.get("/sites/{id}", response_model=SiteOut, summary="One own site")
async def read_site(id: str, request: Request, tx: Tx) -> Response:
    """Return an own site."""
    site = await sites.read(tx, parse_id(id))
    return single(SiteOut.of(site), request)


@router.patch("/sites/{id}", response_model=SiteOut, summary="Change a site")
async def change_site(id: str, wanted: SiteChange, request: Request, tx: Tx) -> Response:
    """Change an own site; without If-Match the last write wins.

    Another address, another municipality and `known` instead of `confidential` are proposed, and
    stand once a second person has approved them; everything else holds at once.
    """
    site = await sites.read(tx, parse_id(id), lock=True)
    check_match(request, SiteOut.of(site))
    changed = await sites.change(tx, site, changes=sent_fields(wanted))
    return SiteOut.of(changed).reply(etag=True)


@router.post(
    "/sites/{id}/confirmations",
    status_code=201,
    response_model=ConfirmationOut,
    summary="Everything here is true",
)
async def confirm_site(id: str, tx: Tx, once: OnceIn) -> Response:
    """Say that everything at an own site is true as of now."""
    confirmed_at = await sites.confirm(tx, parse_id(id))
    confirmation = ConfirmationOut(site_id=id, confirmed_at=confirmed_at)
    return await once.keep(tx, confirmation.reply(201))
