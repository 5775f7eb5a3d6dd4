r"""The ledger's leaves, byte by byte.

What everybody may see, and what the tree is built from.

A leaf is canonical JSON: UTF-8, keys sorted, no spaces, no escapes but those that JSON requires,
whole numbers only. There are two kinds, and every leaf has exactly the four keys of its kind.

A leaf **about a stay** commits to an opening (openings.py has its format) and says nothing else.
Its type is `arrival`, `departure` or `correction`::

    {"commitment":"<64 hexadecimal digits>","index":0,"type":"arrival","version":1}

A leaf **in clear** has its content in it. Its type is `quarter_total`, `weights`, `policy`, `cap`,
or `correction` where one of these is corrected::

    {"content":{"hash":"sha256:...","valid_from":"2026-01-01T00:00:00Z","version":"2026.1"},"index":1,"type":"policy",
     "version":1}

`content` is an object of whole numbers (smaller than 2^53), strings, null, and objects of these.
That of a correction has at least `corrects` (the index of the leaf in whose place it comes, smaller
than its own), `by` (an object of `role` and `region`) and `code`.

Indexes count from zero, without gaps, in the order in which what they record became true.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from app.allocation.ledger.openings import STAY_TYPES, commitment_of, parse_opening
from app.allocation.policy.documents import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = 1
"""Of a leaf; a reader that meets another version stops."""

CLEAR_TYPES = ("correction", "quarter_total", "weights", "policy", "cap")
"""What a leaf can say in clear; a correction, where what it corrects was in clear."""
LEAF_TYPES = (*STAY_TYPES, "quarter_total", "weights", "policy", "cap")
"""What a leaf can record."""

LARGEST = 2**53 - 1
"""The largest whole number that every reader of JSON reads as it stands."""

_COMMITMENT = hashlib.sha256().digest_size
COMMITTED = re.compile(
    rb'\{"commitment":"([0-9a-f]{64})","index":(0|[1-9][0-9]{0,15}),"type":"(arrival|departure|correction)","version":1\}'
)
"""The canonical bytes of a leaf about a stay, and no others: most are, and this is the quickest way
to be sure."""


class LeafFault(ValueError):
    """Bytes that are no leaf, or an opening that is not a leaf's.

    Its sentence says why.
    """


@dataclass(frozen=True, slots=True)
class ParsedLeaf:
    """A leaf as it was read: with a commitment, or with its content in clear."""

    index: int
    type: str
    commitment: bytes | None
    content: Mapping[str, Any] | None


def leaf_bytes(index: int, leaf_type: str, commitment: bytes) -> bytes:
    """The canonical bytes of a leaf about a stay.

    Raises:
        ValueError: for a negative index, a type that has no opening, or a commitment that is
        not 32 bytes.
    """
    if leaf_type not in STAY_TYPES:
        raise ValueError(f"no leaf about a stay has the type {leaf_type}")
    if not 0 <= index <= LARGEST or len(commitment) != _COMMITMENT:
        raise ValueError("a leaf has an index from nought and a commitment of 32 bytes")
    return canonical_json(
        {"version": VERSION, "index": index, "type": leaf_type, "commitment": commitment.hex()}
    )


def clear_leaf_bytes(index: int, leaf_type: str, content: Mapping[str, object]) -> bytes:
    """The canonical bytes of a leaf in clear.

    Raises:
        ValueError: for a negative index, another type, or content that is not whole numbers,
        strings and null.
    """
    written = canonical_json(
        {"version": VERSION, "index": index, "type": leaf_type, "content": content}
    )
    parse_leaf(written)
    return written


def parse_leaf(written: bytes) -> ParsedLeaf:
    """Read a leaf of any type from its canonical bytes.

    Raises:
        LeafFault: for any other bytes.
    """
    if (found := COMMITTED.fullmatch(written)) and (index := int(found[2])) <= LARGEST:
        return ParsedLeaf(index, found[3].decode(), bytes.fromhex(found[1].decode()), None)
    try:
        document = json.loads(written)
        canonical = canonical_json(document)
    except (ValueError, RecursionError):
        raise LeafFault("it is not canonical JSON") from None
    if canonical != written:
        raise LeafFault("it is not canonical JSON")
    return _clear_leaf(document)


def check_opening(leaf: ParsedLeaf, document: object) -> None:
    """Make sure that an opening is the one to which a leaf commits.

    Raises:
        LeafFault: where it is not, or is none.
    """
    if leaf.commitment is None:
        raise LeafFault("it is in clear, and has no opening")
    if (
        not isinstance(document, dict)
        or _commitment(cast("dict[str, object]", document)) != leaf.commitment
    ):
        raise LeafFault("its opening is not the one to which it commits")
    try:
        opening = parse_opening(cast("dict[str, object]", document))
    except ValueError as fault:
        raise LeafFault(str(fault)) from None
    if opening.type != leaf.type:
        raise LeafFault("its opening is of another type")
    cited = [opening.arrival, opening.correction.corrects if opening.correction else None]
    if any(index is not None and index >= leaf.index for index in cited):
        raise LeafFault("its opening cites a leaf that is not before it")


def _commitment(document: Mapping[str, object]) -> bytes | None:
    try:
        return commitment_of(document)
    except (ValueError, RecursionError):  # what no JSON says, or nested without an end
        return None


def _clear_leaf(document: object) -> ParsedLeaf:
    if not isinstance(document, dict) or cast("dict[str, Any]", document).keys() != {
        "version",
        "index",
        "type",
        "content",
    }:
        raise LeafFault("it has not the keys of a leaf")
    leaf = cast("dict[str, Any]", document)
    if not _is_whole(leaf["version"]) or leaf["version"] != VERSION:
        raise LeafFault("it has a version that this reader does not know")
    index, content = leaf["index"], leaf["content"]
    if not _is_whole(index) or index < 0:
        raise LeafFault("its index is not a whole number from nought")
    if leaf["type"] not in CLEAR_TYPES:
        raise LeafFault("it has not a type of a leaf in clear")
    if not isinstance(content, dict) or not _is_plain(cast("dict[str, Any]", content)):
        raise LeafFault("its content is not whole numbers, strings and null")
    if leaf["type"] == "correction":
        _check_correction(cast("dict[str, Any]", content), index=index)
    return ParsedLeaf(index, leaf["type"], None, cast("dict[str, Any]", content))


def _check_correction(content: Mapping[str, Any], *, index: int) -> None:
    corrects, by = content.get("corrects"), content.get("by")
    cites = _is_whole(corrects) and 0 <= cast("int", corrects) < index
    stated = isinstance(by, dict) and cast("dict[str, Any]", by).keys() == {"role", "region"}
    if not cites or not stated or not isinstance(content.get("code"), str):
        raise LeafFault("it does not say what it corrects, who did it and why")


def _is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(_is_plain(inner) for inner in cast("dict[str, object]", value).values())
    return value is None or isinstance(value, str) or _is_whole(value)


def _is_whole(value: object) -> bool:
    return type(value) is int and -LARGEST <= value <= LARGEST
