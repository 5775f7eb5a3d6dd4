"""Claims about import files: what is read from them."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.reference import load
from app.registry.imports import csv_files
from app.registry.imports.csv_columns import KINDS, PLACES, PROVIDERS, REGIONS, SITES, WEIGHTS
from app.registry.imports.csv_files import ImportFaults
from tests.unit.registry.imports.csv_examples import (
    EXAMPLES,
    PLACE,
    PROVIDER,
    REGION,
    SITE,
    WEIGHT,
    columns_at_fault,
    csv_file,
)

# --- what is read ---------------------------------------------------------------------


def test_the_kinds_come_in_the_order_in_which_they_can_be_imported() -> None:
    assert list(KINDS) == ["regions", "municipalities", "providers", "sites", "places", "weights"]


@pytest.mark.parametrize("name", list(KINDS))
def test_every_kind_reads_a_file_with_all_of_itscolumns_at_fault(name: str) -> None:
    kind = KINDS[name]
    assert set(EXAMPLES[name]) == set(kind.columns)
    (row,) = csv_files.read_rows(kind, csv_file(EXAMPLES[name]))
    assert isinstance(row, kind.row)
    assert row.line == 2


@pytest.mark.parametrize("name", list(KINDS))
def test_every_kind_reads_a_file_with_only_the_columns_it_must_have(name: str) -> None:
    kind = KINDS[name]
    (row,) = csv_files.read_rows(
        kind, csv_file({column: EXAMPLES[name][column] for column in kind.required})
    )
    assert isinstance(row, kind.row)


def test_a_site_is_read_as_values_and_no_longer_as_text() -> None:
    (site,) = csv_files.read_rows(SITES, csv_file(SITE))
    assert site.features == ("cots", "pets")
    assert site.specialisms == ("young_mother",)
    assert site.exclusive_to == ()
    assert site.automatic_acceptance is False


def test_what_a_site_need_not_say_is_the_careful_answer() -> None:
    (site,) = csv_files.read_rows(
        SITES, csv_file({column: SITE[column] for column in SITES.required})
    )
    assert (site.postcode, site.features, site.admission, site.automatic_acceptance) == (
        "",
        (),
        "open",
        False,
    )


def test_a_place_without_a_status_says_nothing_about_it() -> None:
    (place,) = csv_files.read_rows(PLACES, csv_file({**PLACE, "status": ""}))
    assert place.status is None


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_delimiter_line_ends_and_byte_order_mark_make_no_difference(
    mark: bytes, newline: str, delimiter: str
) -> None:
    raw = mark + csv_file(SITE, {**SITE, "site": "Es"}, delimiter=delimiter, newline=newline)
    rows = csv_files.read_rows(SITES, raw)
    assert rows == csv_files.read_rows(SITES, csv_file(SITE, {**SITE, "site": "Es"}))
    assert [row.line for row in rows] == [2, 3]


@pytest.mark.parametrize("says", ["sep=;", "SEP=;\r", '"sep=;"'])
def test_a_line_that_says_the_delimiter_is_passed_over(says: str) -> None:
    raw = csv_file(SITE, delimiter=";")
    (row,) = csv_files.read_rows(SITES, b"\xef\xbb\xbf" + says.encode() + b"\n" + raw)
    assert (row, row.line) == (csv_files.read_rows(SITES, raw)[0], 3)
    # It decides, whatever the header looks like; twice it is a line of values.
    with pytest.raises(ImportFaults):
        csv_files.read_rows(SITES, b"sep=,\n" + raw)
    with pytest.raises(ImportFaults):
        csv_files.read_rows(SITES, b"sep=;\nsep=;\n" + raw)


def test_the_order_of_the_columns_makes_no_difference() -> None:
    turned = dict(reversed(SITE.items()))
    assert csv_files.read_rows(SITES, csv_file(turned)) == csv_files.read_rows(
        SITES, csv_file(SITE)
    )


def test_capitals_and_blanks_in_the_header_make_no_difference() -> None:
    raw = csv_file(WEIGHT).replace(b"region,weight", b" Region ,WEIGHT")
    assert csv_files.read_rows(WEIGHTS, raw) == csv_files.read_rows(WEIGHTS, csv_file(WEIGHT))


def test_blanks_at_the_ends_go_and_blanks_within_become_one() -> None:
    (site,) = csv_files.read_rows(
        SITES, csv_file({**SITE, "site": "  De \u00a0 Linde  ", "city": "Den\r\n Haag "})
    )
    assert (site.site, site.city) == ("De Linde", "Den Haag")


def test_a_line_break_within_quotes_does_not_upset_the_count_of_lines() -> None:
    broken = {**SITE, "street": "Voorbeeldstraat\n1"}
    rows = csv_files.read_rows(SITES, csv_file(broken, {**SITE, "site": "Es"}))
    assert [row.line for row in rows] == [2, 4]


def test_accents_written_in_two_ways_are_the_same_name() -> None:
    composed, decomposed = "S\u00fadwest", "Su\u0301dwest"
    raw = csv_file({**SITE, "site": composed}, {**SITE, "site": decomposed})
    assert columns_at_fault(SITES, raw) == [(3, "site")]


def test_blank_lines_and_trailing_delimiters_are_passed_over() -> None:
    raw = b"\n" + csv_file(WEIGHT).replace(b'"2013-01-01"\n', b'"2013-01-01",,\n,,,\n\n')
    assert [row.line for row in csv_files.read_rows(WEIGHTS, raw)] == [3]


def test_a_header_alone_is_a_file_without_rows() -> None:
    assert csv_files.read_rows(WEIGHTS, b"region,weight,source,date\n") == ()


def test_lists_are_parted_by_blanks_or_bars_and_sorted_and_each_value_counts_once() -> None:
    (provider,) = csv_files.read_rows(
        PROVIDERS, csv_file({**PROVIDER, "regions": "GM0599|GM0363 | GM0599"})
    )
    assert provider.regions == ("GM0363", "GM0599")


@pytest.mark.parametrize(
    "cell,answer", [("yes", True), ("JA", True), ("1", True), ("nee", False), ("FALSE", False)]
)
def test_yes_and_no_are_read_as_people_in_the_country_write_them(cell: str, answer: bool) -> None:  # noqa: FBT001
    (site,) = csv_files.read_rows(
        SITES, csv_file({**SITE, "address_secrecy": "known", "automatic_acceptance": cell})
    )
    assert site.automatic_acceptance is answer


def test_a_decimal_comma_is_a_decimal_point() -> None:
    raw = csv_file({**REGION, "lat": "52,373"}, delimiter=";")
    assert csv_files.read_rows(REGIONS, raw) == csv_files.read_rows(REGIONS, csv_file(REGION))


def test_progress_is_told_on_the_way_and_ends_at_the_last_line() -> None:
    told: list[tuple[int, int]] = []
    rows = [{**SITE, "site": f"Linde {number}"} for number in range(600)]
    csv_files.read_rows(
        SITES, csv_file(*rows), progress=lambda done, lines: told.append((done, lines))
    )
    assert told == sorted(told)
    assert len(told) > 3
    assert told[-1] == (601, 601)


REFERENCE = load()
CELL = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters='"'),
    min_size=1,
    max_size=20,
)


@settings(max_examples=50, deadline=None)
@given(
    names=st.lists(CELL, min_size=1, max_size=5, unique=True), delimiter=st.sampled_from([",", ";"])
)
def test_any_visible_name_survives(names: list[str], delimiter: str) -> None:
    rows = [{**SITE, "site": f"{number} {name}"} for number, name in enumerate(names)]
    read = csv_files.read_rows(SITES, csv_file(*rows, delimiter=delimiter), reference=REFERENCE)
    assert [row.site.split()[0] for row in read] == [str(number) for number in range(len(names))]


# --- what is written about it ---------------------------------------------------------


@pytest.mark.parametrize("name", list(KINDS))
def test_the_documentation_lists_every_column_and_marks_those_that_must_be_there(name: str) -> None:
    text = (Path(__file__).parents[4] / "docs" / "import.md").read_text(encoding="utf-8")
    section = text.split(f"\n## {name} (key: ")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| ")][1:]
    named = re.findall(r"[a-z_]+", " ".join(cells))
    marked = re.findall(r"\*\*([a-z_]+)\*\*", " ".join(cells))
    assert sorted(named) == sorted(KINDS[name].columns)
    assert sorted(marked) == sorted(KINDS[name].required)
