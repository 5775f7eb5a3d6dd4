"""The ledger's bytes: every type of leaf is made and read in one way."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import pytest

from app.allocation.ledger.leaves import (
    CLEAR_TYPES,
    LARGEST,
    LEAF_TYPES,
    LeafFault,
    ParsedLeaf,
    check_opening,
    clear_leaf_bytes,
    leaf_bytes,
    parse_leaf,
)
from app.allocation.ledger.openings import (
    STAY_TYPES,
    Correction,
    OpeningContent,
    commitment_of,
    opening_document,
)
from app.allocation.policy.documents import canonical_json

COMMITMENT = bytes(range(32))
SALT = bytes(16)
DEPARTURE = OpeningContent(
    type="departure",
    origin="GM0518",
    receiving="GM0193",
    kind="crisis",
    date=dt.date(2026, 3, 1),
    reason="safety",
    persons="2",
    lawful_regions=("GM0193",),
    policy_hash="sha256:00",
    swap_id=None,
    arrival=3,
)
BY: dict[str, Any] = {"role": "auditor", "region": "GM0193"}
CORRECTED: dict[str, Any] = {"corrects": 4, "by": BY, "code": "ended"}


def test_a_leaf_about_a_stay_is_these_bytes_and_no_others() -> None:
    assert leaf_bytes(7, "arrival", bytes(32)) == (
        b'{"commitment":"' + b"00" * 32 + b'","index":7,"type":"arrival","version":1}'
    )


def test_a_leaf_in_clear_is_these_bytes_and_no_others() -> None:
    content = {"weights": {"GM0193": 12}, "source": "Cijfers \u00e9\u00e9n", "until": None}
    written = (
        '{"content":{"source":"Cijfers \u00e9\u00e9n","until":null,"weights":{"GM0193":12}},'
        '"index":7,"type":"weights","version":1}'
    )
    assert clear_leaf_bytes(7, "weights", content) == written.encode()


@pytest.mark.parametrize("leaf_type", STAY_TYPES)
@pytest.mark.parametrize("index", [0, 10, LARGEST])
def test_what_commits_is_read_again(leaf_type: str, index: int) -> None:
    assert parse_leaf(leaf_bytes(index, leaf_type, COMMITMENT)) == ParsedLeaf(
        index, leaf_type, COMMITMENT, None
    )


@pytest.mark.parametrize("leaf_type", CLEAR_TYPES)
def test_what_is_in_clear_is_read_again(leaf_type: str) -> None:
    content = CORRECTED | {"region": "GM0193", "nights": -3}
    assert parse_leaf(clear_leaf_bytes(9, leaf_type, content)) == ParsedLeaf(
        9, leaf_type, None, content
    )


def test_every_type_is_of_a_stay_or_in_clear() -> None:
    assert set(STAY_TYPES) | set(CLEAR_TYPES) == set(LEAF_TYPES)


@pytest.mark.parametrize(
    "index, leaf_type, commitment",
    [
        (0, "policy", COMMITMENT),
        (-1, "arrival", COMMITMENT),
        (LARGEST + 1, "arrival", COMMITMENT),
        (0, "arrival", b"7"),
    ],
)
def test_what_is_no_leaf_about_a_stay_is_not_written(
    index: int, leaf_type: str, commitment: bytes
) -> None:
    with pytest.raises(ValueError, match="leaf"):
        leaf_bytes(index, leaf_type, commitment)


@pytest.mark.parametrize(
    "leaf_type, content",
    [
        ("arrival", {}),
        ("gift", {}),
        ("policy", {"points": 1.5}),
        ("policy", {"current": True}),
        ("policy", {"regions": ["GM0193"]}),
        ("policy", {"points": {"far": LARGEST + 1}}),
        ("policy", []),
        ("correction", {}),
        ("correction", CORRECTED | {"corrects": 9}),
        ("correction", CORRECTED | {"corrects": "4"}),
        ("correction", CORRECTED | {"by": "auditor"}),
        ("correction", CORRECTED | {"by": {"role": "auditor", "account": "7"}}),
        ("correction", CORRECTED | {"code": None}),
    ],
)
def test_what_is_no_leaf_in_clear_is_not_written(leaf_type: str, content: Any) -> None:
    with pytest.raises(LeafFault):
        clear_leaf_bytes(9, leaf_type, content)


GOOD: dict[str, Any] = {"version": 1, "index": 9, "type": "policy", "content": {}}


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"leaf",
        b"\xff",
        b"[" * 100_000,
        b"[]",
        b'{"content":{"a":1,"a":1},"index":9,"type":"policy","version":1}',
        json.dumps(GOOD).encode(),
        canonical_json(GOOD) + b"\n",
        canonical_json(GOOD | {"version": 2}),
        canonical_json(GOOD | {"version": True}),
        canonical_json(GOOD | {"index": -1}),
        canonical_json(GOOD | {"index": "9"}),
        canonical_json(GOOD | {"more": 1}),
        canonical_json(GOOD | {"type": ["policy"]}),
        leaf_bytes(7, "arrival", COMMITMENT).replace(b'"index":7', b'"index":07'),
        leaf_bytes(7, "arrival", COMMITMENT).replace(b'"index":7', b'"index":%d' % (LARGEST + 1)),
        leaf_bytes(7, "arrival", COMMITMENT).replace(b'"0001', b'"0g01'),
    ],
)
def test_other_bytes_are_no_leaf(written: bytes) -> None:
    with pytest.raises(LeafFault):
        parse_leaf(written)


def committed(
    document: dict[str, object], *, index: int = 7, leaf_type: str = "departure"
) -> ParsedLeaf:
    return ParsedLeaf(index, leaf_type, commitment_of(document), None)


def test_an_opening_fits_the_leaf_that_commits_to_it() -> None:
    document = opening_document(DEPARTURE, SALT)
    check_opening(committed(document), document)


def test_any_other_opening_does_not() -> None:
    document = opening_document(DEPARTURE, SALT)
    for other in (document | {"persons": "1"}, None, [], document | {"persons": "\ud800"}):
        with pytest.raises(LeafFault, match="not the one to which it commits"):
            check_opening(committed(document), other)
    with pytest.raises(LeafFault, match="in clear"):
        check_opening(ParsedLeaf(7, "policy", None, {}), document)
    with pytest.raises(LeafFault, match="of another type"):
        check_opening(committed(document, leaf_type="arrival"), document)
    with pytest.raises(LeafFault, match="a version"):
        check_opening(committed(document | {"version": 9}), document | {"version": 9})


def test_an_opening_cites_only_what_was_before_it() -> None:
    document = opening_document(DEPARTURE, SALT)
    with pytest.raises(LeafFault, match="not before it"):
        check_opening(committed(document, index=3), document)
    later = replace(
        DEPARTURE,
        type="correction",
        correction=Correction(9, role="coordinator", region=None, code="other"),
    )
    document = opening_document(later, SALT)
    with pytest.raises(LeafFault, match="not before it"):
        check_opening(committed(document, index=9, leaf_type="correction"), document)
