"""The surest distance between two municipalities: what anyone in the one is at least away from anyone in the other."""

from __future__ import annotations

from math import asin, cos, floor, radians, sin, sqrt

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the earth (IUGG): the sphere closest to the ellipsoid, within half a per cent for any distance."""


def distance_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance between two positions in degrees, by the haversine formula (exact at short distances)."""
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
