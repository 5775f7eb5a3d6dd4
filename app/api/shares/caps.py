"""Caps on the wire: a region's auditors set and withdraw them, and everybody sees them."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.api.kit.known import CapReason
from app.api.kit.once import OnceIn
from app.api.kit.pages import Page, PageIn
from app.api.kit.wire import Day, In, Out, parse
from app.api.registry.availability import RegionCode
from app.deps import Tx
from app.placing import caps
from app.placing.caps import CapRequest, CapView

router = APIRouter(tags=["Caps"])

MOST = 1000


class CapIn(In):
    """A cap to be set for the caller's own region, for other reasons than safety."""

    at_most: Annotated[int, Field(strict=True, ge=0, le=MOST)] = Field(
        description="How many households of other regions it takes at once: held, on the way or there.",
        examples=[3],
    )
    reason: CapReason
    from_: Day | None = Field(
        default=None, alias="from", description="The first day; without it, today."
    )
    until: Day = Field(description="The last day, included; within three months from the first.")


class CapOut(Out):
    """A cap: visible to all."""

    id: str
    region: str
    at_most: int = Field(
        description="Households of other regions at once; one that flees is never counted nor refused."
    )
    reason: str
    from_: dt.date = Field(alias="from")
    until: dt.date = Field(description="The last day, included.")
    in_force: bool
    withdrawn_on: dt.date | None
    ledger_leaf: int = Field(description="The leaf that says so in clear.")
    displaced_nights: int | None = Field(
        description="Nights spent elsewhere by households for which this cap alone was in the way, in quarters that are"
        " sealed; null: none is, or fewer than 10."
    )

    @classmethod
    def of(cls, shown: CapView) -> "CapOut":
        """Show a cap."""
        cap = shown.cap
        return cls.model_validate(
            {
                "id": str(cap.id),
                "region": cap.region,
                "at_most": cap.at_most,
                "reason": cap.reason,
                "from": cap.first_day,
                "until": cap.last_day,
                "in_force": shown.in_force,
                "withdrawn_on": cap.withdrawn_on,
                "ledger_leaf": cap.index,
                "displaced_nights": shown.displaced_nights,
            }
        )


class CapList(Out):
    """A page of caps."""

    items: list[CapOut]
    next_cursor: str | None


@router.post(
    "/caps", status_code=201, response_model=CapOut, operation_id="setCap", summary="Set a cap"
)
async def set_cap(wanted: CapIn, tx: Tx, once: OnceIn) -> Response:
    """Say how many households of other regions the caller's region takes at once for other reasons than safety."""
    cap = CapRequest(wanted.at_most, wanted.reason, wanted.from_, wanted.until)
    return await once.keep(tx, CapOut.of(await caps.set_cap(tx, cap)).reply(201))


@router.get("/caps", response_model=CapList, operation_id="listCaps", summary="All caps")
async def list_caps(
    tx: Tx,
    page: PageIn,
    region: Annotated[RegionCode | None, Query(description="Only of this region.")] = None,
) -> Response:
    """List the caps of all regions, the one that begins last first."""
    found = await caps.list_for(tx, region=region, limit=page.limit + 1, after=_after(page))
    items, cursor = page.cut(
        found, place=lambda one: (one.cap.first_day.isoformat(), str(one.cap.id))
    )
    return CapList(items=[CapOut.of(one) for one in items], next_cursor=cursor).reply()


@router.post(
    "/caps/{id}/withdrawal",
    response_model=CapOut,
    operation_id="withdrawCap",
    summary="End a cap early",
)
async def withdraw_cap(id: str, tx: Tx, once: OnceIn) -> Response:
    """End a cap of the caller's region at once."""
    return await once.keep(tx, CapOut.of(await caps.withdraw_cap(tx, parse(id))).reply())


def _after(page: Page) -> tuple[dt.date, UUID] | None:
    if page.after is None:
        return None
    day, id_ = page.after
    return dt.date.fromisoformat(day), UUID(id_)
