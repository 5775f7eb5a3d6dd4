"""Each hard rule alone.

The smallest case that passes, the smallest that does not, and the codes in order.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.allocation.ranking.rank import rank
from app.allocation.ranking.rules import CODES
from app.allocation.values import (
    PLACE_KINDS,
    Adult,
    Child,
    Exclusion,
    Household,
    PlaceGroup,
    Register,
)
from tests.unit.allocation.cases import (
    MOTHER,
    PLACE,
    POLICY,
    QUIET,
    SAFE_NEED,
    TODAY,
    YESTERDAY,
    excluded_by,
    family,
    only_offer,
    rank_one,
    zone,
)


def test_the_codes_stand_in_the_order_in_which_they_are_named() -> None:
    assert " ".join(CODES) == (
        "kind free admission size household exclusive features secrecy danger barred declined "
        "cap own_region_first"
    )


@pytest.mark.parametrize(
    "urgency, answered",
    [
        ("acute", {"crisis", "emergency", "regular"}),
        ("urgent", {"crisis", "regular"}),
        ("planned", {"regular", "move_on"}),
    ],
)
def test_each_urgency_is_answered_by_its_own_kinds_and_never_by_an_alternative(
    urgency: str, answered: set[str]
) -> None:
    need = replace(SAFE_NEED, urgency=urgency)

    offered = {kind for kind in PLACE_KINDS if rank_one(need, replace(PLACE, kind=kind)).offers}

    assert offered == answered


def test_where_nothing_is_free_nothing_is_offered() -> None:
    assert excluded_by(rank_one(situation=replace(QUIET, free={}))) == ["free"]


def test_a_site_that_paused_admission_is_left_out() -> None:
    assert excluded_by(rank_one(place=replace(PLACE, admission="paused"))) == ["admission"]


def test_everyone_has_a_bed() -> None:
    household = family(Child(3, "female"))

    assert excluded_by(rank_one(replace(SAFE_NEED, household=household))) == ["size"]
    assert rank_one(replace(SAFE_NEED, household=household), replace(PLACE, bed_spaces=2)).offers


def test_every_adult_is_admitted_or_none_is() -> None:
    couple = Household((Adult("female", None), Adult("male", None)), (), pets=0, pregnant=False)
    place = replace(PLACE, bed_spaces=2)

    assert excluded_by(rank_one(replace(SAFE_NEED, household=couple), place)) == ["household"]
    assert rank_one(
        replace(SAFE_NEED, household=couple), replace(place, genders=("male", "female"))
    ).offers


@pytest.mark.parametrize(
    "child, up_to, admitted",
    [
        (Child(12, "male"), 12, True),
        (Child(13, "male"), 12, False),
        (Child(13, None), 12, False),
        (Child(13, "female"), 12, True),
        (Child(None, "female"), 0, True),
        (Child(None, "male"), 16, False),
        (Child(None, None), 16, False),
        (Child(None, None), 17, True),
    ],
)
def test_the_unknown_is_never_lawful_by_assumption(
    child: Child,
    up_to: int,
    admitted: bool,  # noqa: FBT001
) -> None:
    place = replace(PLACE, bed_spaces=2, sons_up_to_age=up_to)

    assert bool(rank_one(replace(SAFE_NEED, household=family(child)), place).offers) is admitted


def test_an_exclusive_site_admits_its_own_target_group_only() -> None:
    place = replace(PLACE, exclusive_to=("lgbtiq", "young_mother"))

    assert excluded_by(rank_one(place=place)) == ["exclusive"]
    assert rank_one(replace(SAFE_NEED, target_groups=("lgbtiq",)), place).offers


def test_a_target_group_that_nobody_specialises_in_excludes_nothing() -> None:
    assert rank_one(replace(SAFE_NEED, target_groups=("addiction",))).offers


@pytest.mark.parametrize(
    "asked, lacking, having",
    [
        ("wheelchair", PLACE, replace(PLACE, features=("cots", "wheelchair"))),
        ("confidential_address", replace(PLACE, address_secrecy="known"), PLACE),
        ("supervision_24h", replace(PLACE, supervision="daytime"), PLACE),
    ],
)
def test_what_is_asked_for_as_a_need_must_be_there(
    asked: str, lacking: PlaceGroup, having: PlaceGroup
) -> None:
    need = replace(SAFE_NEED, needs=(asked,))

    assert excluded_by(rank_one(need, lacking)) == ["features"]
    assert rank_one(need, having).offers


def test_a_pet_needs_a_place_that_admits_pets() -> None:
    need = replace(SAFE_NEED, household=replace(MOTHER, pets=1))

    assert excluded_by(rank_one(need)) == ["features"]
    assert rank_one(need, replace(PLACE, features=("pets",))).offers


@pytest.mark.parametrize("threat_level, admitted", [(None, True), (1, True), (2, True), (3, False)])
def test_the_highest_threat_rules_out_known_addresses(
    threat_level: int | None,
    admitted: bool,  # noqa: FBT001
) -> None:
    need, known = (
        replace(SAFE_NEED, threat_level=threat_level),
        replace(PLACE, address_secrecy="known"),
    )

    assert bool(rank_one(need, known).offers) is admitted
    assert rank_one(need).offers


# --- danger ---------------------------------------------------------------------------


@pytest.mark.parametrize("clearance_km, lawful", [(49, False), (50, True), (-4, False)])
def test_a_clearance_of_the_radius_is_enough_and_a_kilometre_less_is_not(
    clearance_km: int,
    lawful: bool,  # noqa: FBT001
) -> None:
    need = replace(SAFE_NEED, danger_assessment="assessed", danger_zones=(zone(radius_km=50),))

    ranking = rank_one(need, situation=replace(QUIET, clearances={"home": {"away": clearance_km}}))

    assert bool(ranking.offers) is lawful
    assert excluded_by(ranking) == ([] if lawful else ["danger"])


def test_a_zone_own_municipality_is_never_lawful_whatever_the_table_says() -> None:
    need = replace(SAFE_NEED, danger_zones=(zone("away", radius_km=0),))

    assert excluded_by(
        rank_one(need, situation=replace(QUIET, clearances={"away": {"away": 99}}))
    ) == ["danger"]


@pytest.mark.parametrize("clearances", [{}, {"home": {}}, {"home": {"elsewhere": 200}}])
def test_a_clearance_that_is_not_known_is_never_enough(
    clearances: dict[str, dict[str, int]],
) -> None:
    need = replace(SAFE_NEED, danger_zones=(zone(radius_km=0),))

    assert excluded_by(rank_one(need, situation=replace(QUIET, clearances=clearances))) == [
        "danger"
    ]


def test_every_zone_counts_and_of_two_in_one_municipality_the_widest() -> None:
    situation = replace(QUIET, clearances={"home": {"away": 60}, "work": {"away": 30}})

    assert rank_one(
        replace(SAFE_NEED, danger_zones=(zone(), zone("work", radius_km=30))), situation=situation
    ).offers
    assert not rank_one(
        replace(SAFE_NEED, danger_zones=(zone(), zone("work"))), situation=situation
    ).offers
    wide, narrow = zone(radius_km=75), zone(radius_km=10)
    assert not rank_one(replace(SAFE_NEED, danger_zones=(wide, narrow)), situation=situation).offers
    assert not rank_one(replace(SAFE_NEED, danger_zones=(narrow, wide)), situation=situation).offers


def test_a_zone_counts_up_to_and_including_its_last_day() -> None:
    situation = replace(QUIET, clearances={"home": {"away": 10}})

    assert rank_one(
        replace(SAFE_NEED, danger_zones=(zone(until=YESTERDAY),)), situation=situation
    ).offers
    assert not rank_one(
        replace(SAFE_NEED, danger_zones=(zone(until=TODAY),)), situation=situation
    ).offers


def test_where_danger_was_not_asked_about_the_origin_is_a_zone_beside_those_given() -> None:
    need = replace(
        SAFE_NEED, danger_assessment="not_asked", danger_zones=(zone("work", radius_km=10),)
    )
    near = replace(
        QUIET, clearances={"home": {"away": POLICY.unassessed_radius_km - 1}, "work": {"away": 90}}
    )
    far = replace(
        QUIET, clearances={"home": {"away": POLICY.unassessed_radius_km}, "work": {"away": 90}}
    )

    assert excluded_by(rank_one(need, situation=near)) == ["danger"]
    assert only_offer(rank_one(need, situation=far)).clearance_km == 50
    assert rank_one(need, situation=far).safety_assessed is False
    assert (
        rank_one(replace(need, danger_assessment="assessed"), situation=near).safety_assessed
        is True
    )


# --- people's decisions ---------------------------------------------------------------


def test_a_barred_provider_and_a_site_that_declined_are_left_out() -> None:
    assert excluded_by(rank_one(replace(SAFE_NEED, barred_providers=("p1",)))) == ["barred"]
    assert excluded_by(rank_one(situation=replace(QUIET, declined_sites=frozenset({"s1"})))) == [
        "declined"
    ]


@pytest.mark.parametrize("reason", ["capacity", "follow_on", "return"])
def test_a_cap_bounds_what_a_region_takes_from_others_for_any_reason_but_safety(
    reason: str,
) -> None:
    need, capped = (
        replace(SAFE_NEED, reason=reason),
        replace(QUIET, capped_regions=frozenset({"AWAY"})),
    )

    assert excluded_by(rank_one(need, situation=capped)) == ["cap"]
    assert rank_one(replace(need, origin_region="AWAY"), situation=capped).offers
    assert rank_one(SAFE_NEED, situation=capped).offers


def test_only_for_safety_does_a_household_leave_while_its_own_region_has_something() -> None:
    own = replace(PLACE, id="g2", region="HOME", municipality="home")
    register, both = Register((PLACE, own)), replace(QUIET, free={"g1": 1, "g2": 1})
    capacity = replace(SAFE_NEED, reason="capacity")

    stays = rank(capacity, register, both, POLICY)
    leaves = rank(capacity, register, replace(both, free={"g1": 1}), POLICY)
    flees = rank(SAFE_NEED, register, both, POLICY)

    assert [offer.group.id for offer in stays.offers] == ["g2"]
    assert stays.excluded == (Exclusion("own_region_first", "AWAY", 4),)
    assert [offer.group.id for offer in leaves.offers] == ["g1"]
    assert {offer.group.id for offer in flees.offers} == {"g1", "g2"}


# --- what is said about those left out ------------------------------------------------


def test_the_first_rule_in_the_way_is_the_one_named() -> None:
    hopeless = replace(
        PLACE, kind="alternative", admission="paused", bed_spaces=0, address_secrecy="known"
    )

    assert excluded_by(rank_one(place=hopeless, situation=replace(QUIET, free={}))) == ["kind"]
    assert excluded_by(rank_one(place=replace(hopeless, kind="crisis"))) == ["admission"]


def test_exclusions_count_places_by_rule_and_region() -> None:
    register = Register(
        (
            replace(PLACE, id="1", kind="move_on", places=2),
            replace(PLACE, id="2", kind="move_on", places=3),
            replace(PLACE, id="3", kind="move_on", region="HOME"),
            replace(PLACE, id="4"),
        )
    )

    ranking = rank(SAFE_NEED, register, QUIET, POLICY)

    assert ranking.excluded == (
        Exclusion("free", "AWAY", 4),
        Exclusion("kind", "AWAY", 5),
        Exclusion("kind", "HOME", 4),
    )
    assert ranking.considered == 13


@pytest.mark.parametrize(
    "place, situation",
    [
        (PLACE, replace(QUIET, free={})),
        (replace(PLACE, admission="paused"), QUIET),
        (PLACE, replace(QUIET, declined_sites=frozenset({"s1"}))),
        (PLACE, replace(QUIET, capped_regions=frozenset({"AWAY"}))),
        (PLACE, QUIET),
    ],
)
def test_a_region_is_lawful_whatever_is_free_open_declined_or_capped_today(
    place: PlaceGroup, situation: object
) -> None:
    ranking = rank_one(replace(SAFE_NEED, reason="capacity"), place, situation)  # pyright: ignore[reportArgumentType]

    assert ranking.lawful_regions == ("AWAY",)


def test_a_region_is_lawful_beyond_the_own_region_too() -> None:
    own = replace(PLACE, id="g2", region="HOME")
    both = replace(QUIET, free={"g1": 1, "g2": 1})

    ranking = rank(replace(SAFE_NEED, reason="capacity"), Register((PLACE, own)), both, POLICY)

    assert ranking.lawful_regions == ("AWAY", "HOME")


def test_a_region_where_nothing_would_ever_do_is_not_lawful() -> None:
    assert (
        rank_one(
            place=replace(PLACE, genders=("male",)), situation=replace(QUIET, free={})
        ).lawful_regions
        == ()
    )
    assert rank_one(place=replace(PLACE, kind="alternative")).lawful_regions == ()
