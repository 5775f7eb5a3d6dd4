"""Caps on the wire: a region's auditors set and withdraw them, and everybody sees them."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AliasPath, Field

from app.api.kit.known_codes import CapReason, RegionCode
from app.api.kit.lists import ListIn, ListRequest
from app.api.kit.once import OnceIn
from app.api.kit.wire import Day, Id, In, Out, aliases_from, parse_id
from app.deps import Tx
from app.placing import caps
from app.placing.caps import CapRequest

router = APIRouter(tags=["Caps"])

MOST = 1000


class CapIn(In):
    """A cap to be set for the caller's own region, for other reasons than safety."""

    at_most: Annotated[int, Field(strict=True, ge=0, le=MOST)] = Field(
        description="How many households of other regions it takes at once: held, on the way or "
        "there.",
        examples=[3],
    )
    reason: CapReason
    from_: Day | None = Field(
        default=None, alias="from", description="The first day; without it, today."
    )
    until: Day = Field(description="The last day, included; within three months from the first.")


class CapOut(Out, alias_generator=aliases_from("cap")):
    """A cap: visible to all."""

    id: Id
    region: str
    at_most: int = Field(
        description="Households of other regions at once; one that flees is never counted nor "
        "refused."
    )
    reason: str
    from_: dt.date = Field(
        validation_alias=AliasPath("cap", "first_day"), serialization_alias="from"
    )
    until: dt.date = Field(
        validation_alias=AliasPath("cap", "last_day"), description="The last day, included."
    )
    in_force: bool
    withdrawn_on: dt.date | None
    ledger_leaf: int = Field(
        validation_alias=AliasPath("cap", "index"), description="The leaf that says so in clear."
    )
    displaced_nights: int | None = Field(
        description="Nights spent elsewhere by households for which this cap alone was in the way, "
        "in quarters that are sealed; null: none is, or fewer than 10."
    )


class CapList(Out):
    """A page of caps."""

    items: list[CapOut]
    next_cursor: str | None


@router.post(
    "/caps",
    status_code=201,
    response_model=CapOut,
    summary="Set a cap",
    description="Say how many households of other regions the caller's region takes at once for "
    "other reasons than safety.",
)
async def set_cap(wanted: CapIn, tx: Tx, once: OnceIn) -> Response:
    """Set a cap for the caller's region."""
    cap = CapRequest(wanted.at_most, wanted.reason, wanted.from_, wanted.until)
    return await once.keep(tx, CapOut.of(await caps.set_cap(tx, cap)).reply(201))


@router.get("/caps", response_model=CapList, summary="All caps")
async def list_caps(
    tx: Tx,
    page: ListIn,
    region: Annotated[RegionCode | None, Query(description="Only of this region.")] = None,
) -> Response:
    """List the caps of all regions, the one that begins last first."""
    found = await caps.list_for(tx, region=region, limit=page.limit + 1, after=_after(page))
    shown = page.cut(found, place=lambda one: (one.cap.first_day.isoformat(), str(one.cap.id)))
    return CapList.of(shown).reply()


@router.post(
    "/caps/{id}/withdrawal",
    response_model=CapOut,
    summary="End a cap early",
)
async def withdraw_cap(id: str, tx: Tx, once: OnceIn) -> Response:
    """End a cap of the caller's region at once."""
    return await once.keep(tx, CapOut.of(await caps.withdraw_cap(tx, parse_id(id))).reply())


def _after(page: ListRequest) -> tuple[dt.date, UUID] | None:
    if page.after is None:
        return None
    day, id_ = page.after
    return dt.date.fromisoformat(day), UUID(id_)
