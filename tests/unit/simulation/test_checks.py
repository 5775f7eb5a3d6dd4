"""The check that counts harm finds each kind of it, and shares no code with the rules."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

import app.simulation.checks
from app.allocation.ranking.safety import clearance_km
from app.allocation.values import Adult, Child, DangerZone, Household, Need, PlaceGroup
from app.reference import load
from app.simulation.checks import PlacementWatch
from tests.unit.allocation.cases import PLACE, SAFE_NEED

TOWNS = {town.code: town for town in load().municipalities}
HOME, NEXT_DOOR, FAR = "GM0518", "GM1926", "GM0014"
FLEES = replace(
    SAFE_NEED, origin=HOME, danger_assessment="assessed", danger_zones=(DangerZone(HOME, 50, None),)
)
THERE = replace(PLACE, municipality=FAR)


def watch() -> PlacementWatch:
    return PlacementWatch(TOWNS, unassessed_km=50)


def with_household(**changes: object) -> Need:
    return replace(FLEES, household=replace(FLEES.household, **changes))


def test_nothing_is_found_where_all_is_well() -> None:
    assert watch().check_arrival(FLEES, THERE) == ()


@pytest.mark.parametrize(
    "need, place, found",
    [
        (FLEES, replace(THERE, municipality=NEXT_DOOR), "too near"),
        (
            replace(FLEES, danger_zones=(DangerZone(HOME, 0, None),)),
            replace(THERE, municipality=HOME),
            "too near",
        ),
        (
            replace(FLEES, danger_assessment="not_asked", danger_zones=()),
            replace(THERE, municipality=NEXT_DOOR),
            "too near",
        ),
        (with_household(adults=(Adult("female", 30),) * 2), THERE, "too few beds"),
        (with_household(adults=(Adult("male", 30),)), THERE, "somebody not admitted"),
        (
            with_household(children=(Child(None, None),)),
            replace(THERE, bed_spaces=2, sons_up_to_age=14),
            "somebody not admitted",
        ),
        (
            replace(FLEES, threat_level=3),
            replace(THERE, address_secrecy="known"),
            "a known address",
        ),
        (
            replace(FLEES, needs=("confidential_address",)),
            replace(THERE, address_secrecy="known"),
            "a known address",
        ),
        (FLEES, replace(THERE, exclusive_to=("lgbtiq",)), "a site for others"),
        (replace(FLEES, needs=("wheelchair",)), THERE, "something needed is lacking"),
        (
            replace(FLEES, needs=("supervision_24h",)),
            replace(THERE, supervision="none"),
            "something needed is lacking",
        ),
        (with_household(pets=1), THERE, "something needed is lacking"),
    ],
)
def test_each_kind_of_harm_is_found(need: Need, place: PlaceGroup, found: str) -> None:
    assert watch().check_arrival(need, place) == (found,)


def test_two_households_in_one_place_are_found_until_one_has_left() -> None:
    single, seen = replace(THERE, places=1), watch()

    assert seen.check_arrival(FLEES, single) == ()
    assert seen.check_arrival(FLEES, single) == ("two households in one place",)
    seen.note_departure(single)
    seen.note_departure(single)
    assert seen.check_arrival(FLEES, single) == ()


def test_a_household_whose_needs_are_met_is_not_counted() -> None:
    need = replace(
        FLEES, household=Household((Adult("female", 30),), (Child(14, "male"),), 1, pregnant=False)
    )
    place = replace(THERE, bed_spaces=2, sons_up_to_age=14, features=("pets",))

    assert watch().check_arrival(need, place) == ()


def test_distances_are_those_of_the_rules_though_reckoned_otherwise() -> None:
    towns = load().municipalities
    for one, other in zip(towns, towns[7:], strict=False):
        sure_km = app.simulation.checks.km_between(one, other) - one.extent_km - other.extent_km
        ruled = clearance_km(one.lat, one.lon, one.extent_km, other.lat, other.lon, other.extent_km)
        assert ruled == int(sure_km // 1)


def test_it_imports_values_and_no_rule() -> None:
    tree = ast.parse(Path(app.simulation.checks.__file__).read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {name for name in imported if name and name.startswith("app.")} == {
        "app.allocation.values",
        "app.reference",
    }
