"""The surest distance.

Known distances come out, and it never promises more than there is.
"""

from __future__ import annotations

from math import pi

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.allocation.ranking.safety import EARTH_RADIUS_KM, clearance_km, distance_km

latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)
extents = st.floats(0, 50)


@pytest.mark.parametrize(
    "one, other, km",
    [
        ((0.0, 0.0), (0.0, 1.0), EARTH_RADIUS_KM * pi / 180),
        ((0.0, 0.0), (0.0, 180.0), EARTH_RADIUS_KM * pi),
        ((90.0, 12.0), (-90.0, 77.0), EARTH_RADIUS_KM * pi),
        ((52.0, 5.0), (52.0, 5.0), 0.0),
        ((0.0, 179.5), (0.0, -179.5), EARTH_RADIUS_KM * pi / 180),
    ],
)
def test_distances_on_the_globe(
    one: tuple[float, float], other: tuple[float, float], km: float
) -> None:
    assert distance_km(*one, *other) == pytest.approx(km)


def test_a_known_distance_between_two_towns() -> None:
    # The Hague to Groningen is 198 km on the ellipsoid between these centroids; the sphere is
    # within half a per cent.
    assert distance_km(52.073, 4.303, 53.218, 6.620) == pytest.approx(201, rel=0.02)


def test_clearance_takes_off_both_extents_and_rounds_down() -> None:
    assert clearance_km(0, 0, 10, 0, 1, 11) == 90
    assert clearance_km(0, 0, 10, 0, 1, 11.195) == 89 + (111.195080 - 10 - 11.195 >= 90)


def test_where_two_municipalities_may_overlap_the_clearance_is_below_nought() -> None:
    assert clearance_km(52, 5, 8, 52, 5, 8) == -16


@given(latitudes, longitudes, extents, latitudes, longitudes, extents)
def test_clearance_is_the_same_both_ways_and_never_more_than_the_distance(
    lat1: float, lon1: float, extent1: float, lat2: float, lon2: float, extent2: float
) -> None:
    there = clearance_km(lat1, lon1, extent1, lat2, lon2, extent2)

    assert abs(there - clearance_km(lat2, lon2, extent2, lat1, lon1, extent1)) <= 1
    assert there <= distance_km(lat1, lon1, lat2, lon2)
