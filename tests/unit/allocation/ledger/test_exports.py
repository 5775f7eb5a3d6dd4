"""An export, read line by line.

Any flipped byte, any line taken out, put in or moved is found, and its leaf named.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import random
from dataclasses import replace
from typing import Any

import pytest

from app.allocation.ledger.exports import (
    ExportReader,
    WrongLeaf,
    export_line,
    first_altered_leaf,
    hash_line,
    signed_hashes,
)
from app.allocation.ledger.leaves import clear_leaf_bytes, leaf_bytes
from app.allocation.ledger.openings import Correction, OpeningContent, commitment, opening_document
from app.allocation.ledger.tree import GrowingTree
from tests import rfc9162
from tests.rounds import rounds

POLICY = "sha256:" + "0a" * 32
ARRIVAL = OpeningContent(
    type="arrival",
    origin="GM0518",
    receiving="GM0193",
    kind="crisis",
    date=dt.date(2026, 3, 1),
    reason="safety",
    persons="3-4",
    lawful_regions=("GM0193", "GM0363"),
    policy_hash=POLICY,
    swap_id="0b5f1f6e-5a53-4a6c-9d43-2f3f3f0f8f11",
)
DEPARTURE = replace(
    ARRIVAL, type="departure", arrival=1, ready_since=dt.date(2026, 3, 20), swap_id=None
)
CORRECTION = replace(
    DEPARTURE,
    type="correction",
    correction=Correction(3, "coordinator", region="GM0193", code="departed_other_day"),
)


def stay_line(index: int, opening: OpeningContent, *, shown: bool = True) -> bytes:
    salt = bytes([index] * 16)
    leaf = leaf_bytes(index, opening.type, commitment(opening, salt))
    return export_line(index, leaf, opening_document(opening, salt) if shown else None)


def export() -> list[bytes]:
    """Return an export of nine leaves."""
    content = {"region": "GM0193", "nights": 12, "note": "naïef"}
    return [
        export_line(0, clear_leaf_bytes(0, "policy", {"hash": POLICY}), None),
        stay_line(1, ARRIVAL),
        stay_line(2, ARRIVAL, shown=False),
        stay_line(3, DEPARTURE),
        stay_line(4, CORRECTION),
        stay_line(
            5, replace(CORRECTION, correction=Correction(3, "worker", region=None, code="other"))
        ),
        export_line(6, clear_leaf_bytes(6, "quarter_total", content), None),
        stay_line(7, replace(DEPARTURE, reason="not a code")),
        stay_line(8, ARRIVAL, shown=False),
    ]


LINES = export()
LEAVES = [base64.b64decode(json.loads(line)["leaf"]) for line in LINES]
HASHES = [hash_line(leaf) for leaf in LEAVES]
ROOT = rfc9162.mth(LEAVES)
SIGNED = [base64.b64decode(line) for line in HASHES]


def found_in(lines: list[bytes]) -> int | None:
    """Return the first wrong leaf of an export as a controller finds it.

    None where nothing is wrong.
    """
    reading, wrong = ExportReader(), None
    try:
        for line in lines:
            reading.read(line)
    except WrongLeaf as fault:
        wrong = fault.index
    else:
        if (reading.tree.size, reading.tree.root) == (len(LINES), ROOT):
            return None
        wrong = min(reading.tree.size, len(LINES))
    other = first_altered_leaf(lines, SIGNED)
    return wrong if other is None else min(wrong, other)


def test_an_export_that_nobody_changed_has_the_tree_that_was_signed() -> None:
    reading = ExportReader()
    for line in LINES:
        reading.read(line)
    assert (reading.tree.size, reading.tree.root, reading.openings) == (9, ROOT, 5)
    assert found_in(LINES) is None


def test_the_hashes_are_kept_where_they_are_wanted() -> None:
    reading = ExportReader(keeping=True)
    for line in LINES:
        reading.read(line)
    assert (reading.hashes, ExportReader().hashes) == (SIGNED, None)


def test_a_line_is_these_bytes() -> None:
    leaf = base64.b64encode(LEAVES[0]).decode()
    assert LINES[0] == f'{{"index":0,"leaf":"{leaf}","opening":null}}\n'.encode()


def test_spaces_between_words_of_json_say_nothing() -> None:
    spaced = [json.dumps(json.loads(line)).encode() + b"\n" for line in LINES]
    assert found_in(spaced) is None
    assert found_in([*spaced[:-1], spaced[-1].rstrip()]) is None


def test_any_flipped_byte_is_found_and_its_leaf_named() -> None:
    for index, line in enumerate(LINES):
        for at in range(len(line)):
            for bit in (1, 32) if rounds(1, soak=2) > 1 else ((1, 32)[at % 2],):
                flipped = bytearray(b"".join(LINES))
                flipped[sum(map(len, LINES[:index])) + at] ^= bit
                assert found_in(bytes(flipped).splitlines(keepends=True)) == index, (line, at, bit)


def test_any_line_taken_out_put_in_or_moved_is_found_and_named() -> None:
    drawn = random.Random(3)
    for index in range(len(LINES)):
        assert found_in([*LINES[:index], *LINES[index + 1 :]]) == index
        for line in (
            LINES[index],
            b"\n",
            b"{}\n",
            stay_line(index, replace(ARRIVAL, origin="GM0014")),
        ):
            expected = index + 1 if line == LINES[index] else index
            assert found_in([*LINES[:index], line, *LINES[index:]]) == expected
        other = drawn.choice([at for at in range(len(LINES)) if at != index])
        moved = list(LINES)
        moved[index], moved[other] = moved[other], moved[index]
        assert found_in(moved) == min(index, other)
    assert found_in([*LINES, stay_line(9, ARRIVAL)]) == 9


def test_a_leaf_that_was_replaced_whole_is_found_by_the_signed_hashes() -> None:
    for index in range(len(LINES)):
        replaced = list(LINES)
        replaced[index] = stay_line(index, replace(ARRIVAL, origin="GM0014"))
        assert found_in(replaced) == index
        # Also where a later one is wrong by itself.
        assert found_in([*replaced[:-1], b"\n"]) == min(index, 8)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"[" * 100_000,
        b"\xff",
        b'{"index":0,"leaf":"e30=","opening":null,"more":1}',
        b'{"index":0,"index":0,"leaf":"e30=","opening":null}',
        b'{"index":0,"leaf":7,"opening":null}',
        b'{"index":"0","leaf":"e30=","opening":null}',
        b'{"index":false,"leaf":"e30=","opening":null}',
        '{"index":0,"leaf":"é","opening":null}'.encode(),
        b'{"index":0,"leaf":"e30=","opening":null}',
        b'{"index":0,"leaf":"e30","opening":null}',
        b'{"index":0,"leaf":"e31=","opening":null}',
        LINES[0].replace(b'"opening":null', b'"opening":{}'),
        LINES[0].replace(b'"opening":null', b'"opening":{]}'),
        LINES[0].replace(b'"index":0', b'"index":1'),
    ],
)
def test_what_is_no_line_of_an_export_is_named_as_the_first_wrong_leaf(line: bytes) -> None:
    with pytest.raises(WrongLeaf, match="leaf 0: ") as wrong:
        ExportReader().read(line)
    assert wrong.value.index == 0
    assert wrong.value.why


def misfit(
    changes: dict[str, Any],
    *,
    index: int = 1,
    leaf_type: str = "arrival",
    opening: OpeningContent = ARRIVAL,
) -> bytes:
    """Return the line of a leaf that commits to an opening that is not as it should be."""
    from app.allocation.ledger.openings import commitment_of  # noqa: PLC0415 - only to make what nobody should

    document = opening_document(opening, bytes(16)) | changes
    return export_line(index, leaf_bytes(index, leaf_type, commitment_of(document)), document)


@pytest.mark.parametrize(
    "line",
    [
        misfit({}, leaf_type="departure"),
        misfit({"arrival": 0}),
        misfit({"arrival": None}, leaf_type="departure", opening=DEPARTURE),
        misfit({"arrival": 1}, leaf_type="departure", opening=DEPARTURE),
        misfit({"corrects": 1, "arrival": 0}, leaf_type="correction", opening=CORRECTION),
        misfit({"date": "2026-13-01"}),
        misfit({"site": "Linde"}),
    ],
)
def test_an_opening_that_is_committed_to_and_is_none_is_named_too(line: bytes) -> None:
    reading = ExportReader()
    reading.read(LINES[0])
    with pytest.raises(WrongLeaf, match="leaf 1: "):
        reading.read(line)


def test_hashes_that_were_not_signed_say_nothing() -> None:
    assert signed_hashes(HASHES, size=9, root=ROOT) == SIGNED
    assert signed_hashes([*HASHES, b"more"], size=9, root=ROOT) is not None
    assert signed_hashes(HASHES[:-1], size=9, root=ROOT) is None
    assert signed_hashes([*HASHES[:-1], HASHES[0]], size=9, root=ROOT) is None
    assert signed_hashes([*HASHES[:-1], b"AAAA\n"], size=9, root=ROOT) is None
    assert signed_hashes([*HASHES[:-1], b"*\n"], size=9, root=ROOT) is None
    assert signed_hashes([], size=0, root=GrowingTree().root) == []
    assert first_altered_leaf(LINES, SIGNED) is None
    assert first_altered_leaf(LINES[:3], SIGNED) is None
