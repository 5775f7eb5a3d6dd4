"""The ledger's tree.

As RFC 6962 has it, as an independent implementation has it, and with proofs that hold.
"""

from __future__ import annotations

import hashlib
import random

import pytest
from pymerkle import InmemoryTree

from app.allocation.ledger.tree import (
    EMPTY_ROOT,
    GrowingTree,
    Stretch,
    TreePart,
    consistency_proof,
    hash_of,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_from_inclusion,
    root_of,
    roots_from_consistency,
    shows_growth,
)
from tests import rfc9162

STANDARD = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
"""The eight inputs with which every implementation of RFC 6962 is tried."""
ROOT = bytes.fromhex("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")
MOST = 33
LEAVES = [f"leaf {number}".encode() for number in range(MOST)]


def tree_of(leaves: list[bytes]) -> tuple[GrowingTree, dict[TreePart, bytes]]:
    """Return the tree of some leaves, and the hash of every complete subtree."""
    made: list[tuple[TreePart, bytes]] = []
    growing = GrowingTree()
    for leaf in leaves:
        growing.add(leaf_hash(leaf), made)
    assert len(dict(made)) == len(made)
    return growing, dict(made)


HASHES = tree_of(LEAVES)[1]
ROOTS = [rfc9162.mth(LEAVES[:size]) for size in range(MOST + 1)]


def test_the_standard_inputs_have_the_standard_root() -> None:
    assert tree_of(STANDARD)[0].root == ROOT


@pytest.mark.parametrize("size", range(MOST + 1))
def test_roots_are_those_of_the_rfc_and_of_another_implementation(size: int) -> None:
    other = InmemoryTree(algorithm="sha256")
    for leaf in LEAVES[:size]:
        other.append_entry(leaf)
    growing = tree_of(LEAVES[:size])[0]

    assert (growing.size, growing.root) == (size, ROOTS[size])
    assert growing.root == hash_of(Stretch(0, size), HASHES)
    if size:
        assert growing.root == other.get_root(size)


def test_a_tree_goes_on_from_its_right_edge() -> None:
    for size in range(MOST):
        peaks = [HASHES[subtree] for subtree in Stretch(0, size).subtrees]
        growing = GrowingTree(size, peaks)
        growing.add(leaf_hash(LEAVES[size]))
        assert growing.root == ROOTS[size + 1]


def test_an_empty_tree_has_the_hash_of_nothing() -> None:
    assert GrowingTree().root == root_of([]) == EMPTY_ROOT == hashlib.sha256(b"").digest()


def test_a_leaf_is_never_taken_for_a_node() -> None:
    assert leaf_hash(bytes(64)) != node_hash(bytes(32), bytes(32))


def test_proofs_of_inclusion_are_those_of_the_rfc_and_hold() -> None:
    for size in range(1, MOST + 1):
        for index in range(size):
            proof = [hash_of(stretch, HASHES) for stretch in inclusion_proof(index, size)]
            assert proof == rfc9162.path(index, LEAVES[:size])
            assert (
                root_from_inclusion(leaf_hash(LEAVES[index]), index=index, size=size, proof=proof)
                == ROOTS[size]
            )
            assert rfc9162.is_included(LEAVES[index], index, size, proof, ROOTS[size])


def test_proofs_of_consistency_are_those_of_the_rfc_and_hold() -> None:
    for new in range(1, MOST + 1):
        for old in range(1, new + 1):
            proof = [hash_of(stretch, HASHES) for stretch in consistency_proof(old, new)]
            assert proof == rfc9162.subproof(old, LEAVES[:new], b=True)
            assert shows_growth(old, new, old_root=ROOTS[old], new_root=ROOTS[new], proof=proof)
            assert rfc9162.is_consistent(old, new, proof, ROOTS[old], ROOTS[new])


def test_a_whole_proof_alone_gives_both_roots() -> None:
    for new in range(2, MOST + 1):
        for old in range(1, new):
            whole = [
                hash_of(stretch, HASHES) for stretch in consistency_proof(old, new, whole=True)
            ]
            assert roots_from_consistency(old, new, whole=whole) == (ROOTS[old], ROOTS[new])


def test_any_other_proof_does_not_hold() -> None:
    drawn = random.Random(7)
    for new in range(2, MOST + 1):
        old = drawn.randrange(1, new)
        index = drawn.randrange(new)
        leaf = leaf_hash(LEAVES[index])
        path = [hash_of(stretch, HASHES) for stretch in inclusion_proof(index, new)]
        steps = [hash_of(stretch, HASHES) for stretch in consistency_proof(old, new)]
        at = drawn.randrange(len(path))
        for other in (path[:-1], [*path, bytes(32)], [*path[:at], bytes(32), *path[at + 1 :]]):
            assert root_from_inclusion(leaf, index=index, size=new, proof=other) != ROOTS[new]
        assert (
            root_from_inclusion(leaf_hash(b"other"), index=index, size=new, proof=path)
            != ROOTS[new]
        )
        roots = {"old_root": ROOTS[old], "new_root": ROOTS[new]}
        for other in (steps[:-1], [*steps, bytes(32)], [bytes(32), *steps[1:]]):
            assert not shows_growth(old, new, proof=other, **roots)
        assert not shows_growth(old, new, old_root=bytes(32), new_root=ROOTS[new], proof=steps)
        assert not shows_growth(old, new, old_root=ROOTS[old], new_root=bytes(32), proof=steps)


def test_what_cannot_be_proven_has_no_proof() -> None:
    assert root_from_inclusion(leaf_hash(b""), index=1, size=1, proof=[]) is None
    assert root_from_inclusion(leaf_hash(b""), index=0, size=1, proof=[bytes(32)]) is None
    assert consistency_proof(0, 5) == consistency_proof(5, 5) == consistency_proof(6, 5) == ()
    assert roots_from_consistency(0, 5, whole=[bytes(32)]) is None
    assert roots_from_consistency(1, 2, whole=[]) is None
    assert roots_from_consistency(1, 2, whole=[bytes(32)] * 3) is None
    assert roots_from_consistency(1, 4, whole=[bytes(32)] * 2) is None


def test_out_of_nothing_and_out_of_itself_a_tree_grows_without_proof() -> None:
    assert shows_growth(0, 5, old_root=EMPTY_ROOT, new_root=ROOTS[5], proof=[])
    assert not shows_growth(0, 5, old_root=EMPTY_ROOT, new_root=ROOTS[5], proof=[bytes(32)])
    assert shows_growth(5, 5, old_root=ROOTS[5], new_root=ROOTS[5], proof=[])
    assert not shows_growth(5, 5, old_root=ROOTS[5], new_root=ROOTS[4], proof=[])
    assert not shows_growth(6, 5, old_root=ROOTS[6], new_root=ROOTS[5], proof=[])


def test_a_proof_has_as_many_look_ups_as_the_tree_is_high() -> None:
    for height in (10, 20):
        for size in (1 << height, (1 << height) - 1, (1 << height) + 1):
            for index in (0, size // 3, size - 1):
                assert (
                    sum(len(one.subtrees) for one in inclusion_proof(index, size)) <= 2 * height + 2
                )
            for old in (1, size // 3, size - 1):
                assert (
                    sum(len(one.subtrees) for one in consistency_proof(old, size)) <= 2 * height + 2
                )
