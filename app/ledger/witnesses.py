"""A witness: the checkpoints that a municipality keeps, and what a new one proves by them."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.allocation.ledger.notes import CheckpointBody, Note, parse_checkpoint
from app.allocation.ledger.tree import (
    Stretch,
    consistency_proof,
    node_hash,
    root_of,
    roots_from_consistency,
    shows_growth,
)

FIRST, KNOWN, GROWN = "first", "known", "grown"
ROLLED_BACK, FORKED, UNPROVEN = "rolled_back", "forked", "unproven"


@dataclass(frozen=True, slots=True)
class WitnessedCheckpoint:
    """A checkpoint, with the note it came in."""

    checkpoint: CheckpointBody
    note: Note

    @classmethod
    def of(cls, note: Note) -> "WitnessedCheckpoint":
        """Read the checkpoint in a note; raise NoteFault if there is none."""
        return cls(parse_checkpoint(note), note)


@dataclass(frozen=True, slots=True)
class WitnessVerdict:
    """The verdict on a new checkpoint, and the kept one that it contradicts, if any.

    `whole` are the hashes of a whole proof of consistency (RFC 9162, section 2.1.4, always with its
    first hash). The larger tree's root follows from them as it was signed, but not the smaller
    one's: both notes and these hashes prove to anybody that the ledger was forked. Two notes of one
    size need no hashes for that.
    """

    kind: str
    against: WitnessedCheckpoint | None = None
    whole: tuple[bytes, ...] = ()

    @property
    def keeps(self) -> bool:
        """Whether the witness keeps and cosigns it."""
        return self.kind in {FIRST, GROWN}


def judge_without_proof(
    kept: Sequence[WitnessedCheckpoint], new: WitnessedCheckpoint
) -> WitnessVerdict | None:
    """Judge a new checkpoint without a proof; return None if one is needed."""
    if not kept:
        return WitnessVerdict(FIRST)
    for one in kept:
        if (
            one.checkpoint.size == new.checkpoint.size
            and one.checkpoint.root != new.checkpoint.root
        ):
            return WitnessVerdict(FORKED, one)
    last = newest(kept)
    if new.checkpoint.size < last.checkpoint.size:
        return WitnessVerdict(ROLLED_BACK, last)
    if new.checkpoint.size == last.checkpoint.size:
        return WitnessVerdict(KNOWN)
    return None


def judge_by_proof(
    kept: Sequence[WitnessedCheckpoint], new: WitnessedCheckpoint, proof: Sequence[bytes]
) -> WitnessVerdict:
    """Judge a larger checkpoint by a proof of consistency from the newest kept one."""
    last = newest(kept)
    old, grew = last.checkpoint, new.checkpoint
    if shows_growth(old.size, grew.size, old_root=old.root, new_root=grew.root, proof=proof):
        return WitnessVerdict(GROWN)
    if _proves_fork(old, grew, proof):
        return WitnessVerdict(FORKED, last, tuple(proof))
    return WitnessVerdict(UNPROVEN, last)


def judge_by_leaves(
    kept: Sequence[WitnessedCheckpoint], new: WitnessedCheckpoint, hashes: Sequence[bytes]
) -> WitnessVerdict:
    """Judge a checkpoint by the hashes of its tree's leaves, whose root it signs."""
    for one in sorted(kept, key=lambda other: -other.checkpoint.size):
        size = one.checkpoint.size
        if root_over(hashes, Stretch(0, size)) != one.checkpoint.root:
            parts = consistency_proof(size, new.checkpoint.size, whole=True)
            return WitnessVerdict(FORKED, one, tuple(root_over(hashes, part) for part in parts))
    return WitnessVerdict(GROWN)


def newest(kept: Sequence[WitnessedCheckpoint]) -> WitnessedCheckpoint:
    """Return the largest kept checkpoint."""
    return max(kept, key=lambda one: one.checkpoint.size)


def root_over(hashes: Sequence[bytes], stretch: Stretch) -> bytes:
    """Return the hash over a stretch of the leaves with these hashes."""
    return root_of(
        [_fold(hashes, part.index << part.level, part.level) for part in stretch.subtrees]
    )


def _fold(hashes: Sequence[bytes], first: int, level: int) -> bytes:
    row = list(hashes[first : first + (1 << level)])
    while len(row) > 1:
        row = [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]


def _proves_fork(old: CheckpointBody, new: CheckpointBody, proof: Sequence[bytes]) -> bool:
    """Whether a proof of consistency proves a fork: both its roots follow from it alone.

    This cannot be told if the old tree is a complete subtree: then the proof leaves its root out.
    """
    if old.size & (old.size - 1) == 0:
        return False
    roots = roots_from_consistency(old.size, new.size, whole=proof)
    return roots is not None and roots[1] == new.root and roots[0] != old.root
