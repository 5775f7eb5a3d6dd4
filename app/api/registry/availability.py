"""Availability: bands for everybody, exact numbers for the owner, never anything of a foreign site."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, Field

from app.api.kit.known import PlaceKind
from app.api.kit.pages import PageIn
from app.api.kit.wire import Out
from app.deps import REFERENCE, Tx
from app.registry import availability
from app.registry.availability import AvailabilityCount

router = APIRouter(tags=["Availability"])


def _region(code: str) -> str:
    if code not in REFERENCE.get().regions:
        message = "is not a known region"
        raise ValueError(message)
    return code


RegionCode = Annotated[str, AfterValidator(_region)]


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

    @classmethod
    def of(cls, count: AvailabilityCount) -> "OwnOut":
        """Return own counts as they are sent."""
        return cls(
            total=count.total,
            free=count.free,
            held=count.held,
            occupied=count.occupied,
            out_of_service=count.out_of_service,
            confirmed_at=None if count.unconfirmed else count.oldest_confirmation,
        )


class AvailableOut(Out):
    """What a region has of one kind of place, as it was at the last step; own places as they are now."""

    region: str
    kind: str
    free: Literal["0", "1-2", "3+"]
    total: int
    freshness: Literal["fresh", "stale", "unknown"] = Field(description="Of the least fresh site.")
    own: OwnOut | None

    @classmethod
    def of(cls, available: availability.Availability) -> "AvailableOut":
        """Return what is available as it is sent."""
        return cls.model_validate(
            {
                "region": available.region,
                "kind": available.kind,
                "free": available.free,
                "total": available.total,
                "freshness": available.freshness,
                "own": available.own and OwnOut.of(available.own),
            }
        )


class AvailabilityOut(Out):
    """A page of what is available, by region and kind."""

    items: list[AvailableOut]
    next_cursor: str | None


@router.get(
    "/availability",
    response_model=AvailabilityOut,
    operation_id="listAvailability",
    summary="What is free, and where",
)
async def list_availability(
    tx: Tx,
    page: PageIn,
    kind: Annotated[PlaceKind | None, Query(description="Only this kind of place.")] = None,
    region: Annotated[RegionCode | None, Query(description="Only this region.")] = None,
) -> Response:
    """Return what there is, by region and kind of place; regions without places are left out."""
    found = await availability.read(tx, kind=kind, region=region)
    rest = [one for one in found if page.after is None or (one.region, one.kind) > page.after]
    items, cursor = page.cut(rest, place=lambda one: (one.region, one.kind))
    return AvailabilityOut(
        items=[AvailableOut.of(one) for one in items], next_cursor=cursor
    ).reply()
