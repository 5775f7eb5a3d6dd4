"""The values that a ranking takes and gives, frozen; ids and codes are strings."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

from pydantic import PlainSerializer

KINDS_FOR_URGENCY: Mapping[str, frozenset[str]] = {
    "acute": frozenset({"crisis", "emergency", "regular"}),
    "urgent": frozenset({"crisis", "regular"}),
    "planned": frozenset({"regular", "move_on"}),
}
"""The kinds of place that answer each urgency; `alternative` is never offered.

Source: docs/design.md, section 5.
"""

Moment: TypeAlias = Annotated[dt.datetime, PlainSerializer(dt.datetime.isoformat)]
"""A moment, in documents with its offset in digits."""

Codes: TypeAlias = Annotated[frozenset[str], PlainSerializer(sorted)]
"""Codes or ids without an order, in documents sorted."""

MOST_BEDS, OLDEST_CHILD, LONGEST_NAME = 50, 25, 120
"""The limits of a place's beds, of a child's age, and of a name or a label, at every door."""

PLACE_KINDS = ("crisis", "regular", "emergency", "move_on", "alternative")
"""Every kind of place."""


# --- who is looking for a place -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Adult:
    """One adult: `gender` is female, male or other; `age` in years, where known."""

    gender: str
    age: int | None


@dataclass(frozen=True, slots=True)
class Child:
    """One child: `age` in years and `gender` (female or male), where known."""

    age: int | None
    gender: str | None


@dataclass(frozen=True, slots=True)
class Household:
    """The people, and animals, who come together and stay together."""

    adults: tuple[Adult, ...]
    children: tuple[Child, ...]
    pets: int
    pregnant: bool

    @property
    def persons(self) -> int:
        """How many bed spaces the household needs."""
        return len(self.adults) + len(self.children)


@dataclass(frozen=True, slots=True)
class DangerZone:
    """A municipality to stay away from by `radius_km`, through the day `until` or for good."""

    municipality: str
    radius_km: int
    until: dt.date | None

    def has_ended(self, today: dt.date) -> bool:
        """Whether its last day has passed."""
        return self.until is not None and self.until < today


@dataclass(frozen=True, slots=True)
class Need:
    """What a referral asks for.

    `urgency` is acute, urgent or planned; `reason` is safety, capacity, follow_on or return;
    `danger_assessment` is assessed, none_known or not_asked; `threat_level` 1 to 3. `origin` and
    `near_municipality` are municipalities, `needs` are features, or `confidential_address`, or
    `supervision_24h`.
    """

    urgency: str
    reason: str
    origin: str
    origin_region: str
    household: Household
    danger_assessment: str
    danger_zones: tuple[DangerZone, ...]
    threat_level: int | None
    target_groups: tuple[str, ...]
    needs: tuple[str, ...]
    near_municipality: str | None
    barred_providers: tuple[str, ...]


# --- what there is --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlaceGroup:
    """Interchangeable places at one site, with what the site adds to them.

    `features` are those of the site and of the places together; `places` is how many there are,
    free or not; `sons_up_to_age` is the highest age in years at which a son may come along.
    """

    id: str
    site_id: str
    provider_id: str
    municipality: str
    region: str
    kind: str
    bed_spaces: int
    sharing: str
    genders: tuple[str, ...]
    sons_up_to_age: int
    features: tuple[str, ...]
    address_secrecy: str
    supervision: str
    specialisms: tuple[str, ...]
    exclusive_to: tuple[str, ...]
    admission: str
    automatic_acceptance: bool
    places: int


@dataclass(frozen=True, slots=True)
class Register:
    """All groups of places, in no particular order; each id occurs once."""

    groups: tuple[PlaceGroup, ...]
    municipalities: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """Where the sites are: sorted, each once."""
    places: int = field(init=False, repr=False, compare=False)
    """How many places there are in all."""

    def __post_init__(self) -> None:
        if len({group.id for group in self.groups}) != len(self.groups):
            raise ValueError("a group of places stands in the register twice")
        # A frozen value may still set itself up.
        object.__setattr__(
            self, "municipalities", tuple(sorted({group.municipality for group in self.groups}))
        )
        object.__setattr__(self, "places", sum(group.places for group in self.groups))


@dataclass(frozen=True, slots=True)
class Situation:
    """The situation at the time of a ranking; what a map lacks is unknown, or none.

    Attributes:
        as_of: the moment, in UTC.
        free: free places by group: 1, 2, or 3 for three or more; absent means none.
        confirmed_hours: whole hours since the site was confirmed; None or absent means never.
        clearances: km by danger zone's municipality and site's municipality; absent is never
        lawful.
        near_km: km from the site's municipality to where the household wishes to be near; empty
        without a wish.
        deficits: a region's quota less what it gave, in millionths of a night: positive, it
        still owes.
        occupancy: occupied places of a provider, per mille; absent means not known.
        capped_regions: regions whose cap for capacity reasons is reached.
        declined_sites: sites that declined this referral.
        local_day: the day of `as_of` where the country's clocks are; None, as earlier rules
        recorded it, is UTC's.
    """

    as_of: Moment
    free: Mapping[str, int]
    confirmed_hours: Mapping[str, int | None]
    clearances: Mapping[str, Mapping[str, int]]
    near_km: Mapping[str, int]
    deficits: Mapping[str, int]
    occupancy: Mapping[str, int]
    capped_regions: Codes
    declined_sites: Codes
    local_day: dt.date | None = None

    @property
    def today(self) -> dt.date:
        """The day by which danger zones end."""
        return self.as_of.date() if self.local_day is None else self.local_day

    def __post_init__(self) -> None:
        if self.as_of.utcoffset() != dt.timedelta(0):
            raise ValueError("a situation's moment is in UTC")


# --- what comes out -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Points:
    """One factor's whole points for an offer, with the `params` that its words need."""

    factor: str
    points: int
    params: Mapping[str, int | str]


@dataclass(frozen=True, slots=True)
class Offer:
    """A lawful group with something free, where it came in the order, and why.

    `band` is ample or sufficient; `freshness` fresh, stale or unknown; `clearance_km` (to the
    nearest danger zone) and `margin_km` (the least that any zone leaves over) are rounded down to
    multiples of 5, None without a zone.
    """

    group: PlaceGroup
    rank: int
    band: str
    score: int
    points: tuple[Points, ...]
    free: int
    cross_regional: bool
    clearance_km: int | None
    margin_km: int | None
    freshness: str


@dataclass(frozen=True, slots=True)
class Exclusion:
    """How many places in a region one rule left out."""

    rule: str
    region: str
    places: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """All lawful offers, best first, and all other places by the first rule in their way.

    `considered` counts all places; `lawful_regions` are those where some group would do for this
    household whatever is free today: a safety stay is divided over them.
    """

    offers: tuple[Offer, ...]
    excluded: tuple[Exclusion, ...]
    considered: int
    safety_assessed: bool
    lawful_regions: tuple[str, ...]
