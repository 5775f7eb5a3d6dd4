"""What stays true of every ranking, and what a change in its inputs may do to it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.allocation.ranking.rank import rank
from app.allocation.ranking.replay import (
    digest,
    inputs_bytes,
    register_bytes,
    register_hash,
    register_of,
)
from app.allocation.ranking.versions import NEWEST
from app.allocation.values import Offer, Ranking, Register
from tests.rounds import rounds
from tests.unit.allocation.cases import PLACE, POLICY, TOWNS, World, draw_world
from tests.unit.allocation.ranking.replay_corpus import replay


def seeded(seed: int, most_groups: int) -> World:
    return draw_world(Random(seed), most_groups=most_groups)


# Drawn from a seed, which is quick: many small countries find more than a few carefully shrunk
# ones.
worlds = st.builds(seeded, st.integers(0, 2**32), st.integers(0, 12))

BANDS = ("ample", "sufficient")
some_examples = settings(max_examples=rounds(40, soak=2_000), deadline=None)


def by_group(ranking: Ranking) -> dict[str, Offer]:
    return {offer.group.id: offer for offer in ranking.offers}


def points(offer: Offer, factor: str) -> int:
    return next(line.points for line in offer.points if line.factor == factor)


def with_situation(world: World, **changes: object) -> Ranking:
    return rank(world.need, world.register, replace(world.situation, **changes), POLICY)  # pyright: ignore[reportArgumentType]


# --- always ---


@given(worlds)
@some_examples
def test_points_sum_to_the_score_and_the_order_is_the_bands_then_the_score(world: World) -> None:
    offers = world.rank().offers

    assert all(offer.score == sum(line.points for line in offer.points) for offer in offers)
    assert all(line.points >= 0 for offer in offers for line in offer.points)
    assert [offer.rank for offer in offers] == list(range(1, len(offers) + 1))
    standing = [
        (BANDS.index(o.band), o.freshness == "unknown", -o.score, o.group.id) for o in offers
    ]
    assert standing == sorted(standing)


@given(worlds)
@some_examples
def test_every_place_is_offered_or_left_out_for_one_reason(world: World) -> None:
    ranking = world.rank()

    counted = Counter(
        offer.group.region for offer in ranking.offers for _ in range(offer.group.places)
    )
    for exclusion in ranking.excluded:
        counted[exclusion.region] += exclusion.places

    assert counted == Counter(
        group.region for group in world.register.groups for _ in range(group.places)
    )
    assert sum(counted.values()) == ranking.considered


@given(worlds)
@some_examples
def test_every_offer_is_clear_of_every_zone_and_in_a_lawful_region(world: World) -> None:
    ranking, today = world.rank(), world.situation.as_of.date()

    for offer in ranking.offers:
        assert offer.group.region in ranking.lawful_regions
        for zone in world.need.danger_zones:
            if zone.until is None or zone.until >= today:
                assert zone.municipality != offer.group.municipality
                assert (
                    world.situation.clearances[zone.municipality][offer.group.municipality]
                    >= zone.radius_km
                )


@given(worlds)
@some_examples
def test_a_cap_and_the_own_region_exclude_nobody_who_flees(world: World) -> None:
    ranking = rank(replace(world.need, reason="safety"), world.register, world.situation, POLICY)

    assert not {"cap", "own_region_first"} & {exclusion.rule for exclusion in ranking.excluded}


@given(worlds)
@some_examples
def test_nobody_who_does_not_flee_leaves_while_the_own_region_offers_something(
    world: World,
) -> None:
    ranking = rank(replace(world.need, reason="capacity"), world.register, world.situation, POLICY)

    assert len({offer.cross_regional for offer in ranking.offers}) <= 1


# --- what a change may do ---


@given(worlds, st.randoms(use_true_random=True))
@some_examples
def test_the_order_of_what_goes_in_changes_nothing(world: World, random: Random) -> None:
    groups = list(world.register.groups)
    random.shuffle(groups)

    shuffled = Register(tuple(groups))

    assert rank(world.need, shuffled, world.situation, POLICY) == world.rank()
    assert register_hash(shuffled) == register_hash(world.register)


@given(worlds, st.sampled_from(TOWNS), st.integers(1, 100))
@some_examples
def test_more_clearance_never_moves_an_offer_to_a_worse_band_nor_out(
    world: World, town: str, more_km: int
) -> None:
    clearances = {
        zone: {site: km + more_km if site == town else km for site, km in towns.items()}
        for zone, towns in world.situation.clearances.items()
    }
    # Own region first may rightly take out others once something opens at home, so this is about
    # those who flee.
    world = replace(world, need=replace(world.need, reason="safety"))

    before, after = by_group(world.rank()), by_group(with_situation(world, clearances=clearances))

    for group_id, offer in before.items():
        assert BANDS.index(after[group_id].band) <= BANDS.index(offer.band)
        assert after[group_id].points == offer.points


@given(worlds, st.integers(1, 100))
@some_examples
def test_more_safety_than_ample_earns_nothing(world: World, more_km: int) -> None:
    def ample(ranking: Ranking) -> list[tuple[str, int]]:
        return [
            (offer.group.id, offer.score) for offer in ranking.offers if offer.group.id in already
        ]

    before = world.rank()
    already = {offer.group.id for offer in before.offers if offer.band == "ample"}
    clearances = {
        zone: {site: km + more_km for site, km in towns.items()}
        for zone, towns in world.situation.clearances.items()
    }
    after = with_situation(world, clearances=clearances)

    if world.need.reason == "safety":
        assert ample(after) == ample(before)


@given(worlds, st.sampled_from("ABCD"), st.integers(1, 500_000_000))
@some_examples
def test_a_region_that_owes_more_comes_no_later_for_safety_and_no_sooner_otherwise(
    world: World, region: str, more: int
) -> None:
    deficits = {**world.situation.deficits, region: world.situation.deficits.get(region, 0) + more}

    before, after = by_group(world.rank()), by_group(with_situation(world, deficits=deficits))

    assert before.keys() == after.keys()
    for group_id, offer in before.items():
        if offer.group.region == region:
            more_points = points(after[group_id], "solidarity") - points(offer, "solidarity")
            assert more_points >= 0 if world.need.reason == "safety" else more_points <= 0
        else:
            assert after[group_id].score == offer.score


@given(worlds, st.sampled_from(("s0", "s1", "s2")), st.integers(1, 100))
@some_examples
def test_staler_never_gains(world: World, site: str, more_hours: int) -> None:
    hours = world.situation.confirmed_hours.get(site)
    for staler in (None, None if hours is None else hours + more_hours):
        confirmed_hours = {**world.situation.confirmed_hours, site: staler}

        before, after = (
            world.rank().offers,
            with_situation(world, confirmed_hours=confirmed_hours).offers,
        )

        for offer in after:
            (was,) = [other for other in before if other.group.id == offer.group.id]
            if offer.group.site_id == site:
                assert offer.score <= was.score
                ahead = {o.group.id for o in after[: offer.rank - 1]}
                assert ahead >= {
                    o.group.id for o in before[: was.rank - 1] if o.group.site_id != site
                }


@given(worlds, st.integers(0, 10))
@some_examples
def test_fuller_providers_and_longer_ways_never_gain(world: World, more: int) -> None:
    occupancy = {
        provider: permille + 20 * more for provider, permille in world.situation.occupancy.items()
    }
    near_km = {town: km + more for town, km in world.situation.near_km.items()}

    before = by_group(world.rank())
    fuller, farther = (
        by_group(with_situation(world, occupancy=occupancy)),
        by_group(with_situation(world, near_km=near_km)),
    )

    assert all(
        points(fuller[group_id], "headroom") <= points(offer, "headroom")
        for group_id, offer in before.items()
    )
    assert all(
        points(farther[group_id], "nearness") <= points(offer, "nearness")
        for group_id, offer in before.items()
    )


UNLAWFUL: tuple[dict[str, Any], ...] = (
    {"genders": ()},
    {"kind": "alternative"},
    {"bed_spaces": 0},
    {"municipality": "of nobody's map", "region": "Z"},
)


@given(worlds, st.sampled_from(UNLAWFUL))
@some_examples
def test_an_unlawful_offer_added_changes_nothing_but_the_count_of_those_left_out(
    world: World, against_it: dict[str, Any]
) -> None:
    unlawful = replace(PLACE, id="added", places=7, **against_it)
    # Nobody knows how far it is from anywhere: with a zone, anywhere, it is not lawful.
    need = (
        replace(world.need, danger_assessment="not_asked")
        if "municipality" in against_it
        else world.need
    )
    world = replace(world, need=need)
    situation = replace(world.situation, free={**world.situation.free, "added": 3})

    before, after = (
        world.rank(),
        rank(world.need, Register((*world.register.groups, unlawful)), situation, POLICY),
    )

    assert after.offers == before.offers
    assert after.lawful_regions == before.lawful_regions
    assert after.considered == before.considered + 7


@given(worlds)
@some_examples
def test_lawful_regions_do_not_depend_on_the_day(world: World) -> None:
    on_another_day = with_situation(
        world,
        free={},
        capped_regions=frozenset("ABCD"),
        declined_sites=frozenset({"s0", "s1", "s2", "s3"}),
    )
    all_open = Register(tuple(replace(group, admission="open") for group in world.register.groups))

    assert on_another_day.lawful_regions == world.rank().lawful_regions
    assert (
        rank(world.need, all_open, world.situation, POLICY).lawful_regions
        == world.rank().lawful_regions
    )
    assert not on_another_day.offers


# --- replay ---


@given(worlds)
@some_examples
def test_a_ranking_replayed_from_its_stored_bytes_is_the_same_to_the_last_point(
    world: World,
) -> None:
    inputs, register = (
        inputs_bytes(world.need, world.situation),
        register_of(register_bytes(world.register)),
    )

    assert replay(inputs, register=register, policy=POLICY, rules=NEWEST) == digest(world.rank())


@given(worlds, worlds)
@some_examples
def test_two_digests_are_equal_only_for_equal_rankings(one: World, other: World) -> None:
    first, second = one.rank(), other.rank()

    def said(ranking: Ranking) -> object:
        return replace(
            ranking,
            offers=tuple(replace(o, group=replace(PLACE, id=o.group.id)) for o in ranking.offers),
        )

    assert (digest(first) == digest(second)) == (said(first) == said(second))
