"""The formats that docs/ledger.md describes for machines are those that are written."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app.allocation.ledger.leaves import clear_leaf_bytes
from app.allocation.ledger.openings import opening_document
from app.allocation.policy.documents import canonical_json
from tests.unit.allocation.ledger.test_exports import ARRIVAL, CORRECTION, DEPARTURE, LEAVES, LINES

PAGE = Path(__file__).resolve().parents[4] / "docs" / "ledger.md"
BLOCK = re.search(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
assert BLOCK is not None
SCHEMA: dict[str, Any] = json.loads(BLOCK[1])


def fits(what: str, document: Any) -> bool:
    return Draft202012Validator(SCHEMA | {"$ref": f"#/$defs/{what}"}).is_valid(document)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_what_is_written_fits_it() -> None:
    for line in LINES:
        assert Draft202012Validator(SCHEMA).is_valid(json.loads(line))
    for leaf in LEAVES:
        assert fits("leaf", json.loads(leaf))
    content = {
        "corrects": 4,
        "by": {"role": "auditor", "region": "GM0193"},
        "code": "ended",
        "nights": {"safety": 3},
    }
    assert fits("leaf", json.loads(clear_leaf_bytes(9, "correction", content)))
    for opening in (ARRIVAL, DEPARTURE, CORRECTION):
        assert fits("opening", json.loads(canonical_json(opening_document(opening, bytes(16)))))


@pytest.mark.parametrize(
    "changes",
    [
        {"site": "Linde"},
        {"version": 1},
        {"persons": "6"},
        {"corrects": 1},
        {"date": None},
        {"salt": "00"},
    ],
)
def test_what_is_never_written_does_not(changes: dict[str, object]) -> None:
    assert not fits(
        "opening", json.loads(canonical_json(opening_document(ARRIVAL, bytes(16)))) | changes
    )
    assert not fits("leaf", json.loads(LEAVES[1]) | {"content": {}})
