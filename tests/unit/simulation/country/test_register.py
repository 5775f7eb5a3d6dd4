"""Claims about the demo country: what it looks like, and that nothing in it exists."""

import hashlib
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from app.reference import load
from app.simulation.country.households import Households
from app.simulation.country.luck import Luck, shares
from app.simulation.country.register import build_country
from app.simulation.country.values import DemoCountry

ROOT = Path(__file__).parents[4]
REFERENCE = load("nl")
REGION_OF = {town.code: town.region for town in REFERENCE.municipalities}
SEEDS = [1, 2, 77]
COUNTRIES = {seed: build_country(REFERENCE, seed=seed) for seed in SEEDS}

# Names, or parts of names, of organisations that really give shelter in the Netherlands.
REAL_NAMES = (
    "moviera|arosa|kadera|blijf|oranje|perspektief|fier|valente|rosa "
    "manus|tussenvoorziening|xonar|lumens|neos|"
    "safegroup|svmn|zefer|sterk "
    "huis|kompaan|humanitas|querido|emergis|wende|kopland|mutsaers|samen veilig|vieja|"
    "toevluchtsoord|jade|maashorst|altra|leger des "
    "heils|veilig|limor|kwintes|iriszorg|springplank|rimo"
)


@pytest.fixture(params=SEEDS, ids=lambda seed: f"seed {seed}")
def country(request: pytest.FixtureRequest) -> DemoCountry:
    return COUNTRIES[request.param]


def test_the_same_seed_gives_the_same_country_including_its_ids() -> None:
    assert build_country(REFERENCE, seed=1) == COUNTRIES[1]


def test_another_seed_gives_another_country() -> None:
    assert {site.id for site in COUNTRIES[1].sites}.isdisjoint(
        site.id for site in COUNTRIES[2].sites
    )
    assert [place.kind for place in COUNTRIES[1].places] != [
        place.kind for place in COUNTRIES[2].places
    ]


def test_the_same_seed_gives_the_same_country_in_another_process() -> None:
    program = (
        "import hashlib; from app.reference import load; from app.simulation.country.register "
        "import build_country;"
        "print(hashlib.sha256(repr(build_country(load('nl'), seed=1)).encode()).hexdigest())"
    )
    here = hashlib.sha256(repr(COUNTRIES[1]).encode()).hexdigest()
    environment = {**os.environ, "PYTHONHASHSEED": "4711"}
    there = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, cwd=ROOT, env=environment
    )
    assert there.stdout.decode().strip() == here


def test_every_id_is_used_once_and_looks_like_any_other(country: DemoCountry) -> None:
    things = (*country.providers, *country.sites, *country.places, *country.referrals)
    assert len({thing.id for thing in things}) == len(things)
    assert {thing.id.version for thing in things} == {4}


# --- providers ------------------------------------------------------------------------


def test_there_are_24_providers_that_do_not_exist(country: DemoCountry) -> None:
    assert len({provider.name for provider in country.providers}) == 24
    assert not [
        provider.name
        for provider in country.providers
        if re.search(REAL_NAMES, provider.name.lower())
    ]


def test_slugs_are_fit_for_a_command_line(country: DemoCountry) -> None:
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", provider.slug) for provider in country.providers)


def test_no_telephone_number_can_be_dialled(country: DemoCountry) -> None:
    # 00 dials abroad and no country's code begins with 0: a third zero leads nowhere.
    numbers = [provider.phone for provider in country.providers]
    assert len(set(numbers)) == 24
    assert all(re.fullmatch(r"000-555 01 \d\d", number) for number in numbers)
    assert {referral.call_back for referral in country.referrals} <= set(numbers)


def test_every_region_is_served_and_some_providers_serve_several(country: DemoCountry) -> None:
    served = Counter(region for provider in country.providers for region in provider.regions)
    assert set(served) == {region.code for region in REFERENCE.regions}
    assert max(len(provider.regions) for provider in country.providers) == 3
    assert Counter(served.values()) == {1: 32, 2: 3}


# --- sites ----------------------------------------------------------------------------


def test_every_region_has_a_site_for_anyone_in_its_lead_municipality(country: DemoCountry) -> None:
    open_to_all = {site.municipality for site in country.sites if not site.exclusive_to}
    assert {region.code for region in REFERENCE.regions} <= open_to_all


def test_there_are_70_to_110_sites_each_in_a_region_of_its_provider(country: DemoCountry) -> None:
    assert 70 <= len(country.sites) <= 110
    regions = {provider.id: provider.regions for provider in country.providers}
    assert all(REGION_OF[site.municipality] in regions[site.provider_id] for site in country.sites)


def test_a_site_is_named_once_within_its_provider(country: DemoCountry) -> None:
    assert len({(site.provider_id, site.name) for site in country.sites}) == len(country.sites)


def test_no_address_can_exist_and_none_is_another(country: DemoCountry) -> None:
    assert all(site.postcode.startswith("0000 ") for site in country.sites)
    assert len({site.street for site in country.sites}) == len(country.sites)


def test_most_addresses_are_confidential_and_only_known_ones_accept_automatically(
    country: DemoCountry,
) -> None:
    secrecy = Counter(site.address_secrecy for site in country.sites)
    assert secrecy["confidential"] > 2 * secrecy["known"] > 0
    automatic = [site.address_secrecy for site in country.sites if site.automatic_acceptance]
    assert set(automatic) == {"known"}


def test_some_sites_are_stale_some_never_confirmed_some_paused_and_a_few_exclusive(
    country: DemoCountry,
) -> None:
    stale = [site for site in country.sites if (site.confirmed_hours_ago or 0) > 24]
    never = [site for site in country.sites if site.confirmed_hours_ago is None]
    paused = [site for site in country.sites if site.admission == "paused"]
    exclusive = [site for site in country.sites if site.exclusive_to]
    assert 8 <= len(stale) <= 20
    assert 3 <= len(never) <= 10
    assert 3 <= len(paused) <= 8
    assert len(exclusive) == 4


# --- places ---------------------------------------------------------------------------


def test_there_are_1024_places_about_400_of_them_for_crisis(country: DemoCountry) -> None:
    kinds = Counter(place.kind for place in country.places)
    assert kinds.total() == 1024
    assert 350 <= kinds["crisis"] <= 450
    assert kinds["regular"] > kinds["move_on"] > kinds["emergency"] > kinds["alternative"] > 0


def test_93_in_100_places_are_not_free_and_a_few_are_out_of_service(country: DemoCountry) -> None:
    statuses = Counter(place.status for place in country.places)
    assert statuses == {"occupied": 932, "free": 72, "out_of_service": 20}
    assert all(
        (place.reason is None) == (place.status != "out_of_service") for place in country.places
    )


def test_free_crisis_places_are_found_in_several_regions(country: DemoCountry) -> None:
    region = {site.id: REGION_OF[site.municipality] for site in country.sites}
    free = {
        region[place.site_id]
        for place in country.places
        if place.status == "free" and place.kind == "crisis"
    }
    assert len(free) >= 8


def test_regions_have_places_by_weight(country: DemoCountry) -> None:
    region = {site.id: REGION_OF[site.municipality] for site in country.sites}
    places = Counter(region[place.site_id] for place in country.places)
    total = sum(weight.weight for weight in REFERENCE.weights)
    assert all(
        abs(places[weight.region] - 1024 * weight.weight / total) < 1
        for weight in REFERENCE.weights
    )


def test_places_sleep_one_to_eight_and_small_ones_are_the_most(country: DemoCountry) -> None:
    sizes = Counter(place.bed_spaces for place in country.places)
    assert set(sizes) == set(range(1, 9))
    assert sizes[2] > sizes[5] > sizes[8]


def test_most_places_are_for_women_and_some_for_men(country: DemoCountry) -> None:
    men = [place for place in country.places if place.genders[0] == "male"]
    assert len(men) == 30
    assert sum("female" in place.genders for place in country.places) == 1024 - len(men)


def test_a_label_is_used_once_within_its_site_and_every_site_has_places(
    country: DemoCountry,
) -> None:
    assert len({(place.site_id, place.label) for place in country.places}) == 1024
    assert {place.site_id for place in country.places} == {site.id for site in country.sites}


def test_places_fall_into_groups_that_are_alike(country: DemoCountry) -> None:
    groups = {
        (
            place.site_id,
            place.kind,
            place.bed_spaces,
            place.sharing,
            place.genders,
            place.sons_up_to_age,
            place.features,
        )
        for place in country.places
    }
    assert 300 <= len(groups) <= 450


def test_nobody_is_in_an_emergency_bed_for_more_than_three_nights(country: DemoCountry) -> None:
    emergency = [
        place
        for place in country.places
        if place.kind == "emergency" and place.status == "occupied"
    ]
    assert max(place.status_hours for place in emergency) <= 72


def test_every_code_in_the_country_is_a_known_one(country: DemoCountry) -> None:
    used = {
        "place_kinds": {place.kind for place in country.places},
        "place_statuses": {place.status for place in country.places},
        "sharing": {place.sharing for place in country.places},
        "genders": {gender for place in country.places for gender in place.genders},
        "features": {
            feature for thing in (*country.places, *country.sites) for feature in thing.features
        },
        "out_of_service_reasons": {place.reason for place in country.places if place.reason},
        "address_secrecy": {site.address_secrecy for site in country.sites},
        "supervision": {site.supervision for site in country.sites},
        "admission": {site.admission for site in country.sites},
        "target_groups": {
            group for site in country.sites for group in (*site.specialisms, *site.exclusive_to)
        },
    }
    assert not {
        name: codes - REFERENCE.codes_of(name)
        for name, codes in used.items()
        if codes - REFERENCE.codes_of(name)
    }


# --- who is looking for a place -------------------------------------------------------


def test_40_referrals_are_open_each_with_a_provider_of_its_origin(country: DemoCountry) -> None:
    regions = {provider.id: provider.regions for provider in country.providers}
    assert len(country.referrals) == 40
    for referral in country.referrals:
        assert REGION_OF[referral.case.origin] in regions[referral.provider_id]
        assert referral.provider_id not in referral.barred_providers
        assert referral.created_minutes_ago >= 0


def test_who_waits_longer_than_a_day_has_a_safety_plan(country: DemoCountry) -> None:
    assert all(
        referral.safety_plan == (referral.created_minutes_ago > 1440)
        for referral in country.referrals
    )


CASES = [households.draw() for households in [Households(REFERENCE, seed=1)] for _ in range(3000)]


def test_two_in_five_clients_are_children() -> None:
    children = sum(len(case.household.children) for case in CASES)
    people = sum(case.household.persons for case in CASES)
    assert 0.39 <= children / people <= 0.45


def test_households_come_from_where_people_live() -> None:
    total = sum(town.population for town in REFERENCE.municipalities)
    amsterdam = next(town.population for town in REFERENCE.municipalities if town.code == "GM0363")
    drawn = sum(case.origin == "GM0363" for case in CASES) / len(CASES)
    assert abs(drawn - amsterdam / total) < 0.02


def test_zones_are_given_just_where_danger_was_assessed_and_the_origin_is_the_first() -> None:
    for case in CASES:
        assert bool(case.danger_zones) == (case.danger_assessment == "assessed")
        towns = [zone.municipality for zone in case.danger_zones]
        assert len(set(towns)) == len(towns)
        assert towns[:1] in ([], [case.origin])


def test_at_the_highest_threat_the_address_must_be_confidential() -> None:
    highest = [case for case in CASES if case.threat_level == 3]
    assert highest
    assert all("confidential_address" in case.needs for case in highest)


def test_moving_on_and_going_back_are_planned() -> None:
    assert {case.urgency for case in CASES if case.reason in {"follow_on", "return"}} == {"planned"}


def test_every_code_of_a_case_is_a_known_one() -> None:
    known = REFERENCE.codes_of
    for case in CASES:
        assert case.urgency in known("urgencies")
        assert case.reason in known("referral_reasons")
        assert case.danger_assessment in known("danger_assessments")
        assert case.perpetrator_whereabouts in known("perpetrator_whereabouts")
        assert {zone.cause for zone in case.danger_zones} <= known("zone_causes")
        assert set(case.needs) <= known("features") | known("extra_needs")
        assert set(case.target_groups) <= known("target_groups")
        assert {adult.gender for adult in case.household.adults} <= known("genders")
        assert {child.gender for child in case.household.children} <= known("child_genders") | {
            None
        }


# --- chance ---------------------------------------------------------------------------


def test_shares_add_up_and_the_first_of_equals_gets_the_rest() -> None:
    assert shares(10, weights={"a": 1.0, "b": 1.0, "c": 1.0}) == {"a": 4, "b": 3, "c": 3}
    assert shares(0, weights={"a": 1.0}) == {"a": 0}


def test_streams_of_chance_for_different_subjects_differ() -> None:
    assert Luck(1, subject="sites").id() != Luck(1, subject="places").id()
