"""`plek ledger witness`: keep and cosign checkpoints for a municipality.

The witness has a file and a key of its own.
"""

import base64
import binascii
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import typer

from app.allocation.ledger.exports import ExportReader
from app.allocation.ledger.notes import (
    COSIGNS,
    NoteFault,
    VerifierKey,
    is_name,
    parse_key,
    parse_note,
)
from app.allocation.ledger.tree import HASH_BYTES
from app.clock import now
from app.commands.ledger.verify import Wrong, check_signature, read_export, read_key, read_note
from app.errors import OperatorError
from app.ledger import witnesses
from app.ledger.signed_notes import cosign, verifier_of
from app.ledger.witnesses import FORKED, ROLLED_BACK, WitnessedCheckpoint, WitnessVerdict

VERSION = 1
SECRET_BYTES = 32
SAYS = {
    FORKED: "the ledger has been forked: it signed two histories that cannot both be true",
    ROLLED_BACK: "this checkpoint has fewer leaves than one that was seen before. If the ledger calls it its newest,"
    " leaves that it signed are gone",
    witnesses.UNPROVEN: "the proof does not show that the ledger has only grown. Ask for it again: if it has none, it"
    " was forked",
}


@dataclass(frozen=True, slots=True)
class WitnessFiles:
    """The files that a witness is shown: a checkpoint, and a proof or an export up to it."""

    checkpoint: Path
    proof: Path | None
    export: Path | None


@dataclass(frozen=True, slots=True)
class WitnessState:
    """A witness's name, secret, ledger keys and cosigned checkpoints."""

    name: str
    secret: bytes
    keys: tuple[VerifierKey, ...]
    kept: tuple[WitnessedCheckpoint, ...]


def witness(file: Path, seen: WitnessFiles, *, key: str | None, name: str | None) -> None:
    """Keep, cosign and print a checkpoint.

    Exit 1, after writing the evidence, if the ledger did not only grow.
    """
    state = _state(file, key=key, name=name)
    try:
        new = WitnessedCheckpoint.of(read_note(seen.checkpoint))
        check_signature(new.note, list(state.keys))
        verdict = _judge(state, new, seen)
    except NoteFault as fault:
        raise OperatorError(f"{seen.checkpoint}: {fault}.") from fault
    except Wrong as wrong:
        named = "" if wrong.index is None else f"leaf {wrong.index}: "
        typer.echo(f"WRONG. {named}{wrong.why}.")
        raise typer.Exit(1) from None
    if verdict.against is not None:
        evidence = _write_evidence(file, verdict, new)
        typer.echo(
            f"WRONG. {SAYS[verdict.kind][0].upper()}{SAYS[verdict.kind][1:]}. Both notes are in {evidence}."
        )
        raise typer.Exit(1)
    if not verdict.keeps:
        typer.echo(f"Seen before: {new.checkpoint.size:,} leaves of {new.checkpoint.origin}.")
        return
    signature = cosign(new.note.text, state.secret, name=state.name, time=int(now().timestamp()))
    kept = replace(new, note=replace(new.note, signatures=(*new.note.signatures, signature)))
    _write(file, replace(state, kept=(*state.kept, kept)))
    typer.echo(kept.note.to_text(), nl=False)


def _judge(state: WitnessState, new: WitnessedCheckpoint, seen: WitnessFiles) -> WitnessVerdict:
    before = state.kept[0].checkpoint.origin if state.kept else new.checkpoint.origin
    if new.checkpoint.origin.startswith(f"{before}/"):
        raise OperatorError(
            f"{before} was restored from a backup and goes on as {new.checkpoint.origin}: leaves"
            " that it had signed may be lost. Keep this file, which says what it had signed, and"
            " begin another witness with the new key."
        )
    if new.checkpoint.origin != before:
        raise OperatorError(
            "This is a checkpoint of another ledger: every ledger has a file of its own."
        )
    verdict = witnesses.judge_without_proof(state.kept, new)
    if verdict is not None:
        return verdict
    if seen.export is not None:
        reading = read_export(seen.export, new.checkpoint, beside=seen.checkpoint, keeping=True)
        return witnesses.judge_by_leaves(state.kept, new, _hashes(reading))
    if seen.proof is None:
        old = witnesses.newest(state.kept).checkpoint.size
        raise OperatorError(
            f"Show that the ledger has only grown: with --proof, the answer to"
            f" /v1/ledger/consistency-proofs?from={old}&to={new.checkpoint.size}, or with --export."
        )
    return witnesses.judge_by_proof(state.kept, new, _proof(seen.proof))


def _hashes(reading: ExportReader) -> list[bytes]:
    assert reading.hashes is not None  # noqa: S101 - it was asked to keep them
    return reading.hashes


def _proof(file: Path) -> list[bytes]:
    try:
        document: Any = json.loads(file.read_bytes())
        hashes = [base64.b64decode(one, validate=True) for one in document["hashes"]]
    except OSError as error:
        raise OperatorError(f"{file} cannot be read: {error.strerror}.") from error
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise OperatorError(f"{file} is no proof as the ledger answers with one.") from error
    if any(len(one) != HASH_BYTES for one in hashes):
        raise OperatorError(f"{file} is no proof as the ledger answers with one.")
    return hashes


def _state(file: Path, *, key: str | None, name: str | None) -> WitnessState:
    """Return a witness's state, new the first time, with another ledger key if one is given."""
    given = () if key is None else (read_key(key),)
    if file.exists():
        state = _read(file)
        return replace(state, keys=tuple(dict.fromkeys((*given, *state.keys))))
    if not given or name is None or not is_name(name):
        raise OperatorError(
            "A new witness needs --key, the ledger's, and --name, its own: no spaces and no plus."
        )
    state = WitnessState(name, os.urandom(SECRET_BYTES), given, ())
    typer.echo(f"Witness: {verifier_of(state.secret, name=name, kind=COSIGNS).to_text()}", err=True)
    return state


def _read(file: Path) -> WitnessState:
    try:
        document: Any = json.loads(file.read_bytes())
        if document["version"] != VERSION:
            raise OperatorError(f"{file} is of another version of this command.")
        return WitnessState(
            document["name"],
            base64.b64decode(document["secret"], validate=True),
            tuple(parse_key(one) for one in document["keys"]),
            tuple(WitnessedCheckpoint.of(parse_note(one)) for one in document["checkpoints"]),
        )
    except OSError as error:
        raise OperatorError(f"{file} cannot be read: {error.strerror}.") from error
    except (KeyError, TypeError, ValueError, binascii.Error, RecursionError) as error:
        raise OperatorError(f"{file} is not a witness's file, or was damaged.") from error


def _write(file: Path, state: WitnessState) -> None:
    document = {
        "version": VERSION,
        "name": state.name,
        "secret": base64.b64encode(state.secret).decode(),
        "keys": [key.to_text() for key in state.keys],
        "checkpoints": [kept.note.to_text() for kept in state.kept],
    }
    _replace(file, document)


def _write_evidence(file: Path, verdict: WitnessVerdict, new: WitnessedCheckpoint) -> Path:
    assert verdict.against is not None  # noqa: S101 - so the caller found
    evidence = file.with_name(f"{file.name}.{verdict.kind}.json")
    document = {
        "says": SAYS[verdict.kind],
        "first": verdict.against.note.to_text(),
        "second": new.note.to_text(),
        "hashes": [base64.b64encode(one).decode() for one in verdict.whole],
    }
    _replace(evidence, document)
    return evidence


def _replace(file: Path, document: object) -> None:
    """Write a file whole or not at all, for its owner alone."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as writing:
            json.dump(document, writing, indent=1, ensure_ascii=False)
            writing.flush()
            os.fsync(descriptor)
        draft.replace(file)
    except OSError as error:
        raise OperatorError(f"{file} cannot be written: {error.strerror}.") from error
