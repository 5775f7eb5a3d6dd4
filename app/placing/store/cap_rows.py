"""Caps of regions: their rows, whether one is reached, and the nights that they displaced."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, insert, select, text, tuple_, update

from app.database.transaction import Transaction
from app.models import Cap, Displacement, QuarterFigures


@dataclass(frozen=True, slots=True)
class CapRow:
    """A cap as everybody may see it, without the auditor who set it; `index` is its leaf."""

    id: UUID
    region: str
    at_most: int
    reason: str
    first_day: date
    last_day: date
    begins_at: datetime
    ends_at: datetime
    index: int
    set_at: datetime
    withdrawn_at: datetime | None
    withdrawn_on: date | None

    def holds(self, at: datetime) -> bool:
        """Whether the cap is in force at a moment."""
        return self.withdrawn_at is None and self.begins_at <= at < self.ends_at


_COLUMNS = tuple(getattr(Cap, name) for name in CapRow.__slots__)


async def overlaps(tx: Transaction, region: str, *, begins_at: datetime, ends_at: datetime) -> bool:
    """Whether a region has a cap in force at any moment of a period."""
    then = (
        Cap.region == region,
        Cap.withdrawn_at.is_(None),
        Cap.begins_at < ends_at,
        Cap.ends_at > begins_at,
    )
    return bool((await tx.rows(select(exists().where(*then))))[0][0])


async def add(tx: Transaction, values: Mapping[str, Any]) -> None:
    """Store a new cap."""
    await tx.run(insert(Cap).values(**values))


async def read(tx: Transaction, cap_id: UUID, *, lock: bool = False) -> CapRow | None:
    """Return a cap; locked, by those who may change it, if asked."""
    wanted = select(*_COLUMNS).where(Cap.id == cap_id)
    row = await tx.row(wanted.with_for_update() if lock else wanted)
    return None if row is None else CapRow(*row)


async def withdraw(tx: Transaction, cap_id: UUID, *, on: date) -> None:
    """Withdraw a cap from this moment on."""
    ended = update(Cap).where(Cap.id == cap_id, Cap.withdrawn_at.is_(None))
    await tx.run(ended.values(withdrawn_at=func.clock_timestamp(), withdrawn_on=on))


async def list_for(
    tx: Transaction, *, region: str | None, limit: int, after: tuple[date, UUID] | None
) -> list[CapRow]:
    """Return the caps of one or all regions, the latest to begin first."""
    wanted = select(*_COLUMNS).order_by(Cap.first_day.desc(), Cap.id.desc()).limit(limit)
    if region is not None:
        wanted = wanted.where(Cap.region == region)
    if after is not None:
        wanted = wanted.where(tuple_(Cap.first_day, Cap.id) < tuple_(*after))
    return [CapRow(*row) for row in await tx.rows(wanted)]


async def list_between(tx: Transaction, first: date, last: date) -> list[CapRow]:
    """Return the caps in force on any day from one to another, the earliest to begin first."""
    ended = func.coalesce(Cap.withdrawn_on, Cap.last_day)
    wanted = select(*_COLUMNS).where(Cap.first_day <= last, ended >= first)
    return [CapRow(*row) for row in await tx.rows(wanted.order_by(Cap.first_day, Cap.id))]


# --- whether there is room under one --------------------------------------------------

_CAPPED = text("SELECT capped_regions(:besides) AS region")
_HAS_ROOM = text("SELECT cap_has_room(:region, :besides) AS has_room")


async def capped_regions(tx: Transaction, *, besides: UUID) -> frozenset[str]:
    """Return the regions whose cap is reached, not counting the place of one referral."""
    return frozenset(row.region for row in await tx.rows(_CAPPED, {"besides": besides}))


async def has_room(tx: Transaction, region: str, *, besides: UUID) -> bool:
    """Whether a region's cap has room for one more household; other transactions wait."""
    return bool((await tx.rows(_HAS_ROOM, {"region": region, "besides": besides}))[0].has_room)


# --- what it displaced ----------------------------------------------------------------


async def held_at(tx: Transaction, regions: Sequence[str], *, at: datetime) -> list[UUID]:
    """Return the caps of some regions that were in force at a moment."""
    then = (Cap.region.in_(regions), Cap.begins_at <= at, Cap.ends_at > at)
    held = (*then, func.coalesce(Cap.withdrawn_at, text("'infinity'::timestamptz")) > at)
    return [row.id for row in await tx.rows(select(Cap.id).where(*held).order_by(Cap.id))]


async def displaced_nights(
    tx: Transaction, quarters: Sequence[str] | None = None
) -> list[Mapping[str, int | None]]:
    """Return the nights displaced by cap, one mapping for each of some or all sealed quarters."""
    wanted = select(QuarterFigures.figures["displaced"].label("displaced"))
    rows = await tx.rows(
        wanted if quarters is None else wanted.where(QuarterFigures.quarter.in_(quarters))
    )
    return [row.displaced for row in rows]


async def note_displacement(tx: Transaction, index: int, cap_ids: Sequence[UUID]) -> None:
    """Note which caps displaced a household, by the leaf of its arrival elsewhere."""
    if cap_ids:
        await tx.run_each(
            insert(Displacement), [{"index": index, "cap_id": cap_id} for cap_id in cap_ids]
        )
