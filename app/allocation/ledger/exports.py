r"""The export of a ledger, checked line by line while its tree grows.

Each line is one leaf, in order::

    {"index":0,"leaf":"<base64 of the canonical bytes>","opening":{...} or null}

Beside it there may be the hashes of its leaves, base64, each on a line of its own. They are true
where their tree has the root that a checkpoint signs, and then they say which leaf of a changed
export is not the one that was signed.
"""

from __future__ import annotations

import binascii
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from app.allocation.ledger.leaves import COMMITTED, LeafFault, ParsedLeaf, check_opening, parse_leaf
from app.allocation.ledger.tree import HASH_BYTES, GrowingTree, leaf_hash
from app.allocation.policy.documents import canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

LONGEST_LINE = 1_000_000
"""Bytes; a leaf has some hundreds."""

# Canonical base64 alone: before a filling character stand only those whose last bits are zero.
_LINE = re.compile(
    rb'\{"index":(0|[1-9][0-9]{0,15}),"leaf":"([A-Za-z0-9+/]+(?:[AQgw]==|[AEIMQUYcgkosw048]=|))",'
    rb'"opening":(null|\{.*\})\}\n?'
)
_DAY = rb'"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"'
_CODE = rb'"[A-Za-z0-9_]+"'
# An opening of version 2 in canonical form, as nearly all are: what fits this and the commitment
# needs no slower look.
_OPENING = re.compile(
    rb'\{"arrival":(null|[0-9]{1,15}),(?:"by":\{"region":(?:null|%(code)s),"role":%(code)s\},"code":%(code)s,'
    rb'"corrects":([0-9]{1,15}),)?"date":%(day)s,"kind":%(code)s,"lawful_regions":\[(?:%(code)s(?:,%(code)s)*)?\],'
    rb'"origin":%(code)s,"persons":"(?:[12]|3-4|5\+)","policy_hash":"sha256:[0-9a-f]{64}","ready_since":(?:null|%(day)s),'
    rb'"reason":%(code)s,"receiving":%(code)s,"salt":"(?:[0-9a-f]{2}){16,}","swap_id":(?:null|"[0-9a-f-]{36}"),'
    rb'"type":"(arrival|departure|correction)","version":2\}' % {b"code": _CODE, b"day": _DAY}
)


class WrongLeaf(ValueError):
    """The first leaf of an export that is not what it should be, by its index.

    `why` is a sentence about it.
    """

    def __init__(self, index: int, why: str) -> None:
        super().__init__(f"leaf {index}: {why}")
        self.index = index
        self.why = why


class ExportReader:
    """An export as far as it has been read.

    The tree of its leaves, how many openings fitted, and hashes if kept.
    """

    def __init__(self, *, keeping: bool = False) -> None:
        self.tree = GrowingTree()
        self.openings = 0
        self.hashes: list[bytes] | None = [] if keeping else None

    def read(self, line: bytes) -> None:
        """Read the next line.

        Raises:
            WrongLeaf: where it is not the next leaf of a ledger, or its opening is another's.
        """
        index = self.tree.size
        try:
            written, opened = _quickly(line, index) or _slowly(line, index)
        except LeafFault as fault:
            raise WrongLeaf(index, str(fault)) from None
        self.openings += opened
        hashed = leaf_hash(written)
        self.tree.add(hashed)
        if self.hashes is not None:
            self.hashes.append(hashed)


def export_line(index: int, leaf: bytes, opening: Mapping[str, object] | None) -> bytes:
    """A leaf as an export has it, with the newline."""
    encoded = binascii.b2a_base64(leaf, newline=False).decode()
    return canonical_json({"index": index, "leaf": encoded, "opening": opening}) + b"\n"


def hash_line(leaf: bytes) -> bytes:
    """The hash of a leaf as the file beside an export has it."""
    return binascii.b2a_base64(leaf_hash(leaf))


def signed_hashes(lines: Iterable[bytes], *, size: int, root: bytes) -> list[bytes] | None:
    """The hashes of a tree's leaves in order, read from lines.

    None where they do not make that tree.
    """
    hashes: list[bytes] = []
    tree = GrowingTree()
    for line in lines:
        if len(hashes) == size:
            break
        hashed = _from_base64(line.strip())
        if hashed is None or len(hashed) != HASH_BYTES:
            return None
        hashes.append(hashed)
        tree.add(hashed)
    return hashes if tree.size == size and tree.root == root else None


def first_altered_leaf(lines: Iterable[bytes], hashes: Iterable[bytes]) -> int | None:
    """The index of the first line whose leaf has not the hash that was signed.

    None where each has.
    """
    for index, (hashed, found) in enumerate(zip(hashes, _hashes(lines), strict=False)):
        if hashed != found:
            return index
    return None


def _hashes(lines: Iterable[bytes]) -> Iterator[bytes | None]:
    for index, line in enumerate(lines):
        try:
            yield leaf_hash(_parse_line(line, index=index)[1])
        except LeafFault:
            yield None


def _quickly(line: bytes, index: int) -> tuple[bytes, bool] | None:
    """The bytes of the leaf of a line, and whether it is opened.

    None where that needs a slower look.
    """
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    stated, encoded, opening = found.groups()
    try:
        written = binascii.a2b_base64(encoded, strict_mode=True)
    except ValueError:
        return None
    leaf = COMMITTED.fullmatch(written)
    if leaf is None or leaf[2] != stated or stated != b"%d" % index:
        return None
    if opening == b"null":
        return written, False
    return (written, True) if _fits(leaf, opening, index=index) else None


def _fits(leaf: re.Match[bytes], opening: bytes, *, index: int) -> bool:
    found = _OPENING.fullmatch(opening)
    if (
        found is None
        or hashlib.sha256(opening).hexdigest().encode() != leaf[1]
        or found[3] != leaf[3]
    ):
        return False
    arrival, corrects = found[1], found[2]
    if (arrival == b"null") != (leaf[3] == b"arrival") or (corrects is None) != (
        leaf[3] != b"correction"
    ):
        return False
    return all(int(cited) < index for cited in (arrival, corrects) if cited not in (None, b"null"))


def _slowly(line: bytes, index: int) -> tuple[bytes, bool]:
    """As `_quickly`, for whatever a line may be.

    Raises:
        LeafFault: where it is not the next leaf of a ledger, or its opening is another's.
    """
    leaf, written, opening = _parse_line(line, index=index)
    if opening is not None:
        check_opening(leaf, opening)
    return written, opening is not None


def _parse_line(line: bytes, *, index: int) -> tuple[ParsedLeaf, bytes, object]:
    """A line's leaf, its bytes, and its opening."""
    try:
        document = json.loads(line, object_pairs_hook=_once_each)
        stated, encoded, opening = (
            document["index"],
            document["leaf"].encode("ascii"),
            document["opening"],
        )
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        raise LeafFault("its line is not one of an export") from None
    if document.keys() != {"index", "leaf", "opening"} or type(stated) is not int:
        raise LeafFault("its line is not one of an export")
    written = _from_base64(encoded)
    if written is None:
        raise LeafFault("its bytes are not base64")
    leaf = parse_leaf(written)
    if stated != index or leaf.index != index:
        other = leaf.index if stated == index else stated
        raise LeafFault(f"leaf {other} stands in its place: one was taken out, put in or moved")
    return leaf, written, opening


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError
    return dict(pairs)


def _from_base64(encoded: bytes) -> bytes | None:
    """The bytes of canonical base64; None for anything else."""
    try:
        content = binascii.a2b_base64(encoded, strict_mode=True)
    except ValueError:
        return None
    return content if binascii.b2a_base64(content, newline=False) == encoded else None
