"""Signing and checking notes, against a note that another implementation signed."""

import pytest

from app.allocation.ledger.notes import (
    COSIGNS,
    CheckpointBody,
    Note,
    Signature,
    parse_key,
    parse_note,
)
from app.ledger.signed_notes import cosign, sign, signer_of, verifier_of

# From the documentation of Go's sumdb/note, whose format C2SP's signed-note is.
ELSEWHERE = parse_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your "
    "problem is.\n\n"
    "— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
SECRET, OTHER = bytes(range(32)), bytes(32)
TEXT = CheckpointBody("plek.example/nl", 7, bytes(32)).text()
LOG = verifier_of(SECRET, name="plek.example/nl")
WITNESS = verifier_of(OTHER, name="GM0193", kind=COSIGNS)


def test_a_note_that_was_signed_elsewhere_is_checked() -> None:
    assert signer_of(parse_note(NOTE), [LOG, ELSEWHERE]) == ELSEWHERE
    assert signer_of(parse_note(NOTE.replace("answer", "solution")), [ELSEWHERE]) is None


def test_what_is_signed_is_checked_by_the_key_that_signed_it_and_no_other() -> None:
    note = parse_note(Note(TEXT, (sign(TEXT, SECRET, name=LOG.name),)).to_text())
    assert signer_of(note, [LOG]) == LOG
    for key in (verifier_of(OTHER, name=LOG.name), verifier_of(SECRET, name="other"), WITNESS):
        assert signer_of(note, [key]) is None
    assert signer_of(Note(TEXT.replace("7", "8"), note.signatures), [LOG]) is None
    short = Signature(LOG.name, LOG.key_id, bytes(10))
    assert signer_of(Note(TEXT, (short,)), [LOG]) is None


def test_a_bad_signature_by_a_known_key_spoils_the_note_beside_a_good_one() -> None:
    good, cosigned = sign(TEXT, SECRET, name=LOG.name), cosign(TEXT, OTHER, name="GM0193", time=1)
    bad = Signature(LOG.name, LOG.key_id, bytes(64))
    strange = Signature("elsewhere", bytes(4), bytes(64))

    for signatures in ((good, bad), (bad, good), (good, cosigned, bad)):
        assert signer_of(Note(TEXT, signatures), [LOG]) is None
    assert signer_of(Note(TEXT, (bad, cosigned)), [WITNESS, LOG]) is None
    assert signer_of(Note(TEXT, (good, cosigned, strange)), [LOG, WITNESS]) == LOG


def test_the_same_text_is_always_signed_alike() -> None:
    assert sign(TEXT, SECRET, name=LOG.name) == sign(TEXT, SECRET, name=LOG.name)


@pytest.mark.parametrize("time", [0, 1764000000])
def test_a_witness_signs_when_it_saw_a_checkpoint(time: int) -> None:
    signature = cosign(TEXT, OTHER, name="GM0193", time=time)
    assert (
        signer_of(Note(TEXT, (sign(TEXT, SECRET, name=LOG.name), signature)), [WITNESS]) == WITNESS
    )
    later = signature.content[:7] + b"\xff" + signature.content[8:]
    assert signer_of(Note(TEXT, (Signature("GM0193", signature.key_id, later),)), [WITNESS]) is None
