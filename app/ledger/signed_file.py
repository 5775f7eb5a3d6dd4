"""The newest tree that was signed, in a file beside the database that outlives a restore.

It is written before the checkpoint is stored. So it may tell of a tree that was never handed out,
but never lacks one that was.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from app.embedded import files
from app.errors import OperatorError

NAME = "signed-tree.json"
"""The file's name in the data folder."""


@dataclass(frozen=True, slots=True)
class SignedRoot:
    """A signed tree: its origin, its size in leaves, and its root in hex."""

    origin: str
    size: int
    root: str


class SignedTreeFile:
    """The file of the newest signed tree."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, data_dir: Path) -> "SignedTreeFile":
        """Return the file of an installation."""
        return cls(data_dir / NAME)

    def read(self) -> SignedRoot | None:
        """Return the tree; None without a file. OperatorError where it cannot be read."""
        try:
            return SignedRoot(**json.loads(self.path.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise OperatorError(
                f"{self.path}, which tells what the ledger has signed, cannot be read"
                f" ({type(error).__name__}); nothing is signed until it can."
            ) from error

    def write(self, signed: SignedRoot) -> None:
        """Replace the tree, so that it survives a loss of power; OperatorError if it cannot."""
        try:
            folder = self.path.parent
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            status = folder.stat()
            text = json.dumps(asdict(signed)) + "\n"
            files.write(self.path, text, owner=(status.st_uid, status.st_gid))
        except OSError as error:
            raise OperatorError(
                f"{self.path}, which tells what the ledger has signed, cannot be written:"
                f" {error.strerror}. Nothing is signed until it can."
            ) from error
