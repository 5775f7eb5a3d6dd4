r"""The ledger's leaves and their openings, byte by byte.

Both are canonical JSON: UTF-8, keys sorted, no spaces, no escapes but those that JSON requires, whole numbers only.

An **opening** is what a leaf says, for the auditors of the two regions concerned. Its document has exactly these keys::

    {"date":"2026-03-01","kind":"crisis","lawful_regions":["GM0193","GM0363"],"origin":"GM0518","persons":"3-4",
     "policy_hash":"sha256:...","reason":"safety","receiving":"GM0193","salt":"<hexadecimal>","swap_id":null,
     "type":"arrival","version":1}

`lawful_regions` is sorted, `date` is the local day, `persons` is a class (1, 2, 3-4, 5+), never a number.

The **commitment** is the SHA-256 of that document's bytes. The salt (16 random bytes or more, new for each leaf) is
part of the document: without it nobody can find out a leaf's content by trying all of them.

A **leaf** is what everybody may see and what the tree is built from::

    {"commitment":"<64 hexadecimal digits>","index":0,"type":"arrival","version":1}
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.allocation.canonical import canonical_json

if TYPE_CHECKING:
    import datetime as dt

VERSION = 1
"""Of both formats; a reader that meets another version stops."""

LEAF_TYPES = ("arrival", "departure", "correction", "quarter_total", "weights", "policy", "cap")
"""What a leaf can record."""

SHORTEST_SALT = 16
"""Bytes: 128 bits, beyond trying."""

_COMMITMENT = hashlib.sha256().digest_size


@dataclass(frozen=True, slots=True)
class Opening:
    """The readable content of a leaf about one stay: regions and codes, no site, no person."""

    type: str
    origin: str
    receiving: str
    kind: str
    date: dt.date
    reason: str
    persons: str
    lawful_regions: tuple[str, ...]
    policy_hash: str
    swap_id: str | None


def persons_class(persons: int) -> str:
    """How a leaf states the size of a household: `1`, `2`, `3-4` or `5+`, so that a large family is not known by it."""
    if persons <= 2:  # noqa: PLR2004 - the classes are named in the docstring
        return str(persons)
    return "3-4" if persons <= 4 else "5+"  # noqa: PLR2004 - as above


def opening_document(opening: Opening, salt: bytes) -> dict[str, object]:
    """The opening as it is sealed, exported and verified: `commitment` hashes exactly this.

    Raises:
        ValueError: for an unknown type, or a salt shorter than 16 bytes.
    """
    _check_type(opening.type)
    if len(salt) < SHORTEST_SALT:
        raise ValueError(f"a salt has at least {SHORTEST_SALT} bytes")
    return {
        "version": VERSION,
        "salt": salt.hex(),
        "type": opening.type,
        "origin": opening.origin,
        "receiving": opening.receiving,
        "kind": opening.kind,
        "date": opening.date.isoformat(),
        "reason": opening.reason,
        "persons": opening.persons,
        "lawful_regions": sorted(opening.lawful_regions),
        "policy_hash": opening.policy_hash,
        "swap_id": opening.swap_id,
    }


def commitment(opening: Opening, salt: bytes) -> bytes:
    """The 32 bytes that bind a leaf to its opening without showing it."""
    return hashlib.sha256(canonical_json(opening_document(opening, salt))).digest()


def leaf_bytes(index: int, leaf_type: str, commitment: bytes) -> bytes:
    """The canonical bytes of the leaf at `index`, counted from nought.

    Raises:
        ValueError: for an index below nought, an unknown type, or a commitment that is not 32 bytes.
    """
    _check_type(leaf_type)
    if index < 0 or len(commitment) != _COMMITMENT:
        raise ValueError("a leaf has an index from nought and a commitment of 32 bytes")
    return canonical_json({"version": VERSION, "index": index, "type": leaf_type, "commitment": commitment.hex()})


def _check_type(leaf_type: str) -> None:
    if leaf_type not in LEAF_TYPES:
        raise ValueError(f"no leaf has the type {leaf_type}")
