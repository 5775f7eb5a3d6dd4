"""Reference data: regions, municipalities and providers, as every account may see them."""

from collections.abc import Callable, Iterable
from typing import Annotated, TypeVar

from fastapi import APIRouter, Response
from pydantic import AfterValidator, Field

from app.api.kit.known_codes import RegionCode, once_each
from app.api.kit.lists import ListIn, ListPart, ListRequest
from app.api.kit.wire import Id, In, Out, parse_id
from app.deps import Tx
from app.registry import providers

router = APIRouter(tags=["Reference"])

Item = TypeVar("Item")


class KnownRegionOut(Out):
    """A region: the area served by one lead municipality, whose code it bears."""

    code: str = Field(examples=["GM0363"])
    name: str
    lat: float = Field(description="Degrees north, WGS84.")
    lon: float = Field(description="Degrees east, WGS84.")
    population: int


class KnownMunicipalityOut(Out):
    """A municipality; nothing in Plek is placed more exactly than this."""

    code: str = Field(examples=["GM0518"])
    name: str
    lat: float = Field(description="Degrees north, WGS84.")
    lon: float = Field(description="Degrees east, WGS84.")
    population: int
    region: str = Field(description="Code of the region that it belongs to.")
    extent_km: int = Field(description="How far from its position anything in it can be, in km.")


class KnownProviderOut(Out):
    """A shelter organisation."""

    id: Id
    slug: str
    name: str
    phone: str = Field(description="Its switchboard.")
    regions: list[str] = Field(description="Codes of the regions in which it works.")


class RegionsOut(Out):
    """A page of regions, by code."""

    items: list[KnownRegionOut]
    next_cursor: str | None


class MunicipalitiesOut(Out):
    """A page of municipalities, by code."""

    items: list[KnownMunicipalityOut]
    next_cursor: str | None


class RegionsWanted(In):
    """In which regions a provider works."""

    regions: Annotated[
        list[RegionCode], Field(min_length=1, max_length=100), AfterValidator(once_each)
    ]


class ProvidersOut(Out):
    """A page of providers, by slug."""

    items: list[KnownProviderOut]
    next_cursor: str | None


@router.get("/regions", response_model=RegionsOut, summary="All regions")
async def list_regions(tx: Tx, page: ListIn) -> Response:
    """Return the regions of the country."""
    known = (await tx.snapshots.reference(tx)).regions.values()
    return RegionsOut.of(_cut(page, known, key=lambda region: region.code)).reply()


@router.get(
    "/municipalities",
    response_model=MunicipalitiesOut,
    summary="All municipalities",
)
async def list_municipalities(tx: Tx, page: ListIn) -> Response:
    """Return the municipalities of the country, with the region of each."""
    known = (await tx.snapshots.reference(tx)).municipalities.values()
    return MunicipalitiesOut.of(_cut(page, known, key=lambda place: place.code)).reply()


@router.get("/providers", response_model=ProvidersOut, summary="All providers")
async def list_providers(tx: Tx, page: ListIn) -> Response:
    """Return the shelter organisations, with their switchboards."""
    known = (await tx.snapshots.providers(tx)).values()
    return ProvidersOut.of(_cut(page, known, key=lambda provider: provider.slug)).reply()


@router.put(
    "/providers/{id}/regions", response_model=KnownProviderOut, summary="Where a provider works"
)
async def set_regions(id: str, wanted: RegionsWanted, tx: Tx) -> Response:
    """Say in which regions a provider works: a site elsewhere needs an administrator as well."""
    card = await providers.set_regions(tx, parse_id(id), regions=wanted.regions)
    return KnownProviderOut.of(card).reply()


def _cut(page: ListRequest, known: Iterable[Item], *, key: Callable[[Item], str]) -> ListPart[Item]:
    after = page.after[0] if page.after else ""
    rest = sorted((item for item in known if key(item) > after), key=key)
    return page.cut(rest[: page.limit + 1], place=lambda item: (key(item),))
