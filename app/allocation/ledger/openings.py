r"""What a leaf about a stay says, for the auditors of the two regions concerned.

Byte by byte.

An opening is canonical JSON: UTF-8, keys sorted, no spaces, no escapes but those that JSON
requires, whole numbers only. Version 2, which is what is written, has exactly these keys::

    {"arrival":null,"date":"2026-03-01","kind":"crisis","lawful_regions":["GM0193","GM0363"],"origin":"GM0518",
     "persons":"3-4","policy_hash":"sha256:...","ready_since":null,"reason":"safety","receiving":"GM0193",
     "salt":"<hexadecimal>","swap_id":null,"type":"arrival","version":2}

`lawful_regions` is sorted, `date` is the local day, `persons` is a class (1, 2, 3-4, 5+), never a
number. `arrival` is the index of the arrival's leaf, null on arrivals alone. `ready_since` is the
day since when the household has been ready to leave, where that is known.

A correction has three more keys: `corrects` (the index of the leaf that it corrects), `by` (the
role and the region of who did it, never an account) and `code`::

    "by":{"region":"GM0193","role":"coordinator"},"code":"arrived_other_day","corrects":17

All its other keys say what the corrected leaf should have said: the newest correction of a leaf
takes the leaf's place. Under the code `not_arrived` there was no stay; under `arrived_after_all`
there is one again, as that leaf says.

Version 1 lacks `arrival` and `ready_since`, and knew no corrections.

The **commitment** is the SHA-256 of the document's bytes. The salt (16 random bytes or more, new
for each leaf) is part of the document: without it nobody can find out a leaf's content by trying
all of them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from app.allocation.policy.documents import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = 2
"""What is written; a reader knows every version up to this one, and stops at another."""

STAY_TYPES = ("arrival", "departure", "correction")
"""The leaves that have an opening."""

SHORTEST_SALT = 16
"""Bytes: 128 bits, beyond trying."""

NOT_ARRIVED = "not_arrived"
"""The code of a correction by which there was no stay."""
ARRIVED_AFTER_ALL = "arrived_after_all"
"""The code of a correction by which there is a stay after all: one that an earlier correction had
taken away."""
NOT_DEPARTED = "not_departed"
"""The code of a correction by which they had not left."""
DEPARTED_AFTER_ALL = "departed_after_all"
"""The code of a correction by which they have left after all, where an earlier one took that
back."""
READY_TO_LEAVE = "ready_to_leave"
"""The code of a correction that says since when the household has been ready to leave."""

_FIRST = {
    *("version", "salt", "type", "origin", "receiving", "kind", "date", "reason", "persons"),
    *("lawful_regions", "policy_hash", "swap_id"),
}
_SECOND = _FIRST | {"arrival", "ready_since"}
_CORRECTING = {"corrects", "by", "code"}


@dataclass(frozen=True, slots=True)
class Correction:
    """Which leaf is corrected, by whom (a role and a region, no account) and why, as a code."""

    corrects: int
    role: str
    region: str | None
    code: str


@dataclass(frozen=True, slots=True)
class OpeningContent:
    """The readable content of a leaf about one stay.

    Regions and codes, no site, no person.
    """

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
    arrival: int | None = None
    """Index of the arrival's leaf; None on arrivals, and where version 1 did not say."""
    ready_since: dt.date | None = None
    correction: Correction | None = None


def persons_class(persons: int) -> str:
    """How a leaf states the size of a household.

    `1`, `2`, `3-4` or `5+`, so that a large family is not known by it.
    """
    if persons <= 2:  # noqa: PLR2004 - the classes are named in the docstring
        return str(persons)
    return "3-4" if persons <= 4 else "5+"  # noqa: PLR2004 - as above


def opening_document(opening: OpeningContent, salt: bytes) -> dict[str, object]:
    """The opening as it is sealed, exported and verified.

    `commitment` hashes exactly this.

    Raises:
        ValueError: for a type without openings, a salt shorter than 16 bytes, or what does not fit
        the type.
    """
    if opening.type not in STAY_TYPES:
        raise ValueError(f"no opening has the type {opening.type}")
    if len(salt) < SHORTEST_SALT:
        raise ValueError(f"a salt has at least {SHORTEST_SALT} bytes")
    if (opening.type == "arrival") != (opening.arrival is None):
        raise ValueError("every opening but an arrival's names the arrival")
    if (opening.type == "correction") != (opening.correction is not None):
        raise ValueError("a correction, and nothing else, says what it corrects")
    document: dict[str, object] = {
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
        "arrival": opening.arrival,
        "ready_since": None if opening.ready_since is None else opening.ready_since.isoformat(),
    }
    if opening.correction is not None:
        by = {"role": opening.correction.role, "region": opening.correction.region}
        document |= {
            "corrects": opening.correction.corrects,
            "by": by,
            "code": opening.correction.code,
        }
    return document


def commitment(opening: OpeningContent, salt: bytes) -> bytes:
    """The 32 bytes that bind a leaf to its opening without showing it."""
    return commitment_of(opening_document(opening, salt))


def commitment_of(document: Mapping[str, object]) -> bytes:
    """The commitment to a document as it was exported."""
    return hashlib.sha256(canonical_json(document)).digest()


def parse_opening(document: object) -> OpeningContent:
    """Read an opening of any known version.

    Raises:
        ValueError: if it is not one; the sentence says why.
    """
    if not isinstance(document, dict):
        raise ValueError("an opening is an object")  # noqa: TRY004 - one kind of refusal for all that was read
    read = cast("dict[str, Any]", document)
    _check_keys(read)
    try:
        return _opening_of(read)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ValueError("this opening has a field that is not what it should be") from None


def _check_keys(read: Mapping[str, Any]) -> None:
    version = read.get("version")
    if type(version) is not int or not 1 <= version <= VERSION:
        raise ValueError("this opening has a version that this reader does not know")
    if read.get("type") not in (STAY_TYPES if version > 1 else STAY_TYPES[:2]):
        raise ValueError("this opening has a type that its version does not know")
    expected = _FIRST if version == 1 else _SECOND
    if set(read) != (expected | _CORRECTING if read["type"] == "correction" else expected):
        raise ValueError("this opening has other keys than its version says")


def _opening_of(read: Mapping[str, Any]) -> OpeningContent:
    if len(bytes.fromhex(read["salt"])) < SHORTEST_SALT:
        raise ValueError
    arrival = read.get("arrival")
    if read["version"] > 1 and (arrival is None) != (read["type"] == "arrival"):
        raise ValueError
    return OpeningContent(
        type=read["type"],
        origin=_text(read["origin"]),
        receiving=_text(read["receiving"]),
        kind=_text(read["kind"]),
        date=dt.date.fromisoformat(read["date"]),
        reason=_text(read["reason"]),
        persons=_text(read["persons"]),
        lawful_regions=tuple(_text(region) for region in read["lawful_regions"]),
        policy_hash=_text(read["policy_hash"]),
        swap_id=_text_or_none(read["swap_id"]),
        arrival=None if arrival is None else _index(arrival),
        ready_since=None
        if read.get("ready_since") is None
        else dt.date.fromisoformat(read["ready_since"]),
        correction=_correction_of(read) if read["type"] == "correction" else None,
    )


def _correction_of(read: Mapping[str, Any]) -> Correction:
    by: Any = read["by"]
    if set(by) != {"role", "region"}:
        raise ValueError
    return Correction(
        corrects=_index(read["corrects"]),
        role=_text(by["role"]),
        region=_text_or_none(by["region"]),
        code=_text(read["code"]),
    )


def _index(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 - caught and told as one kind of refusal
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)
