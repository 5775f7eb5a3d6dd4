"""Swaps: what a search finds, what it says without a find, and several at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from app.allocation.swaps.joint_swaps import find_joint_swaps
from app.allocation.swaps.moves import FreePlaces, Mover, school_children
from app.allocation.swaps.swaps import Obstacle, Search, Swap, search
from app.allocation.values import Child, PlaceGroup, Register
from tests.unit.allocation.cases import (
    PLACE,
    POLICY,
    QUIET,
    SAFE_NEED,
    family,
    zone,
)

if TYPE_CHECKING:
    from app.allocation.values import Need

Path = tuple[tuple[str, str], ...]
"""Who moves, and to which group."""


def legs_of(swap: Swap) -> Path:
    return tuple((leg.referral_id, leg.to_group) for leg in swap.legs)


def paths_of(found: Search) -> list[Path]:
    return [legs_of(swap) for swap in found.swaps]


# --- a street of sites: a, b, c ... each in a town of its own -------------------------


def group(name: str, **changes: object) -> PlaceGroup:
    return replace(
        PLACE, id=name, site_id=f"site-{name}", municipality=name, region=name.upper(), **changes
    )  # pyright: ignore[reportArgumentType]


def fleeing(*unsafe: str) -> Need:
    """A household that is safe in every town but these."""
    zones = tuple(zone(town, radius_km=5) for town in unsafe)
    return replace(
        SAFE_NEED, danger_assessment="assessed" if zones else "none_known", danger_zones=zones
    )


def household(
    name: str, at: str | None = None, *, unsafe: str = "", school_children: int = 0
) -> Mover:
    clearances = {town: dict.fromkeys("abcdef", 50) for town in unsafe}
    situation = replace(QUIET, clearances=clearances)
    return Mover(name, fleeing(*unsafe), situation, at, school_children)


STREET = Register(tuple(group(name) for name in "abcdef"))


def searched(wanting: Mover, *movers: Mover, free: str = "f", max_legs: int = 3) -> Search:
    places = FreePlaces(STREET, dict.fromkeys(free, 1))
    return search(
        wanting, movers=movers, places=places, policy=replace(POLICY, swap_max_legs=max_legs)
    )


ANNA = household("anna", unsafe="cdef")
"""Waits; is safe in a and b only."""


def test_one_household_makes_room_and_a_second_one_for_the_first() -> None:
    bea, carla = (
        household("bea", "a", unsafe="f", school_children=2),
        household("carla", "c", school_children=1),
    )

    nowhere_to_go = household("dora", "b", unsafe="acdef")

    found = searched(ANNA, bea, carla, nowhere_to_go)

    assert paths_of(found) == [(("anna", "a"), ("bea", "c"), ("carla", "f"))]
    (swap,) = found.swaps
    assert (swap.free_group, swap.school_changes) == ("f", 3)
    assert [leg.from_group for leg in swap.legs] == [None, "a", "c"]
    assert swap.score == sum(line.points for leg in swap.legs for line in leg.points)


def test_fewest_legs_go_first_then_fewest_changes_of_school_then_points() -> None:
    near_family = replace(QUIET, clearances=ANNA.situation.clearances, near_km={"b": 0, "a": 150})
    anna = replace(ANNA, need=replace(ANNA.need, near_municipality="b"), situation=near_family)
    bea, carla = household("bea", "a"), household("carla", "a")
    dora, eva = household("dora", "b", school_children=1), household("eva", "b")

    found = searched(anna, dora, carla, eva, bea)

    assert [path[1][0] for path in paths_of(found)[:4]] == ["eva", "bea", "carla", "dora"]
    assert len(found.swaps[4].legs) == 3


def test_children_who_stay_in_their_town_stay_at_their_school() -> None:
    son = family(Child(12, "male"))
    bea = household("bea", "a", school_children=1)
    bea = replace(bea, need=replace(bea.need, household=son))
    anna = replace(ANNA, need=replace(ANNA.need, needs=("pets",)))
    here, near = (
        group("a", features=("pets",)),
        replace(group("a", bed_spaces=2), id="a2", site_id="site-a2"),
    )

    found = search(
        anna, movers=[bea], places=FreePlaces(Register((here, near)), {"a2": 1}), policy=POLICY
    )

    assert paths_of(found) == [(("anna", "a"), ("bea", "a2"))]
    assert found.swaps[0].school_changes == 0


def test_who_lives_where_it_is_no_longer_safe_may_change_places_with_somebody() -> None:
    anna = replace(ANNA, group_id="c", school_children=3)
    bea = household("bea", "a", unsafe="df", school_children=1)

    found = searched(anna, bea, anna, free="")

    assert paths_of(found) == [(("anna", "a"), ("bea", "c"))]
    assert (found.swaps[0].free_group, found.swaps[0].school_changes) == (None, 1)
    # With a place like hers free there is no need to wait for hers.
    assert searched(anna, bea, free="c").swaps[0].free_group == "c"


def test_nobody_is_asked_to_leave_where_a_place_like_theirs_is_free() -> None:
    bea, carla = household("bea", "a"), household("carla", "f")

    assert paths_of(searched(ANNA, bea, carla)) == [(("anna", "a"), ("bea", "f"))]


def test_a_household_that_is_no_safety_case_stays_in_its_region_while_something_is_free_there() -> (
    None
):
    bea = household("bea", "a")
    at_home = replace(SAFE_NEED, urgency="planned", reason="capacity", origin_region="B")
    register = Register(tuple(group(name, kind="regular") for name in "abef"))
    places = FreePlaces(register, {"b": 1, "e": 1, "f": 1})
    anna = replace(ANNA, need=fleeing(*"bcdef"), situation=household("x", unsafe="bcdef").situation)

    found = search(anna, movers=[replace(bea, need=at_home)], places=places, policy=POLICY)

    assert paths_of(found) == [(("anna", "a"), ("bea", "b"))]


def test_none_says_why() -> None:
    bea, carla, dora = (
        household("bea", "a", unsafe="f"),
        household("carla", "c", unsafe="f"),
        household("dora", "d"),
    )

    assert searched(ANNA, free="a") == Search((), "free_already")
    assert searched(ANNA) == Search((), "no_willing_household")
    assert searched(ANNA, carla, dora) == Search(
        (), "no_lawful_place_among_willing", None, (Obstacle("danger", 2),)
    )
    assert searched(ANNA, bea, carla) == Search((), "no_free_place_for_them")
    longer = searched(ANNA, bea, carla, household("dora", "d"), max_legs=2)
    assert longer == Search((), "longer_than_allowed", fewest_legs=3)
    at_home = searched(replace(ANNA, group_id="c"), carla)
    assert at_home.in_the_way == (Obstacle("own_site", 1),)


def test_only_acute_danger_asks_others_to_move_and_only_who_lives_somewhere_can() -> None:
    bea = household("bea", "a")
    for need in (replace(ANNA.need, urgency="urgent"), replace(ANNA.need, reason="capacity")):
        with pytest.raises(ValueError, match="acute danger"):
            searched(replace(ANNA, need=need))
        with pytest.raises(ValueError, match="acute danger"):
            find_joint_swaps(
                [replace(ANNA, need=need)], movers=[], places=FreePlaces(STREET, {}), policy=POLICY
            )
    with pytest.raises(ValueError, match="no place to give"):
        searched(ANNA, household("bea"))
    with pytest.raises(ValueError, match="twice"):
        searched(ANNA, bea, bea)
    with pytest.raises(ValueError, match="nobody lives"):
        searched(ANNA, household("bea", "nowhere"))
    with pytest.raises(ValueError, match="not free"):
        FreePlaces(STREET, {"nowhere": 1})


def test_several_in_danger_are_served_together_where_one_by_one_would_serve_fewer() -> None:
    anna, zoe = ANNA, household("zoe", unsafe="bcdef")
    bea, carla = household("bea", "a", unsafe="cde"), household("carla", "b", unsafe="cde")
    places = FreePlaces(STREET, {"f": 2})

    both = find_joint_swaps([zoe, anna], movers=[bea, carla], places=places, policy=POLICY)
    one = find_joint_swaps([zoe, anna], movers=[bea], places=places, policy=POLICY)

    assert [legs_of(swap) for swap in both.swaps] == [
        (("anna", "b"), ("carla", "f")),
        (("zoe", "a"), ("bea", "f")),
    ]
    assert both.unserved == ()
    assert len(one.swaps) == len(one.unserved) == 1


def test_children_of_school_age_and_of_unknown_age_go_to_school() -> None:
    ages = (3, 4, 17, 18, None)

    counted = school_children(family(*(Child(age, None) for age in ages)), policy=POLICY)

    assert counted == 3
