"""Availability on the wire: bands for everybody, exact numbers for the owner."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.api.kit.known_codes import PlaceKind, RegionCode
from app.api.kit.lists import ListIn
from app.api.kit.wire import Out
from app.deps import Tx
from app.registry import availability

router = APIRouter(tags=["Availability"])


class OwnOut(Out):
    """The caller's own provider's places, as they are now."""

    total: int
    free: int
    held: int
    occupied: int
    out_of_service: int
    confirmed_at: datetime | None = Field(
        description="Of the least recently confirmed site; null: one never was."
    )


class AvailableOut(
    Out,
    json_schema_extra={
        "description": "What a region has of one kind of place, as it was at the last step; own "
        "places as they are now."
    },
):
    """What a region has of one kind of place."""

    region: str
    kind: str
    free: Literal["0", "1-2", "3+"]
    total: int
    freshness: Literal["fresh", "stale", "unknown"] = Field(description="Of the least fresh site.")
    own: OwnOut | None


class AvailabilityOut(Out):
    """A page of what is available, by region and kind."""

    items: list[AvailableOut]
    next_cursor: str | None


@router.get(
    "/availability",
    response_model=AvailabilityOut,
    summary="What is free, and where",
)
async def list_availability(
    tx: Tx,
    page: ListIn,
    kind: Annotated[PlaceKind | None, Query(description="Only this kind of place.")] = None,
    region: Annotated[RegionCode | None, Query(description="Only this region.")] = None,
) -> Response:
    """Return what there is, by region and kind of place; regions without places are left out."""
    found = await availability.read(tx, kind=kind, region=region)
    rest = [one for one in found if page.after is None or (one.region, one.kind) > page.after]
    return AvailabilityOut.of(page.cut(rest, place=lambda one: (one.region, one.kind))).reply()
