"""The simulated country: register, distances and weights, the same for every way."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from app.allocation.ranking.safety import clearance_km, distance_km
from app.allocation.values import PlaceGroup, Register
from app.reference import Municipality, ReferenceFiles
from app.simulation.assumptions import (
    CLOSED_DAYS,
    CRISIS_DAYS,
    DAY,
    FOLLOW_ON_DAYS,
    HOUR,
    LONGEST_DAYS,
)
from app.simulation.country.luck import Luck
from app.simulation.country.register import EMERGENCY_HOURS, build_country
from app.simulation.country.values import DemoCountry, DemoPlace, DemoSite

Km = Mapping[str, Mapping[str, int]]
"""Whole km by municipality and by a site's municipality."""

LONG = frozenset({"regular", "move_on"})
"""Kinds of place in which people stay until they live on their own again."""


@dataclass(frozen=True, slots=True)
class TakenPlace:
    """A place that is not free when the year begins, and the minute in which it comes free."""

    group: str
    until: int


@dataclass(frozen=True, slots=True)
class World:
    """What does not change in a year, and what is taken when it begins."""

    register: Register
    groups: Mapping[str, PlaceGroup]
    clearances: Km
    """The surest distance, for the rules."""
    distances: Km
    """Between the two positions, for nearness and for the tables."""
    weights: Mapping[str, int]
    towns: Mapping[str, Municipality]
    taken: tuple[TakenPlace, ...]

    @property
    def providers(self) -> tuple[str, ...]:
        """Every provider, in an order that does not change."""
        return tuple(dict.fromkeys(group.provider_id for group in self.register.groups))

    @property
    def places(self) -> Mapping[str, int]:
        """How many places each region has."""
        places = dict.fromkeys(sorted(self.weights), 0)
        for group in self.register.groups:
            places[group.region] += group.places
        return places


def demo_world(reference: ReferenceFiles, *, seed: int) -> World:
    """Return the demo country of a seed.

    Every site admits, and nearly every place is taken.
    """
    groups = _groups(build_country(reference, seed=seed), reference)
    register = Register(tuple(group for group, _ in groups.values()))
    stand = ((group, place.status) for group, places in groups.values() for place in places)
    return world_of(
        register,
        reference,
        taken=taken_places(stand, luck=Luck(seed, subject="places at the start")),
    )


def world_of(
    register: Register, reference: ReferenceFiles, *, taken: Iterable[TakenPlace]
) -> World:
    """Return the country with a register, and with some of its places taken."""
    sites = {
        town.code: town for town in reference.municipalities if town.code in register.municipalities
    }
    clearances: dict[str, dict[str, int]] = {}
    distances: dict[str, dict[str, int]] = {}
    for town in reference.municipalities:
        position = town.lat, town.lon, town.extent_km
        clearances[town.code] = {
            code: clearance_km(*position, site.lat, site.lon, site.extent_km)
            for code, site in sites.items()
        }
        distances[town.code] = {
            code: round(distance_km(town.lat, town.lon, site.lat, site.lon))
            for code, site in sites.items()
        }
    dated = sorted(reference.weights, key=lambda weight: weight.date)
    return World(
        register=register,
        groups={group.id: group for group in register.groups},
        clearances=clearances,
        distances=distances,
        weights={weight.region: weight.weight for weight in dated},
        towns={town.code: town for town in reference.municipalities},
        taken=tuple(taken),
    )


Alike = tuple[PlaceGroup, tuple[DemoPlace, ...]]
"""A group, and the places in it."""


def _groups(country: DemoCountry, reference: ReferenceFiles) -> dict[tuple[object, ...], Alike]:
    """Return the places of each site that are alike, by what makes them so."""
    region_of = {town.code: town.region for town in reference.municipalities}
    sites = {site.id: site for site in country.sites}
    alike: dict[tuple[object, ...], list[DemoPlace]] = {}
    for place in country.places:
        mark = (
            place.site_id,
            place.kind,
            place.bed_spaces,
            place.sharing,
            place.genders,
            place.sons_up_to_age,
        )
        alike.setdefault((*mark, place.features), []).append(place)
    return {
        mark: (_group(number, sites[places[0].site_id], places, region_of=region_of), tuple(places))
        for number, (mark, places) in enumerate(alike.items())
    }


def _group(
    number: int, site: DemoSite, places: list[DemoPlace], *, region_of: Mapping[str, str]
) -> PlaceGroup:
    place = places[0]
    return PlaceGroup(
        id=f"group-{number:04}",
        site_id=str(site.id),
        provider_id=str(site.provider_id),
        municipality=site.municipality,
        region=region_of[site.municipality],
        kind=place.kind,
        bed_spaces=place.bed_spaces,
        sharing=place.sharing,
        genders=place.genders,
        sons_up_to_age=place.sons_up_to_age,
        features=tuple(sorted({*site.features, *place.features})),
        address_secrecy=site.address_secrecy,
        supervision=site.supervision,
        specialisms=site.specialisms,
        exclusive_to=site.exclusive_to,
        admission="open",
        automatic_acceptance=site.automatic_acceptance,
        places=len(places),
    )


def taken_places(places: Iterable[tuple[PlaceGroup, str]], *, luck: Luck) -> Iterator[TakenPlace]:
    """Yield the places, each a group and a status, that are taken at the start.

    For how long does not depend on how long they were already.
    """
    for group, status in places:
        if status == "out_of_service":
            yield TakenPlace(group.id, luck.about(CLOSED_DAYS * DAY, most=LONGEST_DAYS * DAY))
        elif status != "free":
            mean_days = FOLLOW_ON_DAYS if group.kind in LONG else CRISIS_DAYS
            longest = EMERGENCY_HOURS * HOUR if group.kind == "emergency" else LONGEST_DAYS * DAY
            yield TakenPlace(group.id, luck.about(mean_days * DAY, most=longest))
