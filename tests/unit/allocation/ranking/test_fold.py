"""What is shown of a ranking, beside the same found by trying, over whole countries."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from functools import cache
from random import Random

from app.allocation.policy.policy import parse_policy
from app.allocation.ranking.desk_view import desk_view
from app.allocation.ranking.fold import (
    FRESHEST,
    FoldedOffer,
    first_providers,
    fold_offers,
    traits_of,
)
from app.allocation.ranking.left_out import LeftOut, Trade, band_of, count_by_rule, left_out, trades
from app.allocation.ranking.rank import RankingInputs
from app.allocation.values import Child, Register
from tests.rounds import rounds
from tests.unit.allocation.cases import (
    PLACE,
    POLICY,
    POLICY_DOCUMENT,
    QUIET,
    SAFE_NEED,
    World,
    draw_world,
    family,
)
from tests.unit.allocation.ranking.test_oracle import against

WORLDS = rounds(200, soak=4_000)


@cache
def worlds() -> list[World]:
    return [alike(draw_world(Random(seed), most_groups=14)) for seed in range(WORLDS)]


def alike(world: World) -> World:
    """Make most of a country's places differ in less, so that many are offered as one."""
    groups = tuple(
        replace(
            group,
            region="B",
            municipality=f"b{1 + number % 2}",
            kind="regular",
            sharing="own_unit",
            supervision="24h",
            bed_spaces=6,
            exclusive_to=(),
            provider_id="p0",
        )
        if number % 3
        else group
        for number, group in enumerate(world.register.groups)
    )
    return replace(world, register=Register(groups))


def inputs_of(world: World) -> RankingInputs:
    return RankingInputs(world.need, world.register, world.situation, POLICY)


def folded(world: World) -> tuple[FoldedOffer, ...]:
    return fold_offers(world.rank(), world.need, bands=POLICY.bands)


def standing(offer: FoldedOffer) -> tuple[bool, bool, bool, int]:
    return (
        offer.asks_threat_level,
        offer.first.band != "ample",
        offer.freshness == "unknown",
        -offer.score,
    )


def test_each_offer_is_in_one_folded_offer_and_what_that_shows_is_the_least_of_all_in_it() -> None:
    joined = 0
    for world in worlds():
        shown = folded(world)
        ranking = world.rank()
        behind = [place for offer in shown for place in offer.places]
        assert sorted(place.group.id for place in behind) == sorted(
            offer.group.id for offer in ranking.offers
        )
        assert [offer.rank for offer in shown] == list(range(1, len(shown) + 1))
        assert [standing(offer) for offer in shown] == sorted(map(standing, shown))
        for offer in shown:
            places = offer.places
            joined += len(places) > 1
            assert [place.rank for place in places] == sorted(place.rank for place in places)
            assert len({(traits_of(place.group), place.band) for place in places}) == 1
            assert offer.score == sum(line.points for line in offer.points)
            for number, line in enumerate(offer.points):
                assert line.points == min(place.points[number].points for place in places)
            assert all(set(offer.features) <= set(place.group.features) for place in places)
            for place in places:
                assert FRESHEST.index(offer.freshness) >= FRESHEST.index(place.freshness)
                assert (offer.clearance_km or 0) <= (place.clearance_km or 0)
                assert (offer.margin_km or 0) <= (place.margin_km or 0)
                known = place.group.address_secrecy == "known"
                assert offer.asks_threat_level == (known and world.need.threat_level is None)
    assert joined > WORLDS / 10


def test_a_policy_without_a_band_for_freshness_joins_what_is_known_with_what_is_not() -> None:
    policy = parse_policy({**POLICY_DOCUMENT, "bands": ["safety"]})
    other = replace(PLACE, id="g2", site_id="s2")
    situation = replace(QUIET, free={"g1": 1, "g2": 1}, confirmed_hours={"s1": 30})
    inputs = RankingInputs(SAFE_NEED, Register((PLACE, other)), situation, policy)

    (offer,) = desk_view(inputs, inputs.rank()).offers

    assert offer.freshness == "unknown"
    assert offer.points[-1].params == {"case": "unknown"}
    split = RankingInputs(SAFE_NEED, Register((PLACE, other)), situation, POLICY)
    assert len(desk_view(split, split.rank()).offers) == 2


def test_the_first_providers_in_regions_are_shown_with_all_that_they_offer_there() -> None:
    cut = 0
    for world in worlds():
        offers = folded(world)
        shown = first_providers(offers, most=2)
        whose = list(
            dict.fromkeys((o.first.group.provider_id, o.first.group.region) for o in offers)
        )
        assert shown == tuple(o for o in offers if o.provider_in_region in whose[:2])
        cut += len(shown) < len(offers)
    assert cut > 0


def test_features_are_shown_as_far_as_they_were_asked_for_or_are_for_children() -> None:
    place = replace(PLACE, bed_spaces=2, features=("cots", "pets", "school_near", "wheelchair"))
    for need, features in (
        (SAFE_NEED, ()),
        (replace(SAFE_NEED, needs=("wheelchair",)), ("wheelchair",)),
        (replace(SAFE_NEED, household=family(Child(3, "female"))), ("cots", "school_near")),
        (
            replace(SAFE_NEED, household=replace(family(), pregnant=True, pets=1)),
            ("cots", "pets", "school_near"),
        ),
    ):
        inputs = RankingInputs(need, Register((place,)), QUIET, POLICY)
        (offer,) = desk_view(inputs, inputs.rank()).offers
        assert offer.features == features


# --- what is left out -----------------------------------------------------------------


def test_what_is_left_out_is_what_trying_finds_and_does_not_move_with_what_is_taken() -> None:
    full = 0
    for world in worlds():
        ranking, inputs = world.rank(), inputs_of(world)
        found = left_out(inputs.case(), inputs, ranking)
        at_home = world.need.reason != "safety" and any(
            not offer.cross_regional for offer in ranking.offers
        )
        offered = {traits_of(offer.group) for offer in ranking.offers}
        expected: Counter[tuple[str, str | None]] = Counter()
        for group in world.register.groups:
            rules = [r for r in against(group, world.need, world.situation) if r != "free"]
            if rules:
                expected[rules[0], group.region] += group.places
            elif at_home and group.region != world.need.origin_region:
                expected["own_region_first", group.region] += group.places
            elif traits_of(group) not in offered:
                expected["free", None] += group.places
        assert {(out.rule, out.region): out.places for out in found} == expected
        full += ("free", None) in expected
        assert Counter(dict(count_by_rule(found))) == sum(
            (Counter({out.rule: out.places}) for out in found), Counter()
        )
        if world.need.reason == "safety":
            taken = replace(world, situation=replace(world.situation, free={}))
            nothing = inputs_of(taken)
            still = left_out(nothing.case(), nothing, taken.rank())
            assert [out for out in still if out.region] == [out for out in found if out.region]
    assert full > WORLDS / 20


def test_numbers_are_told_in_bands() -> None:
    told = defaultdict[str, list[int]](list)
    for number in range(30):
        told[band_of(number)].append(number)
    assert {band: (numbers[0], numbers[-1]) for band, numbers in told.items()} == {
        "0": (0, 0),
        "1-4": (1, 4),
        "5-19": (5, 19),
        "20+": (20, 29),
    }
    assert (LeftOut("size", "A", 7).band, Trade(None, 3).band) == ("5-19", "1-4")


# --- what a household could do without ------------------------------------------------


def test_a_trade_opens_what_a_household_without_it_is_offered_and_is_never_about_safety() -> None:
    named = 0
    for world in worlds():
        need = replace(
            world.need, needs=(*world.need.needs, "wheelchair", "confidential_address", "pets")
        )
        asked = replace(world, need=replace(need, needs=tuple(dict.fromkeys(need.needs))))
        inputs, ranking = inputs_of(asked), asked.rank()
        found = trades(inputs.case(), inputs, ranking)
        offered = {offer.group.id for offer in ranking.offers}
        for trade in found:
            without = tuple(one for one in asked.need.needs if one != (trade.need or "pets"))
            household = asked.need.household
            if trade.need is None:
                household = replace(household, pets=0)
            changed = replace(asked, need=replace(asked.need, needs=without, household=household))
            opened = [o for o in changed.rank().offers if o.group.id not in offered]
            assert trade.places == sum(offer.free for offer in opened) > 0
            assert trade.need not in {"confidential_address", "supervision_24h"}
        assert [trade.places for trade in found] == sorted(
            (trade.places for trade in found), reverse=True
        )
        assert not household_has_pets(asked) or "pets" not in {trade.need for trade in found}
        named += bool(found)
    assert named > WORLDS / 20


def household_has_pets(world: World) -> bool:
    return world.need.household.pets > 0


def test_trades_are_named_only_where_there_are_few_offers() -> None:
    need = replace(SAFE_NEED, household=replace(family(), pets=1))
    dog = replace(PLACE, features=("pets",))
    with_dog = [replace(dog, id=f"g{n}", site_id=f"s{n}", provider_id=f"p{n}") for n in range(3)]
    for offers in (2, 3):
        register = Register((*with_dog[:offers], replace(PLACE, id="without", provider_id="q")))
        free = dict.fromkeys((group.id for group in register.groups), 3)
        inputs = RankingInputs(need, register, replace(QUIET, free=free), POLICY)
        view = desk_view(inputs, inputs.rank())
        assert len(view.offers) == offers
        assert view.trades == ((Trade(None, 3),) if offers == 2 else ())
