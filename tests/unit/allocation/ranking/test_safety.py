"""A danger zone counts on the country's days; an assessment ends with its zones."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.allocation.ranking.missing_facts import MissingFact, missing_facts
from app.allocation.ranking.obstacles import RegionOrProvider, obstacles, still_against
from app.allocation.ranking.own_region import lawful_home_groups
from app.allocation.ranking.rank import RankingInputs
from app.allocation.ranking.versions import VERSIONS, rank_2
from app.allocation.values import DangerZone, Need, Register
from app.reference import load
from tests.unit.allocation.cases import (
    PLACE,
    POLICY,
    QUIET,
    SAFE_NEED,
    TODAY,
    TOWNS,
    YESTERDAY,
    World,
    draw_world,
    rank_one,
    zone,
)

CLOCKS = ("America/Los_Angeles", "Europe/Amsterdam", "Pacific/Kiritimati", "Etc/GMT+12", "UTC")
NEAR = replace(QUIET, clearances={"home": {"away": 10}})
"""Ten kilometres from where the household comes from, with whatever free."""

worlds = st.builds(
    lambda seed, groups: draw_world(Random(seed), most_groups=groups),
    st.integers(0, 2**32),
    st.integers(0, 12),
)
ended = st.lists(
    st.builds(
        DangerZone,
        st.sampled_from(TOWNS),
        st.sampled_from((0, 10, 50)),
        st.dates(dt.date(2020, 1, 1), YESTERDAY),
    ),
    max_size=4,
).map(tuple)


@given(
    st.sampled_from(CLOCKS),
    st.dates(dt.date(2026, 1, 1), dt.date(2027, 12, 31)),
    st.integers(-2 * 86_400, 2 * 86_400) | st.sampled_from((-1, 0, 1)),
)
@settings(max_examples=500, deadline=None)
def test_a_zone_ends_with_the_countrys_day_and_not_with_that_of_utc(
    clock: str, until: dt.date, after_s: int
) -> None:
    midnight = dt.datetime.combine(until + dt.timedelta(days=1), dt.time(), tzinfo=ZoneInfo(clock))
    as_of = midnight.astimezone(dt.UTC) + dt.timedelta(seconds=after_s)

    country = replace(load().country, time_zone=clock)
    situation = replace(NEAR, as_of=as_of, local_day=country.day_of(as_of))
    ranking = rank_one(replace(SAFE_NEED, danger_zones=(zone(until=until),)), situation=situation)

    # On the night on which clocks are set, a day has 23 or 25 hours: seconds from midnight still
    # say which side it is.
    assert (ranking.offers != ()) == (after_s >= 0)


@given(worlds, ended)
@settings(max_examples=300, deadline=None)
def test_an_assessment_whose_zones_have_all_run_out_is_none_whoever_asks(
    world: World, zones: tuple[DangerZone, ...]
) -> None:
    never, once = (
        replace(world.need, danger_assessment="not_asked", danger_zones=()),
        replace(world.need, danger_assessment="assessed", danger_zones=zones),
    )

    def told(need: Need) -> tuple[object, ...]:
        inputs = RankingInputs(need, world.register, world.situation, POLICY)
        return (
            inputs.rank(),
            inputs.dangers,
            [replace(fact, again=False) for fact in missing_facts(inputs)],
            [obstacles(inputs, inputs.rank(), RegionOrProvider(region=region)) for region in "ABC"],
            lawful_home_groups(need, world.register, world.situation, POLICY),
            [
                still_against(need, group, world.situation, policy=POLICY)
                for group in world.register.groups
            ],
        )

    assert told(once) == told(never)
    assert (
        RankingInputs(once, world.register, world.situation, POLICY).rank().safety_assessed is False
    )


@pytest.mark.parametrize(
    "zones", [(), (zone("work", radius_km=10, until=YESTERDAY),)], ids=["none", "ended"]
)
def test_what_ran_out_is_asked_for_again_with_what_the_answer_may_open(
    zones: tuple[DangerZone, ...],
) -> None:
    need = replace(SAFE_NEED, danger_assessment="assessed", danger_zones=zones)
    ranking = rank_one(need, situation=NEAR)

    assert (ranking.offers, ranking.safety_assessed) == ((), False)
    missing = missing_facts(RankingInputs(need, Register((PLACE,)), NEAR, POLICY))
    assert missing == (MissingFact("danger_assessment", None, 1, again=True),)


def test_one_zone_in_force_is_an_assessment_and_none_known_is_one_for_good() -> None:
    far = replace(QUIET, clearances={"work": {"away": 200}})
    last = zone("work", radius_km=10, until=TODAY)
    for need in (
        replace(
            SAFE_NEED, danger_assessment="assessed", danger_zones=(zone(until=YESTERDAY), last)
        ),
        replace(SAFE_NEED, danger_assessment="none_known", danger_zones=(zone(until=YESTERDAY),)),
    ):
        ranking = rank_one(need, situation=far)
        assert (len(ranking.offers), ranking.safety_assessed) == (1, True)
        assert missing_facts(RankingInputs(need, Register((PLACE,)), far, POLICY)) == ()


def test_earlier_rules_still_take_it_for_one_and_what_is_asked_of_their_rankings_goes_by_them() -> (
    None
):
    need = replace(SAFE_NEED, danger_assessment="assessed", danger_zones=(zone(until=YESTERDAY),))
    ranking = rank_2(need, Register((PLACE,)), NEAR, POLICY)
    inputs = RankingInputs(need, Register((PLACE,)), NEAR, POLICY, VERSIONS["2"].dangers_on)

    assert (len(ranking.offers), ranking.safety_assessed) == (1, True)
    assert inputs.rank() == ranking
    assert missing_facts(inputs) == ()
    assert obstacles(inputs, ranking, RegionOrProvider(region="AWAY")).in_the_way == ()
