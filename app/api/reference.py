"""Reference data: regions, municipalities and providers, as every account may see them."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.kit.pages import Page, PageIn
from app.api.kit.wire import Out
from app.database.reference import KnownMunicipality, KnownRegion
from app.database.register import ProviderCard
from app.deps import Tx

router = APIRouter(tags=["Reference"])

Item = TypeVar("Item")


class KnownRegionOut(Out):
    """A region: the area served by one lead municipality, whose code it bears."""

    code: str = Field(examples=["GM0363"])
    name: str
    lat: float = Field(description="Degrees north, WGS84.")
    lon: float = Field(description="Degrees east, WGS84.")
    population: int

    @classmethod
    def of(cls, region: KnownRegion) -> "KnownRegionOut":
        """Return a region as it is sent."""
        return cls(
            code=region.code,
            name=region.name,
            lat=region.lat,
            lon=region.lon,
            population=region.population,
        )


class KnownMunicipalityOut(Out):
    """A municipality; nothing in Plek is placed more exactly than this."""

    code: str = Field(examples=["GM0518"])
    name: str
    lat: float = Field(description="Degrees north, WGS84.")
    lon: float = Field(description="Degrees east, WGS84.")
    population: int
    region: str = Field(description="Code of the region that it belongs to.")
    extent_km: int = Field(description="How far from its position anything in it can be, in km.")

    @classmethod
    def of(cls, municipality: KnownMunicipality) -> "KnownMunicipalityOut":
        """Return a municipality as it is sent."""
        return cls(
            code=municipality.code,
            name=municipality.name,
            lat=municipality.lat,
            lon=municipality.lon,
            population=municipality.population,
            region=municipality.region,
            extent_km=municipality.extent_km,
        )


class KnownProviderOut(Out):
    """A shelter organisation."""

    id: str
    slug: str
    name: str
    phone: str = Field(description="Its switchboard.")
    regions: list[str] = Field(description="Codes of the regions in which it has places.")

    @classmethod
    def of(cls, provider: ProviderCard) -> "KnownProviderOut":
        """Return a provider as it is sent."""
        return cls(
            id=provider.id,
            slug=provider.slug,
            name=provider.name,
            phone=provider.phone,
            regions=list(provider.regions),
        )


class RegionsOut(Out):
    """A page of regions, by code."""

    items: list[KnownRegionOut]
    next_cursor: str | None


class MunicipalitiesOut(Out):
    """A page of municipalities, by code."""

    items: list[KnownMunicipalityOut]
    next_cursor: str | None


class ProvidersOut(Out):
    """A page of providers, by slug."""

    items: list[KnownProviderOut]
    next_cursor: str | None


@router.get(
    "/regions", response_model=RegionsOut, operation_id="listRegions", summary="All regions"
)
async def list_regions(tx: Tx, page: PageIn) -> Response:
    """Return the regions of the country."""
    known = (await tx.snapshots.reference(tx)).regions.values()
    items, cursor = _cut(page, list(known), key=lambda region: region.code)
    return RegionsOut(
        items=[KnownRegionOut.of(region) for region in items], next_cursor=cursor
    ).reply()


@router.get(
    "/municipalities",
    response_model=MunicipalitiesOut,
    operation_id="listMunicipalities",
    summary="All municipalities",
)
async def list_municipalities(tx: Tx, page: PageIn) -> Response:
    """Return the municipalities of the country, with the region of each."""
    known = (await tx.snapshots.reference(tx)).municipalities.values()
    items, cursor = _cut(page, list(known), key=lambda municipality: municipality.code)
    return MunicipalitiesOut(
        items=[KnownMunicipalityOut.of(one) for one in items], next_cursor=cursor
    ).reply()


@router.get(
    "/providers", response_model=ProvidersOut, operation_id="listProviders", summary="All providers"
)
async def list_providers(tx: Tx, page: PageIn) -> Response:
    """Return the shelter organisations, with their switchboards."""
    known = (await tx.snapshots.providers(tx)).values()
    items, cursor = _cut(page, list(known), key=lambda provider: provider.slug)
    return ProvidersOut(
        items=[KnownProviderOut.of(provider) for provider in items], next_cursor=cursor
    ).reply()


def _cut(
    page: Page, known: Sequence[Item], *, key: Callable[[Item], str]
) -> tuple[list[Item], str | None]:
    after = page.after[0] if page.after else ""
    rest = sorted((item for item in known if key(item) > after), key=key)
    return page.cut(rest[: page.limit + 1], place=lambda item: (key(item),))
