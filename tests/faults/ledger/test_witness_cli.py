"""`plek ledger witness`: growth is kept and cosigned.

A fork, or a roll-back, is found and proven to anybody.
"""

import base64
import json
from pathlib import Path

import pytest

from app.allocation.ledger.notes import CheckpointBody, parse_checkpoint, parse_note
from app.ledger.signed_notes import signer_of, verifier_of
from tests import rfc9162
from tests.faults.ledger.ledger_files import ORIGIN, SECRET, Log, policies, watch


@pytest.fixture
def log(tmp_path: Path) -> Log:
    (tmp_path / "log").mkdir()
    return Log(tmp_path / "log")


def started(log: Log, leaves: list[bytes]) -> Path:
    """Return the state of a witness that has seen these leaves."""
    state = log.folder.parent / "state"
    watch(state, log.checkpoint(leaves), "--key", log.key.to_text(), "--name", "GM0193")
    return state


def evidence(state: Path, kind: str) -> tuple[CheckpointBody, CheckpointBody, list[bytes]]:
    """Return what a witness wrote down, having seen that the ledger's key signed both notes."""
    document = json.loads(state.with_name(f"{state.name}.{kind}.json").read_bytes())
    notes = [parse_note(document[name]) for name in ("first", "second")]
    key = verifier_of(SECRET, name=ORIGIN)
    assert [signer_of(note, [key]) for note in notes] == [key, key]
    first, second = (parse_checkpoint(note) for note in notes)
    return first, second, [base64.b64decode(one) for one in document["hashes"]]


@pytest.mark.parametrize("old, new", [(5, 9), (8, 9), (4, 8), (1, 2), (7, 13)])
def test_growth_is_shown_by_a_proof_of_the_ledger(log: Log, old: int, new: int) -> None:
    leaves = policies(new)
    state = started(log, leaves[:old])
    watch(state, log.checkpoint(leaves), "--proof", log.proof(old, leaves))


def test_two_trees_of_one_size_are_a_fork_and_both_notes_prove_it(log: Log) -> None:
    state = started(log, policies(5))
    before = state.read_bytes()
    said = watch(state, log.checkpoint(policies(5, but=2)), expect=1)
    assert said.startswith("WRONG. The ledger has been forked")
    first, second, _ = evidence(state, "forked")
    assert (first.size, first.root != second.root) == (second.size, True)
    assert state.read_bytes() == before


@pytest.mark.parametrize("old, new", [(5, 9), (8, 9), (4, 8), (1, 2), (7, 13)])
def test_a_fork_that_has_grown_is_proven_by_an_export_of_it(log: Log, old: int, new: int) -> None:
    state = started(log, policies(old))
    other = policies(new, but=0)
    watch(state, log.checkpoint(other), "--export", log.export(other), expect=1)
    first, second, hashes = evidence(state, "forked")
    assert (first.size, second.size) == (old, new)
    # Anybody can see it: from these hashes follows the root that was signed of the second, and
    # another of the first.
    forked = rfc9162.mth(other[:old])
    proof = hashes[1:] if old & (old - 1) == 0 else hashes
    assert rfc9162.is_consistent(old, new, proof, forked, second.root)
    assert forked != first.root


def test_a_fork_shows_in_the_proof_of_the_ledger_itself(log: Log) -> None:
    state = started(log, policies(5))
    other = policies(9, but=0)
    watch(state, log.checkpoint(other), "--proof", log.proof(5, other), expect=1)
    first, second, hashes = evidence(state, "forked")
    assert rfc9162.is_consistent(5, 9, hashes, rfc9162.mth(other[:5]), second.root)
    assert first.root == rfc9162.mth(policies(5))


def test_a_proof_that_shows_nothing_is_told_apart_from_a_fork(log: Log) -> None:
    state = started(log, policies(4))
    other = policies(9, but=0)
    said = watch(state, log.checkpoint(other), "--proof", log.proof(4, other), expect=1)
    assert "does not show that the ledger has only grown" in said
    assert evidence(state, "unproven")[2] == []
    assert len(json.loads(state.read_bytes())["checkpoints"]) == 1


def test_a_ledger_that_was_rolled_back_is_found(log: Log) -> None:
    leaves = policies(9)
    state = started(log, leaves[:5])
    watch(state, log.checkpoint(leaves), "--export", log.export(leaves))
    assert "fewer leaves than one that was seen" in watch(
        state, log.checkpoint(leaves[:5]), expect=1
    )
    first, second, _ = evidence(state, "rolled_back")
    assert (first.size, second.size) == (9, 5)
    # And when it goes on in another way, that is a fork.
    other = policies(12, but=7)
    watch(state, log.checkpoint(other), "--export", log.export(other), expect=1)
    assert evidence(state, "forked")[0].size == 9


def test_an_export_that_is_not_of_the_checkpoint_proves_nothing(log: Log) -> None:
    state = started(log, policies(5))
    said = watch(
        state, log.checkpoint(policies(9)), "--export", log.export(policies(9, but=8)), expect=1
    )
    assert "one of the 9 leaves is not the one that was signed" in said
    assert len(list(log.folder.parent.iterdir())) == 2


def test_what_a_witness_cannot_use_is_said(log: Log, tmp_path: Path) -> None:
    state = started(log, policies(5))
    other = verifier_of(bytes(32), name=ORIGIN).to_text()
    larger = log.checkpoint(policies(9))
    elsewhere = log.checkpoint(policies(9), origin="plek.example/be")
    bad = tmp_path / "bad"
    for content in ("", "[]", '{"hashes": 7}', '{"hashes": ["AA=="]}', '{"hashes": ["*"]}'):
        bad.write_text(content)
        assert "is no proof" in watch(state, larger, "--proof", bad, expect=2)
    assert "cannot be read" in watch(state, larger, "--proof", tmp_path / "none", expect=2)
    assert "not signed by the key" in watch(state, elsewhere, expect=1)
    assert "another ledger" in watch(
        state, elsewhere, "--key", verifier_of(SECRET, name="plek.example/be").to_text(), expect=2
    )
    assert "no spaces" in watch(tmp_path / "new", larger, "--key", other, "--name", "a b", expect=2)
    bad.write_text("one\n\n— plek.example/nl AQIDBAUG\n")
    assert "no checkpoint" in watch(state, bad, expect=2)
    for content in ("{}", "[]", '{"version": 9}', "torn"):
        state.write_text(content)
        assert str(state) in watch(state, larger, expect=2)
