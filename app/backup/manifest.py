"""What a backup says of itself: when, from what, how many rows, and which key opens it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, cast

from app.errors import OperatorError

FORMAT = 1
"""Version of the arrangement of a backup's file."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The ledger's newest signed tree: its origin, its size in leaves, and its root in hex."""

    origin: str
    size: int
    root: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The contents of a backup's manifest. Keys stand in it by fingerprint, never themselves."""

    made_at: datetime
    """The database's clock when the snapshot was taken."""
    plek: str
    revision: str
    """The migration that the database was at."""
    postgres: int
    """The server's major version."""
    owner: str
    """The role that owns the tables, which their rules name."""
    keys: tuple[str, ...]
    """Fingerprints of the keys that open what is sealed in it."""
    tree: Tree | None
    """None before the first checkpoint."""
    rows: Mapping[str, int]
    """How many rows each table had in the snapshot."""
    dump_bytes: int = 0
    dump_sha256: str = field(default="")

    @property
    def total_rows(self) -> int:
        """How many rows there are in all tables."""
        return sum(self.rows.values())

    def to_bytes(self) -> bytes:
        """Return it as it stands in the file."""
        content: dict[str, Any] = {"format": FORMAT} | asdict(self)
        content["made_at"] = self.made_at.isoformat()
        return (json.dumps(content, indent=1) + "\n").encode()

    @classmethod
    def parse(cls, text: bytes) -> "Manifest":
        """Read a manifest; OperatorError where it is another release's, or none."""
        try:
            found = cast("dict[str, Any]", json.loads(text))
            known = found.pop("format")
            if known != FORMAT:
                raise OperatorError(
                    f"The backup has format {known}, and this release reads {FORMAT}: use the"
                    " release of Plek that made it, or a newer one."
                )
            found["made_at"] = datetime.fromisoformat(found["made_at"])
            found["keys"] = tuple(found["keys"])
            found["tree"] = None if found["tree"] is None else Tree(**found["tree"])
            return cls(**found)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise OperatorError("The backup's manifest cannot be read.") from error
