"""The ledger's bytes: whoever has the format can make them again with nothing but a hash."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import fields, replace

import pytest

from app.allocation.leaves import LEAF_TYPES, Opening, commitment, leaf_bytes, opening_document, persons_class

OPENING = Opening(
    type="arrival",
    origin="GM0518",
    receiving="GM0193",
    kind="crisis",
    date=dt.date(2026, 3, 1),
    reason="safety",
    persons="3-4",
    lawful_regions=("GM0363", "GM0193"),
    policy_hash="sha256:00",
    swap_id=None,
)
SALT = bytes(range(16))


def test_an_opening_commits_to_these_bytes_and_no_others() -> None:
    written = (
        b'{"date":"2026-03-01","kind":"crisis","lawful_regions":["GM0193","GM0363"],"origin":"GM0518","persons":"3-4",'
        b'"policy_hash":"sha256:00","reason":"safety","receiving":"GM0193","salt":"000102030405060708090a0b0c0d0e0f",'
        b'"swap_id":null,"type":"arrival","version":1}'
    )

    assert commitment(OPENING, SALT) == hashlib.sha256(written).digest()


def test_a_leaf_is_these_bytes_and_no_others() -> None:
    assert leaf_bytes(7, "arrival", bytes(32)) == (
        b'{"commitment":"' + b"00" * 32 + b'","index":7,"type":"arrival","version":1}'
    )


def test_a_controller_checks_an_exported_opening_without_this_code() -> None:
    exported = json.loads(json.dumps(opening_document(OPENING, SALT)))

    canonical = json.dumps(exported, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    assert hashlib.sha256(canonical).digest() == commitment(OPENING, SALT)


def test_any_other_content_or_salt_is_another_commitment() -> None:
    others = {
        "type": "departure",
        "date": dt.date(2026, 3, 2),
        "lawful_regions": ("GM0193",),
        "swap_id": "7",
    }
    changed = [
        replace(OPENING, **{field.name: others.get(field.name, "other")})  # pyright: ignore[reportArgumentType]
        for field in fields(Opening)
    ]

    commitments = {commitment(opening, SALT) for opening in [OPENING, *changed]} | {commitment(OPENING, bytes(16))}

    assert len(commitments) == len(changed) + 2


def test_the_order_of_the_lawful_regions_says_nothing() -> None:
    assert commitment(replace(OPENING, lawful_regions=("GM0193", "GM0363")), SALT) == commitment(OPENING, SALT)


@pytest.mark.parametrize("persons, stated", [(1, "1"), (2, "2"), (3, "3-4"), (4, "3-4"), (5, "5+"), (11, "5+")])
def test_the_size_of_a_household_is_a_class(persons: int, stated: str) -> None:
    assert persons_class(persons) == stated


def test_what_is_no_leaf_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        commitment(OPENING, bytes(15))
    with pytest.raises(ValueError, match="no leaf has the type gift"):
        commitment(replace(OPENING, type="gift"), SALT)
    with pytest.raises(ValueError, match="no leaf has the type gift"):
        leaf_bytes(0, "gift", bytes(32))
    with pytest.raises(ValueError, match="from nought"):
        leaf_bytes(-1, "arrival", bytes(32))
    with pytest.raises(ValueError, match="32 bytes"):
        leaf_bytes(0, "arrival", bytes(31))
    assert {"arrival", "departure", "correction"} <= set(LEAF_TYPES)
