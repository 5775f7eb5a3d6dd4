"""The safety of municipalities for one household.

Danger zones, distances and margins.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, cos, floor, radians, sin, sqrt
from typing import TYPE_CHECKING, Protocol

from app.allocation.values import DangerZone

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from app.allocation.policy.policy import Policy
    from app.allocation.values import Need


# --- distances -------------------------------------------------------------------------

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the earth (IUGG): the sphere closest to the ellipsoid, within half a per cent for
any distance."""


def distance_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance between two positions in degrees (haversine formula)."""
    north1, north2 = radians(lat1), radians(lat2)
    half_chord_squared = (
        sin((north2 - north1) / 2) ** 2
        + cos(north1) * cos(north2) * sin(radians(lon2 - lon1) / 2) ** 2
    )
    # Rounding may carry the square past 1 for positions on opposite sides of the earth.
    return 2 * EARTH_RADIUS_KM * asin(sqrt(min(1.0, half_chord_squared)))


def clearance_km(
    lat1: float, lon1: float, extent1: float, lat2: float, lon2: float, extent2: float
) -> int:
    """Whole km that surely lie between anything in one municipality and anything in the other.

    The distance of the centroids, less the extent of both (the farthest that anything in a
    municipality can be from its centroid), rounded down. Negative where the two may overlap.
    Symmetric. Source: docs/design.md, section 5.
    """
    return floor(distance_km(lat1, lon1, lat2, lon2) - extent1 - extent2)


# --- danger ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dangers:
    """The danger zones of a day, and whether an assessment of the danger still holds."""

    zones: tuple[DangerZone, ...]
    assessed: bool


class DangersOn(Protocol):
    """As `dangers_on` below."""

    def __call__(self, need: Need, *, today: date, policy: Policy) -> Dangers: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Room:
    """How much room a lawful municipality leaves, as others may see it.

    `band` is ample when every zone leaves at least the policy's margin over its radius, else
    sufficient; more than ample earns nothing. `clearance_km` from the nearest zone and `margin_km`,
    the least that any zone leaves over, are rounded down to multiples of 5; None when there is no
    zone at all.
    """

    band: str
    clearance_km: int | None
    margin_km: int | None


NO_ZONE = Room("ample", clearance_km=None, margin_km=None)

DISTANCE_STEP_KM = 5
"""Exact distances from several towns would pin down where a site is."""


def coarse_km(km: int) -> int:
    """A distance rounded down to a multiple of 5, never negative."""
    return max(0, km // DISTANCE_STEP_KM * DISTANCE_STEP_KM)


def dangers_on(need: Need, *, today: date, policy: Policy) -> Dangers:
    """The zones in force on a local day; without an assessment the origin is one too.

    Source: docs/design.md, section 5 (unknown counts as the worst: an assessment whose zones have
    all run out).
    """
    in_force = zones_in_force(need.danger_zones, today=today)
    if assessment_holds(need.danger_assessment, in_force=bool(in_force)):
        return Dangers(in_force, assessed=True)
    return dangers_with_origin(need, in_force, policy=policy)


def zones_in_force(zones: Iterable[DangerZone], *, today: date) -> tuple[DangerZone, ...]:
    """The zones whose last day has not passed."""
    return tuple(zone for zone in zones if not zone.has_ended(today))


def assessment_holds(assessment: str, *, in_force: bool) -> bool:
    """Whether danger is assessed.

    None is known, or a zone that was found is in force.
    """
    return assessment == "none_known" or (assessment == "assessed" and in_force)


def dangers_with_origin(need: Need, zones: tuple[DangerZone, ...], *, policy: Policy) -> Dangers:
    """What counts as long as danger is not assessed.

    The origin is a zone with the policy's radius.
    """
    return Dangers(
        (*zones, DangerZone(need.origin, policy.unassessed_radius_km, until=None)), assessed=False
    )


def lawful_rooms(
    municipalities: Iterable[str],
    *,
    zones: tuple[DangerZone, ...],
    clearances: Mapping[str, Mapping[str, int]],
    ample_margin_km: int,
) -> dict[str, Room]:
    """The municipalities that keep clear of every zone, and by how much.

    The others are absent.

    Lawful is a clearance of at least the radius, outside the zone's own municipality. A clearance
    that is not known is never enough.
    """
    if not zones:
        return dict.fromkeys(municipalities, NO_ZONE)
    # Of several zones in one municipality the widest decides.
    widest: dict[str, int] = {}
    for zone in zones:
        widest[zone.municipality] = max(zone.radius_km, widest.get(zone.municipality, 0))
    zones_km = [(clearances.get(zone, {}), radius_km) for zone, radius_km in widest.items()]
    lawful = [municipality for municipality in municipalities if municipality not in widest]
    for km, radius_km in zones_km:
        lawful = [
            municipality
            for municipality in lawful
            if municipality in km and km[municipality] >= radius_km
        ]
    return {
        municipality: _room(
            nearest_km=min(km[municipality] for km, _ in zones_km),
            least_over_km=min(km[municipality] - radius_km for km, radius_km in zones_km),
            ample_margin_km=ample_margin_km,
        )
        for municipality in lawful
    }


def _room(*, nearest_km: int, least_over_km: int, ample_margin_km: int) -> Room:
    band = "ample" if least_over_km >= ample_margin_km else "sufficient"
    return Room(band, clearance_km=coarse_km(nearest_km), margin_km=coarse_km(least_over_km))
