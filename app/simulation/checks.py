"""An independent check of every placement, by other code than chose it.

Written from the design, and sharing no line with the rules: what they let through by mistake is
counted here.
"""

from collections.abc import Callable, Mapping
from math import acos, cos, radians, sin

from app.allocation.values import Household, Need, PlaceGroup
from app.reference import Municipality

EARTH_KM = 6371.0088
GROWN = 17


def km_between(one: Municipality, other: Municipality) -> float:
    """Return the great-circle distance of two positions, by the spherical law of cosines."""
    north, north_too = radians(one.lat), radians(other.lat)
    cosine = sin(north) * sin(north_too) + cos(north) * cos(north_too) * cos(
        radians(one.lon - other.lon)
    )
    return EARTH_KM * acos(max(-1.0, min(1.0, cosine)))


class PlacementWatch:
    """Looks at placements and counts what is wrong with them, by what it is."""

    def __init__(self, towns: Mapping[str, Municipality], *, unassessed_km: int) -> None:
        self._towns = towns
        self._unassessed_km = unassessed_km
        self._inside: dict[str, int] = {}

    def check_arrival(self, need: Need, place: PlaceGroup) -> tuple[str, ...]:
        """Return what is wrong with a household's coming to a place, nothing where all is well."""
        self._inside[place.id] = self._inside.get(place.id, 0) + 1
        found = [name for name, wrong in WRONG.items() if wrong(need, place)]
        if self._in_danger(need, place):
            found.append("too near")
        if self._inside[place.id] > place.places:
            found.append("two households in one place")
        return tuple(found)

    def note_departure(self, place: PlaceGroup) -> None:
        """Note that a place of a group is empty again."""
        self._inside[place.id] -= 1

    def _in_danger(self, need: Need, place: PlaceGroup) -> bool:
        zones = [(zone.municipality, zone.radius_km) for zone in need.danger_zones]
        if need.danger_assessment == "not_asked":
            zones.append((need.origin, self._unassessed_km))
        site = self._towns[place.municipality]
        for town, radius_km in zones:
            zone = self._towns[town]
            sure_km = km_between(zone, site) - zone.extent_km - site.extent_km
            if town == site.code or sure_km < radius_km:
                return True
        return False


def _no_bed(need: Need, place: PlaceGroup) -> bool:
    return len(need.household.adults) + len(need.household.children) > place.bed_spaces


def _not_admitted(need: Need, place: PlaceGroup) -> bool:
    grown_ups = {adult.gender for adult in need.household.adults}
    return (
        bool(grown_ups.difference(place.genders))
        or _eldest_boy(need.household) > place.sons_up_to_age
    )


def _eldest_boy(household: Household) -> int:
    ages = [
        GROWN if child.age is None else child.age
        for child in household.children
        if child.gender != "female"
    ]
    return max([-1, *ages])


def _known_address(need: Need, place: PlaceGroup) -> bool:
    hunted = need.threat_level is not None and need.threat_level > 2  # noqa: PLR2004 - the highest level
    return place.address_secrecy == "known" and (hunted or "confidential_address" in need.needs)


def _for_others(need: Need, place: PlaceGroup) -> bool:
    return bool(place.exclusive_to) and not set(place.exclusive_to) & set(need.target_groups)


def _is_lacking(need: Need, place: PlaceGroup) -> bool:
    asked = {*need.needs, *(["pets"] if need.household.pets else [])} - {"confidential_address"}
    has = {*place.features, *(["supervision_24h"] if place.supervision == "24h" else [])}
    return not asked <= has


WRONG: Mapping[str, Callable[[Need, PlaceGroup], bool]] = {
    "too few beds": _no_bed,
    "somebody not admitted": _not_admitted,
    "a known address": _known_address,
    "a site for others": _for_others,
    "something needed is lacking": _is_lacking,
}
"""What the place itself can be wrong in."""
