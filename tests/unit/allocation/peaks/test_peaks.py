from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.allocation.peaks import peaks
from app.allocation.peaks.assignment import LARGEST, Wishes, assign
from app.allocation.peaks.peaks import MOST, PeakReferral, peak_referral, plan
from app.allocation.ranking.rank import rank
from app.allocation.values import Register
from tests.unit.allocation.cases import PLACE, POLICY, QUIET, SAFE_NEED
from tests.unit.allocation.peaks.peak_cases import (
    MOST_POINTS,
    abroad,
    asking,
    drawn,
    groups,
    offered,
    solved,
    tried,
    worth,
)

# --- what comes out is the best there is ----------------------------------------------


def test_every_plan_is_the_one_that_trying_everything_finds_ties_included() -> None:
    for seed in range(500):
        luck = Random(seed)
        askers, free = drawn(
            luck,
            askers=luck.randint(0, 5),
            groups=luck.randint(1, 4),
            scores=luck.choice((1, 2, 40)),
        )
        found = [one.choice for one in plan(askers, free).referrals]
        assert found == tried(askers, free), seed


def test_the_first_who_asks_gets_what_comes_first_though_others_change_seats_and_places_for_it() -> (
    None
):
    asking = [
        Wishes(("near", "far"), (1, 4), 200),
        Wishes(("far",), (3,), 100),
        Wishes(("near",), (0,), 100),
    ]

    # The first and the second seated, or the first and the third: both cost 104.
    assert assign(asking, {"near": 1, "far": 1}) == (0, 0, None)


def test_larger_plans_are_worth_what_integer_programming_finds() -> None:
    for seed in range(8):
        luck = Random(seed)
        askers, free = drawn(luck, askers=30, groups=12, scores=400)
        found = [one.choice for one in plan(askers, free).referrals]
        assert worth(askers, found) == solved(askers, free), seed


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6))
@example(39)  # two change seats so that an unwanted one stays empty, which luck draws now and then
def test_a_plan_keeps_every_promise_whatever_it_is_made_of(seed: int) -> None:
    luck = Random(seed)
    askers, free = drawn(luck, askers=12, groups=6, scores=9)
    made = plan(askers, free)

    taken = [one.choice for one in made.referrals]
    held = Counter(choice.group for choice in taken if choice)
    assert all(
        choice is None or choice in one.choices for one, choice in zip(askers, taken, strict=True)
    )
    assert all(count <= free[group] for group, count in held.items())
    assert worth(askers, taken) >= worth(askers, [one.in_turn for one in made.referrals])
    for one, planned in zip(askers, made.referrals, strict=True):
        if planned.choice and planned.choice.leaves:  # nothing lawful is left at home
            at_home = [choice.group for choice in one.choices if not choice.leaves]
            assert all(held[group] == free[group] for group in at_home)
            assert len(planned.after) == sum(free[group] for group in at_home)
        if planned.choice is None:  # nothing at all is left for those without
            assert all(held[choice.group] == free[choice.group] for choice in one.choices)
    again = plan(askers, dict(sorted(free.items(), reverse=True)))
    assert again == made


def test_200_referrals_and_the_most_points_a_policy_can_give_are_still_added_up_exactly() -> None:
    for for_safety in (0, 67, 100, MOST):
        rows = [
            asking(
                str(number),
                offered("a", score=MOST_POINTS - number % 2),
                offered("b", score=0, band="sufficient", freshness="unknown"),
                urgency=peaks.URGENCIES[number % 3],
                for_safety=number < for_safety,
            )
            for number in range(MOST)
        ]
        made = plan(rows, {"a": 70, "b": 50})
        assert made.placed == {"acute": 67, "urgent": 53, "planned": 0}
        assert Counter(groups(made)) == {"a": 70, "b": 50, None: 80}


@pytest.mark.parametrize("cost", [-1, LARGEST + 1])
def test_what_cannot_be_added_up_exactly_is_refused(cost: int) -> None:
    with pytest.raises(ValueError, match="exactly"):
        assign([Wishes(("a",), (cost,), 5)], {"a": 1})
    with pytest.raises(ValueError, match="exactly"):
        assign([Wishes((), (), cost)], {})


# --- what it means --------------------------------------------------------------------


def test_one_makes_way_so_that_one_more_is_placed() -> None:
    flexible = asking("flexible", offered("x"), offered("y", band="sufficient"))
    only_x = asking("only x", offered("x", score=1))
    nowhere = asking("nowhere")
    made = plan([flexible, only_x, nowhere], {"x": 1, "y": 1})

    assert groups(made) == ["y", "x", None]
    changed = [(one.change, one.because, one.count) for one in made.referrals]
    assert changed == [
        ("lesser_band", "more_placed", 1),
        ("placed", "more_placed", 1),
        ("nothing", "nothing_lawful", 0),
    ]
    assert (made.placed["acute"], made.placed_in_turn["acute"]) == (2, 1)


def test_the_more_urgent_go_before_and_equals_in_the_order_of_the_waiting_list() -> None:
    planned = asking("planned", offered("x", score=900), urgency="planned")
    acute, later = asking("acute", offered("x", score=1)), asking("later", offered("x", score=1))
    made = plan([planned, acute, later], {"x": 1})

    assert groups(made) == [None, "x", None]
    changed = [(one.change, one.because, one.count) for one in made.referrals]
    assert changed == [
        ("passed_over", "more_urgent", 1),
        ("placed", "more_urgent", 1),
        ("nothing", "taken", 0),
    ]


def test_places_are_exchanged_for_bands_first_and_points_after() -> None:
    one = asking("one", offered("a", score=300), offered("b", score=290))
    other = asking("other", offered("a", score=200), offered("b", score=100))
    made = plan([one, other], {"a": 1, "b": 1})
    assert [(p.change, p.because, p.count) for p in made.referrals] == [
        ("fewer_points", "points", 90),
        ("more_points", "points", 90),
    ]

    unsure = asking("unsure", offered("a", score=200), offered("b", freshness="unknown"))
    made = plan([replace(one, choices=one.choices[:2]), unsure], {"a": 1, "b": 1})
    assert [(p.change, p.because, p.count) for p in made.referrals] == [
        ("fewer_points", "better_known", 1),
        ("better_band", "better_known", 1),
    ]

    alike = asking("alike", offered("a"), offered("b"))
    needs_a = asking("needs a", offered("a"))
    made = plan([alike, needs_a], {"a": 1, "b": 1})
    assert [p.change for p in made.referrals] == ["equal_offer", "placed"]


def test_changes_at_different_places_have_reasons_of_their_own() -> None:
    pair = [asking("1", offered("a"), offered("b")), asking("2", offered("a"))]
    swap = [
        asking("3", offered("c", score=300), offered("d", score=290)),
        asking("4", offered("c", score=200), offered("d", score=100)),
    ]
    made = plan([*pair, *swap], dict.fromkeys("abcd", 1))
    assert [one.because for one in made.referrals] == [
        "more_placed",
        "more_placed",
        "points",
        "points",
    ]

    one_chain = [
        asking("a to b", offered("a"), offered("b")),
        asking("c to d", offered("c"), offered("d")),
        asking("b to c", offered("b"), offered("c")),
        asking("only a", offered("a")),
    ]
    made = plan(one_chain, dict.fromkeys("abcd", 1))
    assert [(one.choice and one.choice.group, one.because) for one in made.referrals] == [
        (group, "more_placed") for group in "bdca"
    ]


# --- own region first, and caps -------------------------------------------------------

AT_HOME = replace(PLACE, id="home", site_id="s2", municipality="here", region="HOME")
BOTH = Register((PLACE, AT_HOME))
FREE_BOTH = replace(QUIET, free={"g1": 2, "home": 1}, confirmed_hours={"s1": 0, "s2": 0})


def ranked(
    id_: str,
    *,
    reason: str = "capacity",
    register: Register = BOTH,
    capped: frozenset[str] = frozenset(),
) -> PeakReferral:
    need = replace(SAFE_NEED, reason=reason)
    situation = replace(FREE_BOTH, capped_regions=capped)
    return peak_referral(
        id_, need, rank(need, register, situation, POLICY), register, situation, POLICY
    )


def test_a_referral_for_capacity_leaves_its_region_only_once_all_that_is_lawful_there_goes_to_others() -> (
    None
):
    for_capacity = ranked("capacity")
    assert [(choice.group, choice.leaves) for choice in for_capacity.choices] == [
        ("home", False),
        ("g1", True),
    ]
    assert groups(plan([for_capacity], FREE_BOTH.free)) == ["home"]

    made = plan([ranked("first"), ranked("second")], FREE_BOTH.free)
    assert groups(made) == ["home", "g1"]
    assert [one.after for one in made.referrals] == [(), ("first",)]

    only_home = asking("only home", offered("home"))
    made = plan([for_capacity, only_home], FREE_BOTH.free)
    assert groups(made) == ["g1", "home"]
    assert [(one.change, one.because) for one in made.referrals] == [
        ("out_of_region", "more_placed"),
        ("placed", "more_placed"),
    ]


def test_who_flees_for_safety_is_not_made_less_safe_so_that_another_can_stay_at_home() -> None:
    fleeing = asking("fleeing", offered("home"), offered("g1", band="sufficient"))
    staying = asking("staying", offered("home"), abroad("g1"), for_safety=False)
    assert groups(plan([staying, fleeing], {"home": 1, "g1": 1})) == ["g1", "home"]

    as_safe = asking("as safe", offered("home", score=900), offered("g1", freshness="unknown"))
    made = plan([as_safe, staying], {"home": 1, "g1": 1})
    assert groups(made) == ["g1", "home"]
    assert [(one.change, one.because, one.count) for one in made.referrals] == [
        ("lesser_band", "own_region", 1),
        ("in_region", "own_region", 1),
    ]

    unsafe_home = asking(
        "staying", offered("home", band="sufficient"), abroad("g1"), for_safety=False
    )
    assert groups(plan([unsafe_home], {"home": 1, "g1": 1})) == ["home"]


def test_referrals_for_safety_and_those_without_anything_at_home_choose_among_all_that_is_lawful() -> (
    None
):
    assert [choice.leaves for choice in ranked("safety", reason="safety").choices] == [False, False]
    assert [
        choice.leaves for choice in ranked("elsewhere", register=Register((PLACE,))).choices
    ] == [False]


def test_a_region_whose_cap_is_reached_gets_nobody_for_capacity_and_whoever_flees_for_safety() -> (
    None
):
    capped = frozenset({"AWAY"})
    askers = [
        ranked("1", capped=capped),
        ranked("2", capped=capped),
        ranked("3", reason="safety", capped=capped),
    ]
    assert groups(plan(askers, FREE_BOTH.free)) == ["home", None, "g1"]


def test_safer_places_for_others_are_told_as_safer() -> None:
    one = asking("one", offered("a", score=9), offered("b"), for_safety=False)
    other = asking("other", offered("a"), offered("b", band="sufficient"), for_safety=False)
    made = plan([one, other], {"a": 1, "b": 1})
    assert [(p.choice and p.choice.group, p.because) for p in made.referrals] == [
        ("b", "safer"),
        ("a", "safer"),
    ]


def test_an_openly_known_address_is_planned_last_as_long_as_the_threat_is_not_known() -> None:
    known = replace(PLACE, id="known", address_secrecy="known")
    best = replace(PLACE, id="secret", bed_spaces=4)
    register = Register((known, best))
    situation = replace(QUIET, free={"known": 1, "secret": 1})
    asked: list[tuple[str, ...]] = []
    for level in (None, 1):
        need = replace(SAFE_NEED, threat_level=level)
        ranking = rank(need, register, situation, POLICY)
        asker = peak_referral("one", need, ranking, register, situation, POLICY)
        asked.append(tuple(choice.group for choice in asker.choices))
        (one,) = plan([asker], situation.free).referrals
        assert one.choice is not None
        assert one.choice.group == asked[-1][0]
        assert one.choice.asks is False
    assert asked == [("secret", "known"), ("known", "secret")]
