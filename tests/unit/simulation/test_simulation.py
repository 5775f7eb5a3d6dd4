"""A simulated year: the same for a seed, harms nobody, and shares the burden."""

from __future__ import annotations

from collections import defaultdict, deque
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from typing import TYPE_CHECKING

import pytest

from app.allocation.policy.policy import Policy, parse_policy
from app.reference import load, policy_document
from app.simulation.assumptions import CLIENTS_A_YEAR, DAY, DAYS_A_YEAR
from app.simulation.choosers import choose_best
from app.simulation.ways import (
    PHONE_ROUND,
    PLEK,
    Scene,
    compared_ways,
    scene,
    solidarity_sweep,
    with_solidarity,
)
from app.simulation.year import Way, Year
from tests.rounds import rounds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.allocation.values import Ranking
    from app.simulation.arrivals import SimulatedArrival
    from app.simulation.choosers import ChosenOffer
    from app.simulation.outcome import YearOutcome
    from app.simulation.world import World

SEED = 1
DAYS = 60
SPAN, TIMES = rounds(DAYS, soak=DAYS_A_YEAR), rounds(2, soak=10)
"""Days, and how many times as far as Plek a phone round is off after them: a year takes half a
minute."""


def policy() -> Policy:
    return parse_policy(policy_document())


@cache
def short() -> Scene:
    return scene(load(), policy(), seed=SEED, days=DAYS)


@pytest.fixture(scope="module")
def aside() -> Iterator[Executor]:
    """Return a process of its own, in which no line is counted for coverage.

    That takes five times the time.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        yield process


@pytest.fixture(scope="module")
def outcomes(aside: Executor) -> dict[str, YearOutcome]:
    """Return what comes of every way in some weeks."""
    return {one.name: one for one in aside.submit(all_ways).result()}


def all_ways() -> list[YearOutcome]:
    return [*short().outcomes(compared_ways(policy()))]


def phone_and_plek() -> list[YearOutcome]:
    ways = [way for way in compared_ways(policy()) if way.name in {PLEK, PHONE_ROUND}]
    return [*scene(load(), policy(), seed=SEED, days=SPAN).outcomes(ways)]


def a_year() -> tuple[SimulatedArrival, ...]:
    return scene(load(), policy(), seed=SEED).arrivals


def test_the_same_seed_gives_the_same_weeks_and_another_seed_others() -> None:
    plek, few = Way(PLEK, policy(), choose_best), 8
    one, another = (scene(load(), policy(), seed=SEED, days=few) for _ in range(2))
    *_, after = one.outcomes([Way("watched", policy(), choose_best, caps=True), plek])
    (alone,) = another.outcomes([plek])
    others = scene(load(), policy(), seed=SEED + 1, days=few).arrivals

    assert after == alone
    assert others != one.arrivals == another.arrivals


def test_nobody_is_ever_placed_where_they_are_not_safe(outcomes: dict[str, YearOutcome]) -> None:
    for outcome in outcomes.values():
        assert outcome.violations == {}, outcome.name
        assert outcome.placed > 0.8
        assert sum(outcome.left_region.values()) > 0.1


def test_what_is_given_is_what_was_owed_to_the_last_millionth(
    outcomes: dict[str, YearOutcome],
) -> None:
    for outcome in outcomes.values():
        assert (
            sum(outcome.given.values()) == sum(outcome.quota.values()) == outcome.safety_nights > 0
        )
        assert min(outcome.given.values()) >= 0


def test_every_way_meets_the_same_households_and_every_night_is_counted(
    outcomes: dict[str, YearOutcome],
) -> None:
    assert {outcome.households for outcome in outcomes.values()} == {len(short().arrivals)}
    assert {len(outcome.by_day) for outcome in outcomes.values()} == {DAYS}
    assert all(outcome.by_day[-1] == outcome.deviation for outcome in outcomes.values())


@pytest.fixture(scope="module")
def arrivals(aside: Executor) -> tuple[SimulatedArrival, ...]:
    """Return the arrivals of a year."""
    return aside.submit(a_year).result()


def busiest(arrivals: tuple[SimulatedArrival, ...], *, minutes: int) -> int:
    """Return how many of one region ask within some minutes, where and when most do."""
    most, recent = 0, dict[str, deque[int]]()
    for one in arrivals:
        asked = recent.setdefault(one.need.origin_region, deque())
        asked.append(one.at)
        while one.at - asked[0] >= minutes:
            asked.popleft()
        most = max(most, len(asked))
    return most


def test_the_busiest_desk_of_a_year_stays_within_its_budgets(
    arrivals: tuple[SimulatedArrival, ...],
) -> None:
    """One account at a desk that all of a region turn to; no hold of it ever resolves."""
    budgets = policy().budgets

    assert 0 < busiest(arrivals, minutes=policy().hold_minutes) <= budgets.holds
    assert 0 < busiest(arrivals, minutes=DAY) <= budgets.referrals


def test_a_year_has_the_clients_of_a_year_by_the_shape_of_a_day(
    arrivals: tuple[SimulatedArrival, ...],
) -> None:
    clients = sum(arrival.need.household.persons for arrival in arrivals)
    by_hour = [sum(arrival.at % DAY // 60 == hour for arrival in arrivals) for hour in range(24)]

    assert CLIENTS_A_YEAR <= clients < CLIENTS_A_YEAR + 10
    assert [arrival.at for arrival in arrivals] == sorted(arrival.at for arrival in arrivals)
    assert sum(by_hour[19:23]) > 2 * sum(by_hour[4:8])
    assert arrivals[-1].at < DAYS_A_YEAR * DAY


def test_no_more_solidarity_than_none_deviates_more_than_the_policy_has(
    outcomes: dict[str, YearOutcome],
) -> None:
    assert outcomes[PLEK].deviation < outcomes["Plek, no solidarity"].deviation


def test_caps_keep_nobody_out_who_flees(outcomes: dict[str, YearOutcome]) -> None:
    capped, free = outcomes["Plek with caps"], outcomes[PLEK]

    assert capped.left_region["capacity"] < free.left_region["capacity"]
    assert capped.left_region["safety"] > 0.9 * free.left_region["safety"]


def test_a_sweep_has_the_policys_own_weight_once() -> None:
    ways = solidarity_sweep(with_solidarity(policy(), stay=77))

    assert [way.name for way in ways].count("77") == 1
    assert [way.policy.points.solidarity.stay for way in ways] == sorted(
        {int(way.name) for way in ways}
    )


def test_rankings_see_the_account_as_it_was_at_midnight() -> None:
    midnights: list[int] = []
    seen: defaultdict[tuple[int, str], set[int]] = defaultdict(set)

    def look(ranking: Ranking, arrival: SimulatedArrival, world: World) -> ChosenOffer | None:
        for offer in ranking.offers:
            if offer.cross_regional and arrival.need.reason == "safety":
                seen[len(midnights), offer.group.region].add(offer.points[4].points)
        return choose_best(ranking, arrival, world)

    year = Year(short().world, Way("watched", policy(), look), progress=lambda: midnights.append(1))
    year.run(short().arrivals, days=20)

    assert len(seen) > 100
    assert all(len(points) == 1 for points in seen.values())
    assert len({frozenset(points) for points in seen.values()}) > 10


def test_plek_deviates_by_a_part_of_a_phone_round_a_tenth_in_a_year_and_costs_nobody_anything(
    aside: Executor, outcomes: dict[str, YearOutcome]
) -> None:
    of_some_weeks = [outcomes[PHONE_ROUND], outcomes[PLEK]]
    phone, plek = of_some_weeks if SPAN == DAYS else aside.submit(phone_and_plek).result()

    assert (phone.name, plek.name) == (PHONE_ROUND, PLEK)
    assert plek.deviation * TIMES <= phone.deviation
    assert plek.within_hour >= phone.within_hour
    assert plek.at_once >= phone.at_once
    assert plek.wish_km <= phone.wish_km
    assert plek.home_km <= phone.home_km
    assert plek.moves <= phone.moves
    assert phone.violations == plek.violations == {}
