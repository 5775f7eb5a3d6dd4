"""The public directory of shelter organisations, as others read it (HSDS 3.1).

Names, switchboards and regions, which stand in any telephone book. No address, no coordinates, no
number of sites: the one location of an organisation is its telephone. Fields have the
specification's names; `perPage` is written as every parameter of this API is.
"""

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID, uuid5

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict

from app.api.kit.wire import JSON, parse_id
from app.database.reference import Reference
from app.database.register import ProviderCard
from app.database.transaction import Transaction
from app.deps import Tx
from app.errors import Missing

router = APIRouter(tags=["Public directory"])

VERSION = "3.1"
PROFILE = "https://docs.openreferral.org/en/v3.1.0/"
MOST = 200

# The export is in English, whatever languages the pages have.
ORGANISATION = "Organisation that shelters people who flee domestic violence."
SERVICE = "Shelter"
SERVICE_MEANS = "Safe shelter, with support. Where it is is not made known; call the switchboard."
LOCATION = "By telephone"


class Hsds(BaseModel):
    """A thing as the specification has it; its fields keep the names that they have there."""

    model_config = ConfigDict(frozen=True)

    def reply(self) -> Response:
        """Return this as a response."""
        return Response(self.model_dump_json(), media_type=JSON)


class PhoneOut(Hsds):
    """A telephone number."""

    id: str
    number: str
    type: Literal["voice"] = "voice"


class AreaOut(Hsds):
    """A region in which an organisation has places."""

    id: str
    name: str


class LocationOut(Hsds):
    """Where an organisation is met: on the telephone, and nowhere that would be told here."""

    id: str
    location_type: Literal["virtual"] = "virtual"
    name: str


class ServiceAtLocationOut(Hsds):
    """That a service is to be had there."""

    id: str
    location: LocationOut


class OrganizationOut(Hsds):
    """A shelter organisation."""

    id: str
    name: str
    description: str
    phones: list[PhoneOut]
    locations: list[LocationOut]


class ServiceOut(Hsds):
    """What a shelter organisation does."""

    id: str
    organization_id: str
    name: str
    description: str
    status: Literal["active"] = "active"
    phones: list[PhoneOut]
    service_areas: list[AreaOut]
    service_at_locations: list[ServiceAtLocationOut]
    organization: OrganizationOut


class PageOut(Hsds):
    """A page, as the specification has it."""

    total_items: int
    total_pages: int
    page_number: int
    size: int
    first_page: bool
    last_page: bool
    empty: bool


class OrganizationsOut(PageOut):
    """A page of organisations."""

    contents: list[OrganizationOut]


class ServicesOut(PageOut):
    """A page of services."""

    contents: list[ServiceOut]


class AboutOut(Hsds):
    """Which specification this is."""

    version: str
    profile: str
    openapi_url: str


Page = Annotated[int, Query(ge=1, le=10_000, description="Which page, from 1.")]
Size = Annotated[int, Query(ge=1, le=MOST, alias="perPage", description="How many on a page.")]


@router.get(
    "/hsds",
    response_model=AboutOut,
    summary="Which specification it is",
)
async def describe_directory() -> Response:
    """Say which version of the specification the public directory follows."""
    return AboutOut(version=VERSION, profile=PROFILE, openapi_url="/v1/openapi.json").reply()


@router.get(
    "/hsds/organizations",
    response_model=OrganizationsOut,
    summary="Shelter organisations",
)
async def list_organizations(tx: Tx, page: Page = 1, size: Size = 50) -> Response:
    """List the shelter organisations: what is public about them."""
    found = list((await tx.snapshots.providers(tx)).values())
    contents = [_organization(card) for card in _cut(found, page, size)]
    return OrganizationsOut(contents=contents, **_page(found, page, size).model_dump()).reply()


@router.get(
    "/hsds/organizations/{id}",
    response_model=OrganizationOut,
    summary="One of them",
)
async def read_organization(id: str, tx: Tx) -> Response:
    """Read what is public about one organisation."""
    return _organization(await _card(tx, parse_id(id))).reply()


@router.get(
    "/hsds/services",
    response_model=ServicesOut,
    summary="What they do",
)
async def list_services(tx: Tx, page: Page = 1, size: Size = 50) -> Response:
    """List what the shelter organisations do, each with the regions in which it has places."""
    found = list((await tx.snapshots.providers(tx)).values())
    reference = await tx.snapshots.reference(tx)
    contents = [_service(card, reference) for card in _cut(found, page, size)]
    return ServicesOut(contents=contents, **_page(found, page, size).model_dump()).reply()


@router.get(
    "/hsds/services/{id}",
    response_model=ServiceOut,
    summary="One service",
)
async def read_service(id: str, tx: Tx) -> Response:
    """Read one service."""
    wanted = parse_id(id)
    for card in (await tx.snapshots.providers(tx)).values():
        if _id(card, "service") == str(wanted):
            return _service(card, await tx.snapshots.reference(tx)).reply()
    raise Missing


async def _card(tx: Transaction, wanted: UUID) -> ProviderCard:
    card = (await tx.snapshots.providers(tx)).get(str(wanted))
    if card is None:
        raise Missing
    return card


def _cut(found: Sequence[ProviderCard], page: int, size: int) -> Sequence[ProviderCard]:
    return found[(page - 1) * size : page * size]


def _page(found: Sequence[ProviderCard], page: int, size: int) -> PageOut:
    pages = -(-len(found) // size)
    shown = len(_cut(found, page, size))
    return PageOut(
        total_items=len(found),
        total_pages=pages,
        page_number=page,
        size=shown,
        first_page=page == 1,
        last_page=page >= pages,
        empty=not shown,
    )


def _organization(card: ProviderCard) -> OrganizationOut:
    return OrganizationOut(
        id=card.id,
        name=card.name,
        description=ORGANISATION,
        phones=[_phone(card)],
        locations=[_location(card)],
    )


def _service(card: ProviderCard, reference: Reference) -> ServiceOut:
    return ServiceOut(
        id=_id(card, "service"),
        organization_id=card.id,
        name=SERVICE,
        description=SERVICE_MEANS,
        phones=[_phone(card)],
        service_areas=[
            AreaOut(id=_id(card, f"area {region}"), name=reference.regions[region].name)
            for region in card.regions
        ],
        service_at_locations=[
            ServiceAtLocationOut(id=_id(card, "service at location"), location=_location(card))
        ],
        organization=_organization(card),
    )


def _phone(card: ProviderCard) -> PhoneOut:
    return PhoneOut(id=_id(card, "phone"), number=card.phone)


def _location(card: ProviderCard) -> LocationOut:
    return LocationOut(id=_id(card, "location"), name=LOCATION)


def _id(card: ProviderCard, what: str) -> str:
    """Return a lasting id made from an organisation's own, so that none has to be kept."""
    return str(uuid5(UUID(card.id), what))
