"""The ledger's Merkle tree: hashes (RFC 6962) and proofs (RFC 9162).

A tree over leaves that only grow is made of complete subtrees, whose hashes never change: at level
h, number i covers the leaves from i * 2^h on, 2^h of them. With these one can find any root and
any proof with as many look-ups as the tree is high.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256().digest()
"""The root of a tree without leaves."""


@dataclass(frozen=True, slots=True, order=True)
class TreePart:
    """A complete subtree: of 2^level leaves, from index * 2^level on."""

    level: int
    index: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """The leaves from one on, up to another, as a proof has one hash for them."""

    first: int
    end: int

    @property
    def subtrees(self) -> tuple[TreePart, ...]:
        """The complete subtrees that it is made of, the largest first."""
        found: list[TreePart] = []
        at, length = self.first, self.end - self.first
        for level in reversed(range(length.bit_length())):
            if length >> level & 1:
                found.append(TreePart(level, at >> level))
                at += 1 << level
        return tuple(found)


class GrowingTree:
    """A growing tree that keeps only the complete subtrees at its right edge."""

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self._peaks = list(peaks)

    def add(self, hashed: bytes, made: list[tuple[TreePart, bytes]] | None = None) -> None:
        """Add the hash of a leaf.

        Every subtree that is complete with it is put down in `made`.
        """
        peaks, number, level = self._peaks, self.size, 0
        while True:
            if made is not None:
                made.append((TreePart(level, number), hashed))
            if not number & 1:
                break
            hashed = hashlib.sha256(b"\x01" + peaks.pop() + hashed).digest()
            number >>= 1
            level += 1
        peaks.append(hashed)
        self.size += 1

    @property
    def root(self) -> bytes:
        """The root of the tree as it is now."""
        return root_of(self._peaks)


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf's bytes."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node, of those of its two parts."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(peaks: Sequence[bytes]) -> bytes:
    """The hash over some leaves, from their complete subtrees, the largest first."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def hash_of(stretch: Stretch, hashes: Mapping[TreePart, bytes]) -> bytes:
    """The hash over a stretch, of those of its subtrees."""
    return root_of([hashes[subtree] for subtree in stretch.subtrees])


def inclusion_proof(index: int, size: int) -> tuple[Stretch, ...]:
    """What the proof consists of that a leaf is in the tree of a size.

    RFC 9162, section 2.1.3.1, from the leaf up.
    """
    found: list[Stretch] = []
    first, end = 0, size
    while end - first > 1:
        middle = first + _split(end - first)
        if index < middle:
            found.append(Stretch(middle, end))
            end = middle
        else:
            found.append(Stretch(first, middle))
            first = middle
    return tuple(reversed(found))


def consistency_proof(old: int, new: int, *, whole: bool = False) -> tuple[Stretch, ...]:
    """What the proof consists of that a tree grew out of a smaller one.

    RFC 9162, section 2.1.4.1.

    A `whole` one also has the hash that its reader knows where the old tree is a complete subtree:
    both roots follow from it alone.
    """
    if not 0 < old < new:
        return ()
    found: list[Stretch] = []
    first, end, known = 0, new, not whole
    while end != old:
        middle = first + _split(end - first)
        if old <= middle:
            found.append(Stretch(middle, end))
            end = middle
        else:
            found.append(Stretch(first, middle))
            first, known = middle, False
    if not known:
        found.append(Stretch(first, end))
    return tuple(reversed(found))


def root_from_inclusion(
    hashed: bytes, *, index: int, size: int, proof: Sequence[bytes]
) -> bytes | None:
    """The root that follows from a leaf's hash and a proof of inclusion.

    None where the proof has another length.

    Source: RFC 9162, section 2.1.3.2.
    """
    if not 0 <= index < size:
        return None
    number, last, root = index, size - 1, hashed
    for other in proof:
        if last == 0:
            return None
        if number & 1 or number == last:
            root = node_hash(other, root)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            root = node_hash(root, other)
        number, last = number >> 1, last >> 1
    return root if last == 0 else None


def shows_growth(
    old: int, new: int, *, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether a consistency proof shows that one tree grew out of the other."""
    if old in (0, new):
        return not proof and (old == 0 or old_root == new_root)
    whole = [old_root, *proof] if old & (old - 1) == 0 else proof
    return roots_from_consistency(old, new, whole=whole) == (old_root, new_root)


def roots_from_consistency(
    old: int, new: int, *, whole: Sequence[bytes]
) -> tuple[bytes, bytes] | None:
    """The roots of both trees as they follow from a whole proof of consistency.

    None where it has another length.

    Source: RFC 9162, section 2.1.4.2.
    """
    if not 0 < old < new or not whole:
        return None
    number, last = old - 1, new - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    old_root = new_root = whole[0]
    for other in whole[1:]:
        if last == 0:
            return None
        if number & 1 or number == last:
            old_root, new_root = node_hash(other, old_root), node_hash(other, new_root)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            new_root = node_hash(new_root, other)
        number, last = number >> 1, last >> 1
    return (old_root, new_root) if last == 0 else None


def _split(length: int) -> int:
    """The largest power of two that is smaller than a length of two or more."""
    return 1 << (length - 1).bit_length() - 1
