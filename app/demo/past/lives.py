"""Lives of the demo country's past, on their way to rows and leaves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from app.allocation.ledger.stays import LeavesDue
from app.database.reference import Reference
from app.database.register import ProviderCard, RegisterSnapshot
from app.reference import load
from app.registry.first_load import Batch
from app.seal import Keyring
from app.simulation.country.luck import Luck
from app.simulation.country.past import HouseholdHistory, PastStay

Moment: TypeAlias = Callable[[int], datetime]
"""Makes a moment of a minute of the past."""


@dataclass(frozen=True, slots=True)
class RecordedStay:
    """A visit as its placement has it, and which leaves its arrival asks for."""

    id: UUID
    began_with: UUID
    visit: PastStay
    receiver_id: UUID
    origin_region: str
    receiving: str
    arrived_at: datetime
    departed_at: datetime | None
    ready_since: date | None
    leaves: LeavesDue


@dataclass(frozen=True, slots=True)
class RecordedLife:
    """A household's life as rows have it."""

    history: HouseholdHistory
    stays: Sequence[RecordedStay]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every life is told by."""

    reference: Reference
    snapshot: RegisterSnapshot
    senders: Mapping[str, Sequence[ProviderCard]]
    """The providers by region that they serve."""
    place_in: Mapping[str, UUID]
    """A place of each group: where one was asked for and none was given."""
    at: datetime
    kept_for: timedelta
    """How long what is sealed is kept after the end."""
    keyring: Keyring
    luck: Luck
    moment: Moment
    batch: Batch


def noted_at(day: date) -> datetime:
    """Return when a day was noted: in its first hour, before a household can have left."""
    return load().country.midnight(day).astimezone(UTC)
