"""The values of the demo country, with times in hours or minutes before it was filled."""

from dataclasses import dataclass
from uuid import UUID

from app.allocation.values import Household


@dataclass(frozen=True, slots=True)
class DemoZone:
    """A municipality where someone looks for the household, and how far to stay away."""

    municipality: str
    radius_km: int
    cause: str


@dataclass(frozen=True, slots=True)
class DemoCase:
    """A household that has to flee, as an intake worker would write it down."""

    urgency: str
    reason: str
    origin: str
    household: Household
    danger_assessment: str
    danger_zones: tuple[DemoZone, ...]
    perpetrator_whereabouts: str
    threat_level: int | None
    target_groups: tuple[str, ...]
    needs: tuple[str, ...]
    languages: tuple[str, ...]
    near_municipality: str | None


@dataclass(frozen=True, slots=True)
class DemoReferral:
    """A case that is still looking for a place."""

    id: UUID
    provider_id: UUID
    created_minutes_ago: int
    safety_plan: bool
    call_back: str
    """The number of the provider's own desk."""
    barred_providers: tuple[UUID, ...]
    case: DemoCase


@dataclass(frozen=True, slots=True)
class DemoProvider:
    """An invented shelter organisation; its telephone number cannot be dialled."""

    id: UUID
    slug: str
    name: str
    phone: str
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DemoSite:
    """An invented shelter address; its street and postcode cannot exist."""

    id: UUID
    provider_id: UUID
    name: str
    municipality: str
    street: str
    postcode: str
    city: str
    address_secrecy: str
    supervision: str
    features: tuple[str, ...]
    specialisms: tuple[str, ...]
    exclusive_to: tuple[str, ...]
    admission: str
    automatic_acceptance: bool
    confirmed_hours_ago: int | None
    """None: never confirmed."""


@dataclass(frozen=True, slots=True)
class DemoPlace:
    """One unit of a site."""

    id: UUID
    site_id: UUID
    label: str
    kind: str
    bed_spaces: int
    sharing: str
    genders: tuple[str, ...]
    sons_up_to_age: int
    features: tuple[str, ...]
    status: str
    """free, occupied (by a household that came without Plek) or out_of_service."""
    reason: str | None
    """Why it is out of service."""
    status_hours: int
    """For how many hours it has had this status."""


@dataclass(frozen=True, slots=True)
class DemoCountry:
    """A whole register, and the households that are looking for a place in it."""

    seed: int
    providers: tuple[DemoProvider, ...]
    sites: tuple[DemoSite, ...]
    places: tuple[DemoPlace, ...]
    referrals: tuple[DemoReferral, ...]
