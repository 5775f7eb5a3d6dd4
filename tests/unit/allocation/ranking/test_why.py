"""Why not there, and what if we knew.

Each beside the same answer found by trying, over whole countries.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from random import Random

import pytest

from app.allocation.ranking.desk_view import desk_view
from app.allocation.ranking.left_out import LeftOut
from app.allocation.ranking.missing_facts import MissingFact, missing_facts
from app.allocation.ranking.obstacles import RegionOrProvider, obstacles
from app.allocation.ranking.own_region import (
    OwnRegion,
    has_room_at_home,
    hide_household_rules,
    lawful_home_groups,
)
from app.allocation.ranking.rank import RankingInputs
from app.allocation.values import Child, Exclusion, Need, Register, Situation
from tests.rounds import rounds
from tests.unit.allocation.cases import (
    PLACE,
    POLICY,
    QUIET,
    SAFE_NEED,
    World,
    draw_world,
    family,
    rank_one,
    zone,
)
from tests.unit.allocation.ranking.test_oracle import against, is_assessed, oracle

WORLDS = rounds(200, soak=4_000)


def inputs_of(world: World) -> RankingInputs:
    return RankingInputs(world.need, world.register, world.situation, POLICY)


@cache
def worlds() -> list[World]:
    return [draw_world(Random(seed), most_groups=12) for seed in range(WORLDS)]


# --- why not there --------------------------------------------------------------------


ASKED_ABOUT = (
    RegionOrProvider(region="B"),
    RegionOrProvider(region="A"),
    RegionOrProvider(provider_id="p1"),
)


def test_all_rules_in_the_way_are_those_that_the_oracle_finds() -> None:
    overlapping = 0
    for world in worlds():
        answer = oracle(world)
        offered = {group_id for group_id, _, _ in answer["offers"]}
        at_home = any(
            group.region == world.need.origin_region
            for group in world.register.groups
            if group.id in offered
        )
        for there in ASKED_ABOUT:
            counted: Counter[tuple[str, str]] = Counter()
            places, would_do = 0, False
            for group in world.register.groups:
                if there.region not in {None, group.region} or there.provider_id not in {
                    None,
                    group.provider_id,
                }:
                    continue
                places += group.places
                rules = against(group, world.need, world.situation)
                if (
                    at_home
                    and world.need.reason != "safety"
                    and group.region != world.need.origin_region
                ):
                    rules.append("own_region_first")
                assert bool(rules) != (group.id in offered)
                overlapping += len(rules) > 1
                would_do = would_do or set(rules) <= {"free"}
                counted.update(
                    {(rule, group.region): group.places for rule in rules if rule != "free"}
                )

            ranking = world.rank()
            found = obstacles(inputs_of(world), ranking, there)

            told = [out for out in found.in_the_way if out.rule != "free"]
            of_the_country = [out.region for out in found.in_the_way if out.rule == "free"]
            offered_there = any(there.has(offer.group) for offer in ranking.offers)
            assert found.places == places
            assert {(out.rule, out.region): out.places for out in told} == counted
            assert [out.places for out in told] == sorted(counted.values(), reverse=True)
            assert of_the_country == ([None] if would_do and not offered_there else [])
    assert overlapping > WORLDS


def test_every_rule_in_the_way_is_named_where_a_ranking_names_the_first() -> None:
    need = replace(SAFE_NEED, household=family(Child(4, "male")), barred_providers=("p1",))
    ranking = rank_one(need)

    inputs = RankingInputs(need, Register((PLACE,)), QUIET, POLICY)
    found = obstacles(inputs, ranking, RegionOrProvider(region="AWAY"))

    assert ranking.excluded == (Exclusion("size", "AWAY", 4),)
    assert found.in_the_way == (LeftOut("size", "AWAY", 4), LeftOut("barred", "AWAY", 4))


# --- what if we knew ------------------------------------------------------------------


def unknown(need: Need, situation: Situation) -> list[tuple[str, int | None]]:
    found: list[tuple[str, int | None]] = []
    for position, child in enumerate(need.household.children):
        if child.gender is None:
            found.append(("child_gender", position))
        if child.gender != "female" and child.age is None:
            found.append(("child_age" if child.gender is None else "son_age", position))
    return found + ([] if is_assessed(need, situation) else [("danger_assessment", None)])


def told(need: Need, facts: list[tuple[str, int | None]]) -> Need:
    children = list(need.household.children)
    for fact, position in facts:
        if position is None:
            need = replace(need, danger_assessment="none_known")
        elif fact == "child_gender":
            children[position] = replace(children[position], gender="female")
        else:
            children[position] = replace(children[position], age=0)
    return replace(need, household=replace(need.household, children=tuple(children)))


def test_what_a_fact_may_open_is_what_trying_it_opens_alone_or_beside_all_the_others() -> None:
    opening = jointly = 0
    for world in worlds():
        facts = unknown(world.need, world.situation)

        def offered(known: list[tuple[str, int | None]], world: World = world) -> set[str]:
            return {
                id_ for id_, _, _ in oracle(replace(world, need=told(world.need, known)))["offers"]
            }

        already = offered([])
        expected: dict[tuple[str, int | None], int] = {}
        for fact in facts:
            alone = offered([fact]) - already
            others = [other for other in facts if other != fact]
            opened = alone | ((offered(facts) - already) - (offered(others) - already))
            jointly += opened > alone
            if opened:
                expected[fact] = len(opened)

        found = missing_facts(inputs_of(world))

        assert {(fact.fact, fact.child): fact.offers for fact in found} == expected
        assert [fact.offers for fact in found] == sorted(expected.values(), reverse=True)
        opening += bool(found)
    assert opening > WORLDS / 20
    assert jointly > 0


@pytest.mark.parametrize(
    "children, facts",
    [
        ((Child(None, "male"),), [MissingFact("son_age", 0, 1)]),
        ((Child(None, "female"), Child(13, None)), [MissingFact("child_gender", 1, 1)]),
        ((Child(None, None),), [MissingFact("child_age", 0, 1), MissingFact("child_gender", 0, 1)]),
        (
            (Child(None, "male"), Child(None, "male")),
            [MissingFact("son_age", 0, 1), MissingFact("son_age", 1, 1)],
        ),
        ((Child(None, "male"), Child(13, "male")), []),
        ((Child(None, "female"),), []),
        ((), []),
    ],
)
def test_only_a_fact_that_opens_something_is_named(
    children: tuple[Child, ...], facts: list[MissingFact]
) -> None:
    need = replace(SAFE_NEED, household=family(*children))
    place = replace(PLACE, bed_spaces=3, sons_up_to_age=12)

    assert list(missing_facts(RankingInputs(need, Register((place,)), QUIET, POLICY))) == facts


def test_danger_that_nobody_asked_about_may_open_what_its_zone_leaves_out_and_never_a_zone_that_was_given() -> (
    None
):
    near = replace(QUIET, clearances={"home": {"away": 10}})
    need = replace(SAFE_NEED, danger_assessment="not_asked")
    given = replace(need, danger_zones=(zone(radius_km=25),))

    assert missing_facts(RankingInputs(need, Register((PLACE,)), near, POLICY)) == (
        MissingFact("danger_assessment", None, 1),
    )
    assert missing_facts(RankingInputs(given, Register((PLACE,)), near, POLICY)) == ()


# --- own region first -----------------------------------------------------------------


def test_where_a_household_may_leave_the_record_accounts_for_every_place_at_home() -> None:
    left = 0
    for world in worlds():
        ranking = world.rank()
        view = desk_view(inputs_of(world), ranking)
        found = view.own_region
        if world.need.reason == "safety":
            assert found is None
            continue
        assert found is not None
        at_home = [group for group in world.register.groups if group.region == found.region]
        if any(offer.cross_regional for offer in ranking.offers):
            left += 1
            assert found.offers == 0
            would_do = [
                group
                for group in at_home
                if set(against(group, world.need, world.situation)) <= {"free"}
            ]
            assert sum(out.places for out in found.left_out if out.region == found.region) == sum(
                group.places for group in at_home if group not in would_do
            )
            assert not would_do or "free" in {out.rule for out in found.left_out}
        assert (found.offers > 0) == has_room_at_home(world.need, ranking)
    assert left > WORLDS / 20


def test_what_goes_first_is_what_would_be_offered_at_home_if_anything_were_free() -> None:
    for world in worlds():
        need = replace(world.need, reason="capacity")
        all_free = replace(world.situation, free={group.id: 1 for group in world.register.groups})
        offers = RankingInputs(need, world.register, all_free, POLICY).rank().offers

        found = lawful_home_groups(need, world.register, world.situation, POLICY)

        assert set(found) == {offer.group.id for offer in offers if not offer.cross_regional}


def test_an_auditor_is_told_of_places_and_not_which_rule_about_the_household_left_them_out() -> (
    None
):
    rules = ("kind", "free", "admission", "size", "danger", "declined")
    left_out = (LeftOut(rule, None if rule == "free" else "HOME", 2) for rule in rules)
    found = OwnRegion("HOME", 0, tuple(left_out))

    assert hide_household_rules(found).left_out == (
        LeftOut("admission", "HOME", 2),
        LeftOut("free", None, 2),
        LeftOut("kind", "HOME", 2),
        LeftOut("unsuitable", "HOME", 6),
    )
