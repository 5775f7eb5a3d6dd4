"""What a leaf about a stay says.

With the format one can make its commitment again with nothing but a hash.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import fields, replace

import pytest

from app.allocation.ledger.openings import (
    NOT_ARRIVED,
    Correction,
    OpeningContent,
    commitment,
    commitment_of,
    opening_document,
    parse_opening,
    persons_class,
)
from app.allocation.policy.documents import canonical_json

OPENING = OpeningContent(
    type="arrival",
    origin="GM0518",
    receiving="GM0193",
    kind="crisis",
    date=dt.date(2026, 3, 1),
    reason="safety",
    persons="3-4",
    lawful_regions=("GM0193", "GM0363"),
    policy_hash="sha256:00",
    swap_id=None,
)
DEPARTURE = replace(OPENING, type="departure", arrival=7, ready_since=dt.date(2026, 3, 20))
CORRECTION = replace(
    DEPARTURE,
    type="correction",
    correction=Correction(7, role="coordinator", region="GM0193", code=NOT_ARRIVED),
)
SALT = bytes(range(16))
FIRST_VERSION = (
    b'{"date":"2026-03-01","kind":"crisis","lawful_regions":["GM0193","GM0363"],"origin":"GM0518","persons":"3-4",'
    b'"policy_hash":"sha256:00","reason":"safety","receiving":"GM0193","salt":"000102030405060708090a0b0c0d0e0f",'
    b'"swap_id":null,"type":"arrival","version":1}'
)


def test_an_opening_commits_to_these_bytes_and_no_others() -> None:
    written = (
        b'{"arrival":null,"date":"2026-03-01","kind":"crisis","lawful_regions":["GM0193","GM0363"],"origin":"GM0518",'
        b'"persons":"3-4","policy_hash":"sha256:00","ready_since":null,"reason":"safety","receiving":"GM0193",'
        b'"salt":"000102030405060708090a0b0c0d0e0f","swap_id":null,"type":"arrival","version":2}'
    )

    assert commitment(OPENING, SALT) == hashlib.sha256(written).digest()


def test_a_correction_says_what_it_corrects_who_did_it_and_why() -> None:
    written = (
        b'{"arrival":7,"by":{"region":"GM0193","role":"coordinator"},"code":"not_arrived","corrects":7,'
        b'"date":"2026-03-01","kind":"crisis","lawful_regions":["GM0193","GM0363"],"origin":"GM0518",'
        b'"persons":"3-4","policy_hash":"sha256:00","ready_since":"2026-03-20","reason":"safety","receiving":"GM0193",'
        b'"salt":"000102030405060708090a0b0c0d0e0f","swap_id":null,"type":"correction","version":2}'
    )

    assert canonical_json(opening_document(CORRECTION, SALT)) == written


def test_a_controller_checks_an_exported_opening_without_this_code() -> None:
    exported = json.loads(json.dumps(opening_document(OPENING, SALT)))

    canonical = json.dumps(
        exported, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()

    assert hashlib.sha256(canonical).digest() == commitment(OPENING, SALT)


def test_any_other_content_or_salt_is_another_commitment() -> None:
    others = {
        "type": "departure",
        "date": dt.date(2026, 3, 2),
        "lawful_regions": ("GM0193",),
        "swap_id": "7",
        "arrival": 6,
        "ready_since": dt.date(2026, 3, 21),
        "correction": Correction(6, role="coordinator", region=None, code=NOT_ARRIVED),
    }
    changed = [
        replace(CORRECTION, **{field.name: others.get(field.name, "other")})  # pyright: ignore[reportArgumentType]
        for field in fields(OpeningContent)
        if field.name != "type"
    ]

    commitments = {
        commitment(opening, SALT) for opening in [OPENING, DEPARTURE, CORRECTION, *changed]
    }

    assert len(commitments | {commitment(OPENING, bytes(16))}) == len(changed) + 4


def test_the_order_of_the_lawful_regions_says_nothing() -> None:
    assert commitment(replace(OPENING, lawful_regions=("GM0363", "GM0193")), SALT) == commitment(
        OPENING, SALT
    )


@pytest.mark.parametrize(
    "persons, stated", [(1, "1"), (2, "2"), (3, "3-4"), (4, "3-4"), (5, "5+"), (11, "5+")]
)
def test_the_size_of_a_household_is_a_class(persons: int, stated: str) -> None:
    assert persons_class(persons) == stated


@pytest.mark.parametrize(
    "opening", [OPENING, DEPARTURE, replace(DEPARTURE, swap_id="7", ready_since=None), CORRECTION]
)
def test_what_was_written_is_read_again(opening: OpeningContent) -> None:
    assert parse_opening(json.loads(canonical_json(opening_document(opening, SALT)))) == opening


def test_the_first_version_is_read_too() -> None:
    document = json.loads(FIRST_VERSION)
    assert parse_opening(document) == OPENING
    assert parse_opening(document | {"type": "departure"}) == replace(OPENING, type="departure")
    assert commitment_of(document) == hashlib.sha256(FIRST_VERSION).digest()
    with pytest.raises(ValueError, match="a type that its version does not know"):
        parse_opening(document | {"type": "correction"})


def test_what_does_not_fit_its_type_is_not_written() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        commitment(OPENING, bytes(15))
    with pytest.raises(ValueError, match="no opening has the type gift"):
        commitment(replace(OPENING, type="gift"), SALT)
    for misfit in (replace(OPENING, arrival=1), replace(DEPARTURE, arrival=None)):
        with pytest.raises(ValueError, match="names the arrival"):
            commitment(misfit, SALT)
    for misfit in (
        replace(CORRECTION, correction=None),
        replace(DEPARTURE, correction=CORRECTION.correction),
    ):
        with pytest.raises(ValueError, match="says what it corrects"):
            commitment(misfit, SALT)


@pytest.mark.parametrize(
    "changes, why",
    [
        ({"version": 3}, "a version"),
        ({"version": True}, "a version"),
        ({"version": 0}, "a version"),
        ({"type": "gift"}, "a type"),
        ({"type": ["arrival"]}, "a type"),
        ({"site": "Linde"}, "other keys"),
        ({"corrects": 7}, "other keys"),
        ({"type": "arrival"}, "a field"),
        ({"salt": "00"}, "a field"),
        ({"salt": 7}, "a field"),
        ({"date": "soon"}, "a field"),
        ({"date": None}, "a field"),
        ({"ready_since": 7}, "a field"),
        ({"arrival": None}, "a field"),
        ({"arrival": -1}, "a field"),
        ({"arrival": True}, "a field"),
        ({"origin": 518}, "a field"),
        ({"swap_id": 7}, "a field"),
        ({"lawful_regions": None}, "a field"),
        ({"lawful_regions": [1]}, "a field"),
    ],
)
def test_what_is_no_opening_is_not_read(changes: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_opening(opening_document(DEPARTURE, SALT) | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"by": None},
        {"by": {"role": "coordinator"}},
        {"by": {"role": 1, "region": None}},
        {"corrects": "7"},
        {"code": 7},
    ],
)
def test_a_correction_says_these_three_things_properly(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="a field"):
        parse_opening(opening_document(CORRECTION, SALT) | changes)


def test_what_is_no_object_is_no_opening() -> None:
    with pytest.raises(ValueError, match="an object"):
        parse_opening([OPENING])
