"""A ledger that tests keep and sign as files, and a controller's commands on them."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from app.allocation.ledger.notes import CheckpointBody, Note, VerifierKey
from app.cli import plek
from app.errors import OperatorError
from app.ledger.signed_notes import sign, verifier_of
from tests import rfc9162
from tests.faults.cli_folder import Folder

SECRET = bytes(range(32))
ORIGIN = "plek.example/nl"


def plek_in(folder: Folder | None, *words: str | Path, expect: int = 0) -> str:
    """Run a command in this process; return all that it says."""
    env = {"PLEK_DATA_DIR": str(folder.path) if folder else "/nowhere"}
    done = CliRunner().invoke(plek, [*map(str, words)], env=env)
    if isinstance(done.exception, OperatorError):
        assert expect == 2, str(done.exception)
        return str(done.exception)
    assert done.exit_code == expect, f"exit {done.exit_code}\n{done.output}{done.exception!r}"
    return done.output


def watch(state: Path, checkpoint: Path, *words: str | Path, expect: int = 0) -> str:
    return plek_in(
        None, "ledger", "witness", state, "--checkpoint", checkpoint, *words, expect=expect
    )


@dataclass
class Log:
    """A ledger that these tests keep and sign, with whatever leaves they like."""

    folder: Path

    def checkpoint(self, leaves: list[bytes], *, origin: str = ORIGIN) -> Path:
        text = CheckpointBody(origin, len(leaves), rfc9162.mth(leaves)).text()
        note = Note(text, (sign(text, SECRET, name=origin),))
        path = self.folder / f"{len(list(self.folder.iterdir()))}.checkpoint"
        path.write_text(note.to_text(), encoding="utf-8")
        return path

    def proof(self, old: int, leaves: list[bytes]) -> Path:
        path = self.folder / f"{len(list(self.folder.iterdir()))}.proof"
        hashes = [base64.b64encode(one).decode() for one in rfc9162.subproof(old, leaves, b=True)]
        path.write_text(json.dumps({"hashes": hashes}))
        return path

    def export(self, leaves: list[bytes]) -> Path:
        path = self.folder / f"{len(list(self.folder.iterdir()))}.jsonl"
        lines = [
            {"index": index, "leaf": base64.b64encode(leaf).decode(), "opening": None}
            for index, leaf in enumerate(leaves)
        ]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return path

    @property
    def key(self) -> VerifierKey:
        return verifier_of(SECRET, name=ORIGIN)


def policies(count: int, *, but: int | None = None) -> list[bytes]:
    """Return leaves, one of them another than it would be."""
    return [
        json.dumps(
            {
                "content": {"hash": "other" if at == but else "one"},
                "index": at,
                "type": "policy",
                "version": 1,
            },
            separators=(",", ":"),
        ).encode()
        for at in range(count)
    ]
