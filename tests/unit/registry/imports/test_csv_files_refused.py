"""Claims about import files: what is refused, and how it is said."""

import re
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.registry.imports import csv_files
from app.registry.imports.csv_columns import (
    KINDS,
    MUNICIPALITIES,
    PLACES,
    PROVIDERS,
    REGIONS,
    SITES,
    WEIGHTS,
    CsvRow,
    FileKind,
)
from app.registry.imports.csv_files import MOST_KEPT, CsvFault, Faults, ImportFaults
from tests.unit.registry.imports.csv_examples import (
    EXAMPLES,
    PLACE,
    SITE,
    WEIGHT,
    columns_at_fault,
    csv_file,
    faults_of,
)

# --- what is refused ------------------------------------------------------------------


def test_all_faults_are_told_at_once_by_line_and_column() -> None:
    raw = csv_file(
        {**PLACE, "kind": "hotel", "bed_spaces": "0"},
        {**PLACE, "genders": "female robot", "sons_up_to_age": "-1"},
        {**PLACE, "label": ""},
    )
    assert columns_at_fault(PLACES, raw) == [
        (2, "bed_spaces"),
        (2, "kind"),
        (3, "genders"),
        (3, "label"),
        (3, "sons_up_to_age"),
        (4, "label"),
    ]


def test_of_very_many_faults_the_first_are_kept_and_all_are_counted() -> None:
    bad = {**PLACE, "kind": "hotel", "bed_spaces": "0", "genders": "robot", "sharing": "none"}
    raw = csv_file(*({**bad, "label": str(number)} for number in range(10_000)))
    tracemalloc.start()
    try:
        with pytest.raises(ImportFaults) as refused:
            csv_files.read_rows(PLACES, raw)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (len(refused.value.faults), refused.value.more) == (200, 39_800)
    assert refused.value.detail == "The file has 40000 faults; nothing was imported."
    assert [fault.line for fault in refused.value.faults[::4]] == list(range(2, 52))
    assert peak_bytes < 12 * len(raw), f"{peak_bytes / len(raw):.1f} times the file"


@given(st.lists(st.integers(1, 1_000), max_size=1_000))
def test_the_faults_that_are_kept_are_those_of_the_first_lines(lines: list[int]) -> None:
    faults = Faults(CsvFault(line, "", "wrong") for line in lines)

    assert [fault.line for fault in faults.first] == sorted(lines)[:MOST_KEPT]
    assert (faults.count, faults.lines) == (len(lines), set(lines))


def test_one_faulty_line_keeps_every_row_back() -> None:
    with pytest.raises(ImportFaults) as refused:
        csv_files.read_rows(
            WEIGHTS, csv_file(WEIGHT, {**WEIGHT, "region": "GM0599", "weight": "much"})
        )
    assert refused.value.detail == "The file has 1 fault; nothing was imported."
    assert [str(fault) for fault in refused.value.faults] == [
        "line 3, weight: must be a whole number from 0 to 999999999999, without separators"
    ]


def test_unknown_missing_and_repeated_columns_are_named_and_the_rows_are_checked_all_the_same() -> (
    None
):
    raw = b"region,weight,colour,weight,date\nGM0363,1,red,2,yesterday\n"
    faults = faults_of(WEIGHTS, raw)
    assert [(line, column) for line, column, _ in faults] == [
        (1, ""),
        (1, ""),
        (1, ""),
        (2, "date"),
    ]
    said = " ".join(message for _, _, message in faults[:3])
    assert "column 3 is unknown" in said
    assert "colour" not in said
    assert "'source' is missing" in said
    assert "'weight' is there 2 times" in said


def test_the_column_of_line_numbers_is_no_column_of_thecsv_file() -> None:
    raw = csv_file({**WEIGHT, "line": "7"})
    assert "column 5 is unknown" in faults_of(WEIGHTS, raw)[0][2]


@pytest.mark.parametrize("kind,row", [(SITES, SITE), (PLACES, PLACE)])
def test_of_a_file_without_a_header_no_row_is_repeated(
    kind: FileKind[CsvRow], row: dict[str, str]
) -> None:
    rows = csv_file(row, row | {"site": "Es"}).split(b"\n", 1)[1]
    faults = faults_of(kind, rows)
    assert [(line, column) for line, column, _ in faults] == [(1, "")]
    assert "names no column" in faults[0][2]
    # Nor where one of its values happens to be the name of a column.
    said = " ".join(message for _, _, message in faults_of(kind, rows.replace(b"Linde", b"city")))
    for value in filter(None, row.values()):
        assert f"'{value}'" not in said


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"\xef\xbb\xbf", b" ; ;\n"])
def test_an_empty_file_is_refused(raw: bytes) -> None:
    assert "empty" in faults_of(SITES, raw)[0][2]


def test_bytes_that_are_not_utf_8_are_told_by_line_and_nothing_else_is_said_of_that_line() -> None:
    raw = csv_file(WEIGHT, {**WEIGHT, "region": "x"}, {**WEIGHT, "region": "y"}).replace(
        b'"x"', b'"\xe9"'
    )
    faults = faults_of(WEIGHTS, raw)
    assert [(line, column) for line, column, _ in faults] == [(3, ""), (4, "region")]
    assert "UTF-8" in faults[0][2]


def test_a_spreadsheet_saved_as_utf_16_is_recognised() -> None:
    assert "UTF-16" in faults_of(WEIGHTS, "region;weight".encode("utf-16"))[0][2]


def test_a_quote_that_is_never_closed_is_told_where_it_opens() -> None:
    raw = csv_file(WEIGHT) + b'GM0599,1,"DU-VO,2013-01-01\nGM0014,2,x,2013-01-01\n'
    assert [(line, "CSV" in said) for line, _, said in faults_of(WEIGHTS, raw)] == [(3, True)]


def test_after_a_line_that_is_no_csv_the_others_are_still_checked() -> None:
    raw = b'region,weight,source,date\nGM0363,1,"a"b,2013-01-01\nGM0599,-1,x,2013-01-01\n'
    assert columns_at_fault(WEIGHTS, raw) == [(2, ""), (3, "weight")]


@pytest.mark.parametrize("line", [b"GM0363,1\n", b"GM0363,1,x,2013-01-01,surplus\n"])
def test_a_line_of_another_width_is_told_and_not_taken_apart(line: bytes) -> None:
    ((number, _, said),) = faults_of(WEIGHTS, b"region,weight,source,date\n" + line)
    assert number == 2
    assert "the header names 4 columns" in said


def test_a_value_under_a_nameless_column_is_told() -> None:
    raw = b"region,weight,source,date,\nGM0363,1,x,2013-01-01,what\n"
    assert "without a name" in faults_of(WEIGHTS, raw)[0][2]


@pytest.mark.parametrize("name", list(KINDS))
def test_the_same_thing_twice_is_told_with_the_line_of_the_first(name: str) -> None:
    kind = KINDS[name]
    faults = faults_of(kind, csv_file(EXAMPLES[name], EXAMPLES[name]))
    assert [(line, column) for line, column, _ in faults] == [(3, kind.key[-1])]
    assert "line 2" in faults[0][2]


def test_two_providers_may_both_have_a_linde_and_a_region_two_dated_weights() -> None:
    assert (
        len(csv_files.read_rows(SITES, csv_file(SITE, {**SITE, "provider": "het-ronde-luik"}))) == 2
    )
    assert (
        len(csv_files.read_rows(WEIGHTS, csv_file(WEIGHT, {**WEIGHT, "date": "2014-01-01"}))) == 2
    )


def test_a_confidential_site_never_accepts_automatically() -> None:
    assert columns_at_fault(SITES, csv_file({**SITE, "automatic_acceptance": "yes"})) == [
        (2, "automatic_acceptance")
    ]


def test_a_reason_is_only_for_places_out_of_service() -> None:
    assert columns_at_fault(PLACES, csv_file({**PLACE, "reason": "repair"})) == [(2, "reason")]
    (place,) = csv_files.read_rows(
        PLACES, csv_file({**PLACE, "status": "out_of_service", "reason": "repair"})
    )
    assert place.reason == "repair"


@pytest.mark.parametrize("status", ["held", "placed"])
def test_no_file_can_make_a_hold_or_a_placement(status: str) -> None:
    assert columns_at_fault(PLACES, csv_file({**PLACE, "status": status})) == [(2, "status")]


@pytest.mark.parametrize(
    "name,column,cell",
    [
        ("regions", "code", "AM0363"),
        ("regions", "code", "GM363"),
        ("regions", "lat", "4.893"),
        ("regions", "lon", "52.373"),
        ("regions", "lat", "nan"),
        ("regions", "lat", "52.373N"),
        ("regions", "population", "1.151.821"),
        ("regions", "population", "0"),
        ("regions", "population", "\u0665\u0665"),
        ("regions", "name", "x" * 121),
        ("municipalities", "extent_km", "0"),
        ("municipalities", "extent_km", "5.5"),
        ("municipalities", "region", "Amsterdam"),
        ("municipalities", "mapping_confidence", "certain"),
        ("providers", "provider", "Opvang Nevelduin"),
        ("providers", "provider", "-opvang"),
        ("providers", "provider", "x" * 61),
        ("providers", "phone", "call us"),
        ("providers", "phone", "112"),
        ("providers", "regions", "|"),
        ("providers", "regions", "GM0363 elsewhere"),
        ("sites", "municipality", "Amsterdam"),
        ("sites", "street", "x" * 121),
        ("sites", "postcode", "x" * 17),
        ("sites", "address_secrecy", "secret"),
        ("sites", "supervision", "always"),
        ("sites", "features", "sauna"),
        ("sites", "specialisms", "anyone"),
        ("sites", "exclusive_to", "young_mother,lgbtiq"),
        ("sites", "admission", "shut"),
        ("sites", "automatic_acceptance", "perhaps"),
        ("sites", "site", "Lin\u200bde"),
        ("sites", "site", "Lin\u202ede"),
        ("sites", "site", "Lin\x00de"),
        ("places", "bed_spaces", "51"),
        ("places", "bed_spaces", "two"),
        ("places", "sharing", "shared"),
        ("places", "genders", "women"),
        ("places", "genders", "| |"),
        ("places", "sons_up_to_age", "26"),
        ("places", "sons_up_to_age", "17.5"),
        ("weights", "weight", "-1"),
        ("weights", "weight", "1e6"),
        ("weights", "date", "2013-02-30"),
        ("weights", "date", "01-01-2013"),
    ],
)
def test_a_value_that_cannot_be_is_told_in_its_column(name: str, column: str, cell: str) -> None:
    assert columns_at_fault(KINDS[name], csv_file({**EXAMPLES[name], column: cell})) == [
        (2, column)
    ]


def test_codes_that_are_known_are_listed_when_one_is_not() -> None:
    ((_, _, said),) = faults_of(SITES, csv_file({**SITE, "features": "pets sauna cots"}))
    assert said.startswith("value 2 of 3 is not one of wheelchair, pets, ")


@pytest.mark.parametrize("column", list(SITE))
def test_no_fault_repeats_what_stood_in_a_cell(column: str) -> None:
    # Where columns have slipped, any cell may hold an address.
    slipped = "Geheimstraat\u200b 1234"
    assert all(
        "eheim" not in said and "1234" not in said
        for _, _, said in faults_of(SITES, csv_file({**SITE, column: slipped}))
    )


def test_faults_are_ordered_as_the_file_is() -> None:
    found = [CsvFault(3, "b", "x"), CsvFault(2, "c", "y"), CsvFault(3, "a", "z")]
    refused = ImportFaults(Faults(found))
    assert [(fault.line, fault.column) for fault in refused.faults] == [
        (2, "c"),
        (3, "a"),
        (3, "b"),
    ]
    assert str(CsvFault(3, "", "x")) == "line 3: x"


# --- whatever comes -------------------------------------------------------------------

ANY_KIND = st.sampled_from([REGIONS, MUNICIPALITIES, PROVIDERS, SITES, PLACES, WEIGHTS])


@settings(max_examples=150, deadline=None)
@given(kind=ANY_KIND, raw=st.binary(max_size=300), headed=st.booleans())
def test_no_bytes_do_more_than_be_refused(kind: FileKind[CsvRow], raw: bytes, headed: bool) -> None:  # noqa: FBT001
    faults: tuple[CsvFault, ...] = ()
    try:
        csv_files.read_rows(kind, ",".join(kind.columns).encode() + b"\n" + raw if headed else raw)
    except ImportFaults as refused:
        faults = refused.faults
    assert all(fault.line >= 1 and re.fullmatch(r"[a-z_]*", fault.column) for fault in faults)
