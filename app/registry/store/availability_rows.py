"""Counts of places and free places.

Live for their owner, in steps for everybody else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Executable, delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from app.database.transaction import Transaction
from app.models import AvailabilityStep, Claim, Municipality, Place, PlaceGroup, Site


@dataclass(frozen=True, slots=True)
class AvailabilityCount:
    """The places of one kind that a provider has in a region, and how sure the numbers are."""

    provider_id: UUID
    region: str
    kind: str
    total: int
    free: int
    held: int
    occupied: int
    out_of_service: int
    oldest_confirmation: datetime | None
    unconfirmed: bool
    """Whether a site among them was never confirmed."""

    @property
    def confirmed_at(self) -> datetime | None:
        """When the least recently confirmed site was confirmed.

        None if one never was.
        """
        return None if self.unconfirmed else self.oldest_confirmation

    @property
    def key(self) -> tuple[UUID, str, str]:
        """The provider, region and kind that the count is for."""
        return self.provider_id, self.region, self.kind


_NAMES = tuple(AvailabilityCount.__slots__)
_COLUMNS: tuple[Any, ...] = tuple(getattr(AvailabilityStep, name) for name in _NAMES)


_FREE = Claim.claimed_until <= func.clock_timestamp()


def _claimed_as(*kinds: str) -> ColumnElement[int]:
    return func.count().filter(~_FREE, Claim.kind.in_(kinds))


_COUNTED = (
    select(
        Place.provider_id,
        Municipality.region,
        PlaceGroup.kind,
        func.count().label("total"),
        func.count().filter(_FREE).label("free"),
        _claimed_as("hold").label("held"),
        _claimed_as("placement", "occupied").label("occupied"),
        _claimed_as("out_of_service").label("out_of_service"),
        func.min(Site.confirmed_at).label("oldest_confirmation"),
        func.bool_or(Site.confirmed_at.is_(None)).label("unconfirmed"),
    )
    .select_from(Claim)
    .join(Place, Place.id == Claim.place_id)
    .join(PlaceGroup, PlaceGroup.id == Place.group_id)
    .join(Site, Site.id == Place.site_id)
    .join(Municipality, Municipality.code == Site.municipality)
    .where(Site.status == "approved")
    .group_by(Place.provider_id, Municipality.region, PlaceGroup.kind)
    # Processes that take a step at once lock the same rows in the same order.
    .order_by(Place.provider_id, Municipality.region, PlaceGroup.kind)
)
_UPSERT = insert(AvailabilityStep).from_select(_NAMES, _COUNTED)
# The type checker does not know what `returning` makes of a tuple.
_TAKE_STEP: Executable = _UPSERT.on_conflict_do_update(  # pyright: ignore[reportUnknownVariableType]
    index_elements=["provider_id", "region", "kind"],
    set_={name: _UPSERT.excluded[name] for name in _NAMES[3:]}
    | {"taken_at": func.clock_timestamp()},
).returning(*_COLUMNS)
_STEP = select(*_COLUMNS)


async def count_live(tx: Transaction, provider_id: UUID) -> list[AvailabilityCount]:
    """Count the places of a provider as they are now."""
    return [
        AvailabilityCount(*row)
        for row in await tx.rows(_COUNTED.where(Place.provider_id == provider_id))
    ]


async def read_step(tx: Transaction) -> list[AvailabilityCount]:
    """Return the counts of all providers as of the last step."""
    return [AvailabilityCount(*row) for row in await tx.rows(_STEP)]


async def take_step(tx: Transaction) -> list[AvailabilityCount]:
    """Count everything again, for all to see once this is committed.

    Return the counts.
    """
    return [AvailabilityCount(*row) for row in await tx.rows(_TAKE_STEP)]


async def forget_counts(tx: Transaction, vanished: Iterable[AvailabilityCount]) -> None:
    """Delete the counts of what does not exist any more."""
    keys = [count.key for count in vanished]
    row = tuple_(AvailabilityStep.provider_id, AvailabilityStep.region, AvailabilityStep.kind)
    await tx.run(delete(AvailabilityStep).where(row.in_(keys)))
