"""The same ranking, written another way from the text of the design.

Slow, plain, and never sharing a line of code.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor
from random import Random
from typing import TYPE_CHECKING, Any

from tests.rounds import rounds
from tests.unit.allocation.cases import POLICY_DOCUMENT as POLICY
from tests.unit.allocation.cases import draw_world

if TYPE_CHECKING:
    from app.allocation.values import Need, PlaceGroup, Situation
    from tests.unit.allocation.cases import World

CASES = rounds(600, soak=20_000)

Standing = tuple[bool, bool, list[int], str]
"""Ample, known, points, id."""


def zones_of(need: Need, situation: Situation) -> list[tuple[str, int]]:
    unassessed = (
        [] if is_assessed(need, situation) else [(need.origin, POLICY["unassessed_radius_km"])]
    )
    return in_force(need, situation) + unassessed


def in_force(need: Need, situation: Situation) -> list[tuple[str, int]]:
    return [
        (zone.municipality, zone.radius_km)
        for zone in need.danger_zones
        if not (
            zone.until is not None and zone.until < (situation.local_day or situation.as_of.date())
        )
    ]


def is_assessed(need: Need, situation: Situation) -> bool:
    found = in_force(need, situation) != []
    return {"assessed": found, "none_known": True, "not_asked": False}[need.danger_assessment]


def margins_of(group: PlaceGroup, need: Need, situation: Situation) -> list[int | None]:
    """What each zone leaves over; None where it is not lawful whatever the distance."""
    return [
        None
        if zone == group.municipality
        or group.municipality not in situation.clearances.get(zone, {})
        else situation.clearances[zone][group.municipality] - radius
        for zone, radius in zones_of(need, situation)
    ]


def admits_everyone(group: PlaceGroup, need: Need) -> bool:
    for adult in need.household.adults:
        if adult.gender not in group.genders:
            return False
    for child in need.household.children:
        might_be_a_son = child.gender is None or child.gender == "male"
        if might_be_a_son and child.age is None and group.sons_up_to_age < 17:
            return False
        if might_be_a_son and child.age is not None and child.age > group.sons_up_to_age:
            return False
    return True


def has_all(group: PlaceGroup, need: Need) -> bool:
    for asked in [*need.needs, *["pets"] * need.household.pets]:
        if asked == "confidential_address":
            present = group.address_secrecy == "confidential"
        elif asked == "supervision_24h":
            present = group.supervision == "24h"
        else:
            present = asked in group.features
        if not present:
            return False
    return True


def against(group: PlaceGroup, need: Need, situation: Situation) -> list[str]:
    """Every rule in the way, own region first aside, in the design's order."""
    kinds = {
        "acute": "crisis emergency regular",
        "urgent": "crisis regular",
        "planned": "regular move_on",
    }
    people = len(need.household.adults) + len(need.household.children)
    elsewhere = group.region != need.origin_region
    in_the_way = {
        "kind": group.kind not in kinds[need.urgency].split(),
        "free": not situation.free.get(group.id),
        "admission": group.admission == "paused",
        "size": people > group.bed_spaces,
        "household": not admits_everyone(group, need),
        "exclusive": group.exclusive_to != ()
        and not [g for g in need.target_groups if g in group.exclusive_to],
        "features": not has_all(group, need),
        "secrecy": need.threat_level == 3 and group.address_secrecy == "known",
        "danger": any(
            margin is None or margin < 0 for margin in margins_of(group, need, situation)
        ),
        "barred": group.provider_id in need.barred_providers,
        "declined": group.site_id in situation.declined_sites,
        "cap": need.reason != "safety" and elsewhere and group.region in situation.capped_regions,
    }
    return [rule for rule, stands in in_the_way.items() if stands]


def clamp(value: Fraction | int, most: int) -> int:
    return min(most, max(0, floor(value)))


def nearness_of(group: PlaceGroup, need: Need, situation: Situation, near: dict[str, int]) -> int:
    km = situation.near_km.get(group.municipality)
    if need.near_municipality is None or km is None:
        return 0
    rounded = next(five for five in range(0, 1000, 5) if five >= km)
    return clamp(near["most"] * (1 - Fraction(rounded, near["reach_km"])), near["most"])


def points_of(group: PlaceGroup, need: Need, situation: Situation) -> list[int]:
    weights: dict[str, Any] = POLICY["points"]
    near, fit, special, room, fair, lasting, fresh = weights.values()

    asked = {*need.needs, *(["pets"] if need.household.pets else [])}
    spare = group.bed_spaces - len(need.household.adults) - len(need.household.children)
    wasted = [f for f in group.features if f in fit["scarce_features"] and f not in asked]
    common = [g for g in group.specialisms if g in need.target_groups]
    fitting = (
        fit["kinds"][need.urgency][group.kind]
        - fit["spare_bed_space"] * spare
        - fit["scarce_feature"] * len(wasted)
    )
    if group.specialisms and not common:
        fitting -= fit["unused_specialism"]

    permille = situation.occupancy.get(group.provider_id, 1000)
    under_norm = POLICY["occupancy_norm_permille"] - permille
    steps = max(0, floor(Fraction(under_norm, room["step_permille"])))

    owed = Fraction(situation.deficits.get(group.region, 0), 90 * 1_000_000)
    if need.reason != "safety":
        owed = -owed if owed > 0 else Fraction(0)
    solidarity = clamp(fair["at_quota"] + fair["stay"] * owed, fair["most"])

    hours = situation.confirmed_hours.get(group.site_id)
    age = Fraction(fresh["worthless_hours"] if hours is None else hours, fresh["worthless_hours"])

    return [
        nearness_of(group, need, situation, near),
        max(0, fitting),
        clamp(special["match"] * len(common), special["most"]),
        clamp(room["step"] * steps, room["most"]),
        fair["own_region"] if group.region == need.origin_region else solidarity,
        clamp(
            lasting["most"] - lasting["move"] * lasting["later_moves"][group.kind], lasting["most"]
        ),
        clamp(fresh["most"] * (1 - age), fresh["most"]),
    ]


def oracle(world: World) -> dict[str, Any]:
    need, situation = world.need, world.situation
    left_out: dict[tuple[str, str], int] = {}
    lawful: list[PlaceGroup] = []
    regions: set[str] = set()
    for group in world.register.groups:
        rules = against(group, need, situation)
        if not set(rules) - {"free", "admission", "declined", "cap"}:
            regions.add(group.region)
        if rules:
            left_out[rules[0], group.region] = (
                left_out.get((rules[0], group.region), 0) + group.places
            )
        else:
            lawful.append(group)
    if need.reason != "safety" and need.origin_region in [group.region for group in lawful]:
        for group in [group for group in lawful if group.region != need.origin_region]:
            key = ("own_region_first", group.region)
            left_out[key] = left_out.get(key, 0) + group.places
            lawful.remove(group)

    return {"offers": in_order(lawful, need, situation), "excluded": left_out, "regions": regions}


def ample(group: PlaceGroup, need: Need, situation: Situation) -> bool:
    return all(
        margin is not None and margin >= POLICY["ample_margin_km"]
        for margin in margins_of(group, need, situation)
    )


def in_order(
    lawful: list[PlaceGroup], need: Need, situation: Situation
) -> list[tuple[str, list[int], bool]]:
    unordered = [
        (
            ample(group, need, situation),
            situation.confirmed_hours.get(group.site_id) is not None,
            points_of(group, need, situation),
            group.id,
        )
        for group in lawful
    ]
    best_first: list[tuple[str, list[int], bool]] = []
    while unordered:
        best = unordered[0]
        for other in unordered[1:]:
            if goes_before(other, best):
                best = other
        unordered.remove(best)
        best_first.append((best[3], best[2], best[0]))
    return best_first


def goes_before(one: Standing, other: Standing) -> bool:
    safe, known, points, group_id = one
    also_safe, also_known, other_points, other_id = other
    if safe != also_safe:
        return safe
    if known != also_known:
        return known
    if sum(points) != sum(other_points):
        return sum(points) > sum(other_points)
    return group_id < other_id


def test_the_ranking_agrees_with_one_written_another_way() -> None:
    contested = 0
    for seed in range(CASES):
        world = draw_world(Random(seed), most_groups=12)
        expected, ranking = oracle(world), world.rank()

        found = [
            (o.group.id, [line.points for line in o.points], o.band == "ample")
            for o in ranking.offers
        ]
        assert found == expected["offers"], f"seed {seed}"
        assert {(out.rule, out.region): out.places for out in ranking.excluded} == expected[
            "excluded"
        ], f"seed {seed}"
        assert set(ranking.lawful_regions) == expected["regions"], f"seed {seed}"
        contested += len(found) > 1

    # To agree on nothing but emptiness would prove nothing.
    assert contested > CASES / 10
