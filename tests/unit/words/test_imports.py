from itertools import product

import pytest

from app.reference import load
from app.registry.imports import csv_columns, csv_files
from app.registry.imports.csv_files import ImportFaults
from app.words.catalogue import render
from tests.unit.registry.imports.csv_examples import EXAMPLES, csv_file


@pytest.mark.parametrize("kind", EXAMPLES)
@pytest.mark.parametrize(
    "cell",
    ["", "\u200b", "x" * 200, "999", "perhaps", "own_unit castle", "GM1", "a b c", "Ünïcode"],
)
def test_people_have_words_for_every_fault_of_a_cell(kind: str, cell: str) -> None:
    example = EXAMPLES[kind]
    rows = [{**example, column: cell} for column in example]
    raw = b"".join([csv_file(*rows), csv_file(example).split(b"\n")[1], b"\n", b"a,b\n"])

    with pytest.raises(ImportFaults) as refused:
        csv_files.read_rows(csv_columns.KINDS[kind], raw)

    for fault, language in product(refused.value.faults, load().country.languages):
        said = render(fault.text, fault.values, language=language)
        assert said != fault.message
        assert "%" not in said


def test_a_terminal_says_in_english_what_a_page_says_in_the_readers_language() -> None:
    with pytest.raises(ImportFaults) as refused:
        csv_files.read_rows(
            csv_columns.PLACES, csv_file({**EXAMPLES["places"], "bed_spaces": "many"})
        )
    [fault] = refused.value.faults

    assert fault.message == "must be a whole number from 1 to 50, without separators"
    assert render(fault.text, fault.values, language="nl") == (
        "Dit moet een heel getal zijn van 1 tot en met 50."
    )
