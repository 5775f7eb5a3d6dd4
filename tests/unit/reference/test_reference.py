"""Claims about the Dutch reference files and the clearance table made from them."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.allocation.ranking.safety import clearance_km
from app.errors import OperatorError
from app.reference import MunicipalityClearance, clearance_table, load, policy_document
from app.registry.imports import csv_columns, csv_files
from app.simulation.country.households import RADII_KM

ROOT = Path(__file__).parents[3]
SHARED = ROOT.parent / "shared"
ADDED = {"override_reasons": ("peak_plan",)}
"""Codes that this country has beside those of the contract."""
NL = ROOT / "app" / "reference" / "nl"
REFERENCE = load("nl")


@pytest.fixture(scope="module")
def clearances() -> dict[tuple[str, str], int]:
    table = clearance_table(REFERENCE.municipalities, between=clearance_km)
    return {(row.zone, row.site): row.km for row in table}


def test_there_are_342_municipalities_and_35_regions_each_once_and_in_order() -> None:
    for count, things in ((342, REFERENCE.municipalities), (35, REFERENCE.regions)):
        codes = [thing.code for thing in things]
        assert len(codes) == count
        assert codes == sorted(set(codes))


def test_every_code_has_the_pattern_of_the_country() -> None:
    pattern = re.compile(REFERENCE.country.municipality_pattern)
    assert all(pattern.fullmatch(town.code) for town in REFERENCE.municipalities)
    assert pattern.fullmatch(REFERENCE.country.municipality_example)


def test_every_position_lies_within_the_bounds_that_catch_swapped_coordinates() -> None:
    bounds = REFERENCE.country.bounds
    for town in REFERENCE.municipalities:
        assert bounds.south <= town.lat <= bounds.north
        assert bounds.west <= town.lon <= bounds.east
    assert bounds.east < bounds.south


def test_a_region_has_the_name_and_place_of_its_lead_and_the_people_of_all_its_municipalities() -> (
    None
):
    towns = {town.code: town for town in REFERENCE.municipalities}
    people = Counter[str]()
    for town in REFERENCE.municipalities:
        people[town.region] += town.population
    assert people == {region.code: region.population for region in REFERENCE.regions}
    for region in REFERENCE.regions:
        lead = towns[region.code]
        assert (lead.name, lead.lat, lead.lon, lead.region) == (
            region.name,
            region.lat,
            region.lon,
            region.code,
        )


def test_how_sure_the_mapping_to_a_region_is_is_told_of_every_municipality() -> None:
    sure = Counter(town.mapping_confidence for town in REFERENCE.municipalities)
    assert sure == {"high": 280, "medium": 52, "low": 10}


def test_every_region_has_one_weight_with_source_and_date_marked_as_demo_only() -> None:
    assert [weight.region for weight in REFERENCE.weights] == [
        region.code for region in REFERENCE.regions
    ]
    assert sum(weight.weight for weight in REFERENCE.weights) == 107_959_001
    assert all(
        "DU-VO 2013" in weight.source and "demo only" in weight.source
        for weight in REFERENCE.weights
    )
    assert {weight.date.isoformat() for weight in REFERENCE.weights} == {"2013-01-01"}


def _shared(name: str) -> Iterator[dict[str, str]]:
    path = SHARED / "data" / "nl" / name
    if not path.exists():
        pytest.skip(f"{path.name} of the shared data is not here")
    return csv.DictReader(path.read_text(encoding="utf-8").splitlines())


def test_the_municipalities_are_those_of_the_shared_data() -> None:
    theirs = {
        (
            row["code"],
            row["name"],
            row["region"],
            float(row["lat"]),
            float(row["lon"]),
            int(row["extent_km"]),
        )
        for row in _shared("municipalities.csv")
    }
    ours = {
        (town.code, town.name, town.region, town.lat, town.lon, town.extent_km)
        for town in REFERENCE.municipalities
    }
    assert ours == theirs


def test_the_weights_are_those_of_the_shared_data() -> None:
    theirs = {row["code"]: int(row["weight_eur_2013"]) for row in _shared("regions.csv")}
    assert {weight.region: weight.weight for weight in REFERENCE.weights} == theirs


@pytest.mark.parametrize(
    "kind", [csv_columns.REGIONS, csv_columns.MUNICIPALITIES, csv_columns.WEIGHTS]
)
def test_the_reference_files_have_the_form_of_import_files(
    kind: csv_columns.FileKind[csv_columns.CsvRow],
) -> None:
    rows = csv_files.read_rows(kind, (NL / f"{kind.name}.csv").read_bytes(), reference=REFERENCE)
    assert len(rows) == len(getattr(REFERENCE, kind.name))


def test_every_code_and_every_title_has_words_in_every_language() -> None:
    for name, listed in REFERENCE.codes.items():
        for words in (listed.title, *listed.codes.values()):
            assert set(words) == set(REFERENCE.country.languages), name
            assert all(text.strip() == text and text for text in words.values()), name


def test_codes_are_snake_case_and_fit_a_short_column() -> None:
    for listed in REFERENCE.codes.values():
        assert all(
            re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", code) and len(code) <= 40
            for code in listed.codes
        )


@pytest.mark.parametrize(
    "heading,listed",
    [
        ("features", "features"),
        ("override", "override_reasons"),
        ("release", "release_reasons"),
        ("decline", "decline_reasons"),
        ("reveal purpose", "reveal_purposes"),
        ("out of service", "out_of_service_reasons"),
        ("departure destination", "departure_destinations"),
        ("blockers (what delays departure)", "blockers"),
        ("target groups", "target_groups"),
    ],
)
def test_the_code_lists_are_those_of_the_wire_contract(heading: str, listed: str) -> None:
    contract = SHARED / "API.md"
    if not contract.exists():
        pytest.skip("the wire contract is not here")
    text = contract.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith(f"- {heading}:"))
    ours = [code for code in REFERENCE.codes[listed].codes if code not in ADDED.get(listed, ())]
    assert ours == re.findall(r"`(\w+)`", line)
    assert REFERENCE.codes[listed].extensible


def test_a_label_falls_back_on_the_first_language_and_then_on_the_code() -> None:
    assert REFERENCE.label("features", code="cots", language="en") == "cots"
    assert REFERENCE.label("features", code="cots", language="nl") == "babybedjes"
    assert REFERENCE.label("features", code="cots", language="fy") == "babybedjes"
    assert REFERENCE.label("features", code="sauna", language="nl") == "sauna"


def test_known_codes_are_a_set_that_nobody_can_change() -> None:
    assert "wheelchair" in REFERENCE.codes_of("features")
    assert isinstance(REFERENCE.codes_of("features"), frozenset)


@pytest.mark.parametrize("jurisdiction", ["xx", "", "../reference/nl", "nl/"])
def test_a_jurisdiction_without_files_is_refused_by_name(jurisdiction: str) -> None:
    with pytest.raises(OperatorError, match="no reference files"):
        load(jurisdiction)


def test_the_first_policy_lists_every_radius_that_the_demo_draws() -> None:
    radii = policy_document("nl")["radii_km"]
    assert isinstance(radii, list)
    assert {radius for drawn in RADII_KM.values() for radius in drawn} <= set(radii)


def test_the_clearance_table_has_every_ordered_pair(clearances: dict[tuple[str, str], int]) -> None:
    assert len(clearances) == 342 * 342 == 116_964


def test_clearance_is_the_same_both_ways(clearances: dict[tuple[str, str], int]) -> None:
    assert all(km == clearances[site, zone] for (zone, site), km in clearances.items())


def test_a_municipality_is_never_clear_of_itself(clearances: dict[tuple[str, str], int]) -> None:
    for town in REFERENCE.municipalities:
        assert clearances[town.code, town.code] == -2 * town.extent_km


def test_clearance_is_the_distance_less_both_extents(
    clearances: dict[tuple[str, str], int],
) -> None:
    # Amsterdam (extent 16) and Groningen: about 147 km between the centroids on the map.
    towns = {town.code: town for town in REFERENCE.municipalities}
    extents = towns["GM0363"].extent_km + towns["GM0014"].extent_km
    assert 140 <= clearances["GM0363", "GM0014"] + extents <= 150


def test_the_rows_of_the_clearance_table_say_which_is_the_zone_and_which_the_site() -> None:
    one, two = REFERENCE.municipalities[:2]
    rows = list(clearance_table([one, two], between=lambda *_: 7))
    assert rows[1] == MunicipalityClearance(zone=one.code, site=two.code, km=7)
    assert rows[2] == MunicipalityClearance(zone=two.code, site=one.code, km=7)
