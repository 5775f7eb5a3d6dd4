"""Signed notes, checkpoints and keys as text.

What is written is read again, and nothing else is.
"""

from __future__ import annotations

import base64

import pytest

from app.allocation.ledger.notes import (
    COSIGNS,
    LARGEST_NOTE,
    SIGNS,
    CheckpointBody,
    Note,
    NoteFault,
    Signature,
    VerifierKey,
    cosigned_text,
    is_name,
    parse_checkpoint,
    parse_key,
    parse_note,
)

CHECKPOINT = CheckpointBody("plek.example/nl", 1042, bytes(range(32)))
SIGNATURE = Signature("plek.example/nl", b"\x01\x02\x03\x04", bytes(64))
NOTE = Note(CHECKPOINT.text(), (SIGNATURE, Signature("GM0193", b"\x05\x06\x07\x08", bytes(72))))


def test_a_checkpoint_is_these_lines_and_no_others() -> None:
    root = base64.b64encode(bytes(range(32))).decode()
    assert CHECKPOINT.text() == f"plek.example/nl\n1042\n{root}\n"
    assert NOTE.to_text().startswith(f"plek.example/nl\n1042\n{root}\n\n— plek.example/nl AQIDBAAA")
    assert NOTE.to_text().count("\n") == 6


def test_what_was_written_is_read_again() -> None:
    assert parse_note(NOTE.to_text()) == NOTE
    assert parse_checkpoint(NOTE) == CHECKPOINT
    more = Note(CHECKPOINT.text() + "more\n", NOTE.signatures)
    assert parse_checkpoint(parse_note(more.to_text())) == CHECKPOINT


def test_the_text_may_have_empty_lines_of_its_own() -> None:
    note = Note("one\n\ntwo\n", (SIGNATURE,))
    assert parse_note(note.to_text()) == note


GOOD = NOTE.to_text()


@pytest.mark.parametrize(
    "written",
    [
        "",
        "text",
        GOOD[:-1],
        GOOD + "\n",
        GOOD.replace("\n\n", "\n"),
        GOOD.replace("— GM", "- GM"),
        GOOD.replace("— GM0193", "— GM 0193"),
        GOOD.replace("AQIDBAAA", "AQIDB*AA"),
        GOOD.replace("plek", "pl\tek"),
        CHECKPOINT.text() + "\n— short AQIDBA==\n",
        CHECKPOINT.text() + "\n— padded AQIDBAB=\n",
        "a\n" * LARGEST_NOTE + GOOD,
    ],
)
def test_what_is_no_signed_note_is_not_read(written: str) -> None:
    with pytest.raises(NoteFault):
        parse_note(written)


@pytest.mark.parametrize(
    "text",
    [
        "one\ntwo\n",
        CHECKPOINT.text().replace("1042", "01042"),
        CHECKPOINT.text().replace("1042", "-1"),
        CHECKPOINT.text().replace("1042", "9223372036854775808"),
        CHECKPOINT.text().replace("AAEC", "AAE*"),
        "plek.example/nl\n1042\nAAEC\n",
        "\n1042\n" + CHECKPOINT.text().split("\n")[2] + "\n",
        CHECKPOINT.text() + "\nmore\n",
    ],
)
def test_what_is_no_checkpoint_is_not_read(text: str) -> None:
    with pytest.raises(NoteFault):
        parse_checkpoint(Note(text, (SIGNATURE,)))


KEY = VerifierKey("plek.example/nl", SIGNS, bytes(range(32)))


def test_a_key_is_passed_on_with_the_digits_that_its_signatures_name() -> None:
    written = KEY.to_text()
    assert (
        written
        == f"plek.example/nl+{KEY.key_id.hex()}+{base64.b64encode(bytes([1, *range(32)])).decode()}"
    )
    assert parse_key(written + "\n") == KEY
    witness = VerifierKey("GM0193", COSIGNS, bytes(32))
    assert parse_key(witness.to_text()) == witness
    assert witness.key_id != VerifierKey("GM0193", SIGNS, bytes(32)).key_id


@pytest.mark.parametrize(
    "written",
    [
        "",
        "plek",
        KEY.to_text().replace("plek", "klep"),
        KEY.to_text().replace("+", " ", 1),
        f"plek+00000000+{base64.b64encode(bytes(33)).decode()}",
        f"plek+00000000+{base64.b64encode(bytes([1]) * 5).decode()}",
        "plek+00000000+*",
    ],
)
def test_what_is_no_key_is_not_read(written: str) -> None:
    with pytest.raises(NoteFault):
        parse_key(written)


def test_a_witness_signs_a_time_and_the_text() -> None:
    assert (
        cosigned_text("a\n1\nb\n", time=1764000000) == "cosignature/v1\ntime 1764000000\na\n1\nb\n"
    )


def test_a_name_has_no_spaces_and_no_plus() -> None:
    assert is_name("GM0193")
    assert not any(
        is_name(name) for name in ("", "GM 0193", "GM+0193", "GM\x000193", "GM\u200b0193")
    )
