"""`plek ledger verify`: check an export against a signed checkpoint.

It needs no service and no database.
"""

import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import typer
from rich.console import Console
from rich.progress import Progress as Bar

from app.allocation.ledger.exports import (
    LONGEST_LINE,
    ExportReader,
    WrongLeaf,
    first_altered_leaf,
    signed_hashes,
)
from app.allocation.ledger.notes import (
    LARGEST_NOTE,
    CheckpointBody,
    Note,
    NoteFault,
    VerifierKey,
    parse_checkpoint,
)
from app.allocation.ledger.notes import parse_key as parse_written_key
from app.allocation.ledger.notes import parse_note as parse_written_note
from app.commands.installation import say
from app.commands.ledger.export import CHECKPOINT
from app.errors import OperatorError
from app.ledger.signed_notes import signer_of

STEP_BYTES = 1 << 20
"""The bytes between two steps of the bar."""
MOST_FILES = 50
"""The most files of hashes that are tried."""


class Wrong(Exception):
    """A leaf (or the whole export) that is not as it was signed, and a sentence about it."""

    def __init__(self, index: int | None, why: str) -> None:
        super().__init__(why)
        self.index = index
        self.why = why


class Short(Wrong):
    """An export that ends before the checkpoint does, and is right as far as it goes."""

    def __init__(self, found: CheckpointBody, *, size: int) -> None:
        super().__init__(found.size, f"it is missing: the checkpoint signs {size:,} leaves")
        self.found = found
        """The leaves that there are, as a checkpoint of theirs would say it."""


def verify(file: Path, *, checkpoint: Path, key: str | None) -> None:
    """Check an export, and print the result.

    Exit 1 if anything is not as it was signed, or signed by a newer checkpoint alone.
    """
    note = read_note(checkpoint)
    signed = _checkpoint(note, checkpoint)
    keys = None if key is None else [read_key(key)]
    try:
        if keys is not None:
            check_signature(note, keys)
        reading = read_export(file, signed, beside=checkpoint)
    except Wrong as wrong:
        typer.echo(_verdict(wrong, file, signed=signed, keys=keys))
        raise typer.Exit(1) from None
    typer.echo(
        f"Right. These are the {signed.size:,} leaves that {signed.origin} signed,"
        f" and {reading.openings:,} openings fit their leaves."
    )
    if key is None:
        say("Whose signature that is was not looked at: --key says whose it should be.")


def _verdict(
    wrong: Wrong, file: Path, *, signed: CheckpointBody, keys: list[VerifierKey] | None
) -> str:
    if isinstance(wrong, Short) and _is_whole(file, wrong.found, keys=keys):
        return (
            f"OLDER. This export is older than the checkpoint: it has all {wrong.found.size:,}"
            f" leaves that {signed.origin} had signed when it was made, and nothing in them was"
            f" changed. The checkpoint signs {signed.size:,}: ask for a new export."
        )
    named = "" if wrong.index is None else f"leaf {wrong.index}: "
    return f"WRONG. {named}{wrong.why}."


def _is_whole(file: Path, found: CheckpointBody, *, keys: list[VerifierKey] | None) -> bool:
    """Whether the checkpoint that was written beside an export signs exactly its leaves."""
    own = file.with_name(file.name + CHECKPOINT)
    try:
        note = read_note(own)
        if keys is not None:
            check_signature(note, keys)
        return _checkpoint(note, own) == found
    except (OperatorError, Wrong):
        return False


def read_export(
    file: Path, signed: CheckpointBody, *, beside: Path, keeping: bool = False
) -> ExportReader:
    """Read an export whose tree should be the signed one.

    Raise Wrong at the first leaf that is not.
    """
    reading = ExportReader(keeping=keeping)
    wrong = _read(file, reading, size=signed.size)
    if wrong is None and reading.tree.size < signed.size:
        found = CheckpointBody(signed.origin, reading.tree.size, reading.tree.root)
        wrong = Short(found, size=signed.size)
    if wrong is None and reading.tree.root == signed.root:
        return reading
    raise _first_wrong(file, signed, beside=beside, known=wrong)


def _read(file: Path, reading: ExportReader, *, size: int) -> Wrong | None:
    """Read an export to its end, or to the first leaf that is wrong by itself."""
    with _open(file) as handle, _bar(file) as progress:
        done = 0
        for line in _lines(handle):
            if reading.tree.size == size:
                return Wrong(size, f"it is one too many: the checkpoint signs {size:,} leaves")
            try:
                reading.read(line)
            except WrongLeaf as fault:
                return Wrong(fault.index, fault.why)
            done += len(line)
            if done >= STEP_BYTES:
                progress(done)
                done = 0
    return None


def _first_wrong(file: Path, signed: CheckpointBody, *, beside: Path, known: Wrong | None) -> Wrong:
    """Return the first wrong leaf, as far as it can be known.

    A leaf that was replaced whole looks like any other.
    """
    for folder in dict.fromkeys((file.parent, beside.parent)):
        for found in sorted(folder.glob("*.hashes"))[:MOST_FILES]:
            with _open(found) as reading_from:
                hashes = signed_hashes(_lines(reading_from), size=signed.size, root=signed.root)
            if hashes is None:
                continue
            with _open(file) as reading_from:
                other = first_altered_leaf(_lines(reading_from), hashes)
            if other is not None and (known is None or known.index is None or other < known.index):
                return Wrong(other, "it is not the leaf that was signed")
            break
    if known is not None:
        return known
    return Wrong(
        None,
        f"one of the {signed.size:,} leaves is not the one that was signed. Which one, the "
        ".hashes file that was"
        " written beside the export would say",
    )


def read_note(file: Path) -> Note:
    """Return the signed note in a file; raise OperatorError if it holds none."""
    try:
        with file.open(encoding="utf-8", newline="") as reading:
            return parse_written_note(reading.read(LARGEST_NOTE + 1))
    except OSError as error:
        raise OperatorError(f"{file} cannot be read: {error.strerror}.") from error
    except (NoteFault, UnicodeDecodeError) as fault:
        raise OperatorError(f"{file}: this is no signed note.") from fault


def _checkpoint(note: Note, file: Path) -> CheckpointBody:
    try:
        return parse_checkpoint(note)
    except NoteFault as fault:
        raise OperatorError(f"{file}: {fault}.") from fault


def read_key(written: str) -> VerifierKey:
    """Return a key that is written out, or the one in a file."""
    try:
        return parse_written_key(written)
    except NoteFault as fault:
        try:
            return parse_written_key(Path(written).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise OperatorError(f"--key: {fault}.") from None


def check_signature(note: Note, keys: list[VerifierKey]) -> None:
    """Raise Wrong if none of some keys signed a checkpoint."""
    if signer_of(note, keys) is None:
        raise Wrong(None, "this checkpoint is not signed by the key that should have signed it")


@contextmanager
def _open(file: Path) -> Generator[IO[bytes]]:
    try:
        with file.open("rb") as reading:
            yield reading
    except OSError as error:
        raise OperatorError(f"{file} cannot be read: {error.strerror}.") from error


def _lines(reading: IO[bytes]) -> Iterator[bytes]:
    while line := reading.readline(LONGEST_LINE):
        yield line


@contextmanager
def _bar(file: Path) -> Generator[Callable[[int], None]]:
    """Show a bar on stderr if a person watches; the yielded function takes bytes read."""
    with Bar(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("Checking", total=file.stat().st_size)
        yield lambda done: bar.advance(task, done)
