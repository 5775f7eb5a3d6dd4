"""The list of erasures, a file beside the database: a restored backup knows none of them.

It has one line for each erasure, with the referral's id, the cause and the time: nothing personal.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

from app.errors import OperatorError

NAME = "erasures"
"""The file's name in the data folder."""
AT_ONCE = 1 << 20
"""Bytes written in one go, so that the lines of two processes do not mix."""


@dataclass(frozen=True, slots=True)
class ErasureRecord:
    """An erasure as the list and the database have it."""

    referral_id: UUID
    cause: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ErasureListContent:
    """The referrals that a list names, each once, and the numbers of its faulty lines."""

    ids: tuple[UUID, ...]
    faults: tuple[int, ...]
    at: Mapping[UUID, datetime] = field(default_factory=dict[UUID, datetime])
    """When each was listed last, where its line says so."""


class ErasureList:
    """The file of erasures, which only grows."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, data_dir: Path) -> "ErasureList":
        """Return the list of an installation."""
        return cls(data_dir / NAME)

    def read(self) -> ErasureListContent:
        """Return the list's content, empty without a file.

        A line that a crash cut off was never acted on.
        """
        try:
            lines = self.path.read_bytes().decode("ascii", errors="replace").split("\n")
        except FileNotFoundError:
            return ErasureListContent((), ())
        except OSError as error:
            raise OperatorError(
                f"{self.path}, the list of what was erased, cannot be read: {error.strerror}."
            ) from error
        ids: dict[UUID, None] = {}
        faults: list[int] = []
        at: dict[UUID, datetime] = {}
        for number, line in enumerate(lines, start=1):
            words = line.split()
            try:
                ids |= {UUID(word): None for word in words[:1]}
            except ValueError:
                faults.append(number)
                continue
            with suppress(ValueError):
                at |= {UUID(words[0]): datetime.fromisoformat(word) for word in words[2:3]}
        return ErasureListContent(tuple(ids), tuple(faults), at)

    def add(self, erasures: Sequence[ErasureRecord]) -> None:
        """Write erasures so that they survive a loss of power, or raise OperatorError."""
        lines = "".join(
            f"{one.referral_id} {one.cause} {one.at:%Y-%m-%dT%H:%M:%SZ}\n" for one in erasures
        )
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._append(lines.encode("ascii"))
        except OSError as error:
            raise OperatorError(
                f"{self.path}, the list of what was erased, cannot be written: {error.strerror}."
                " What is not on it is not erased: let PLEK_DATA_DIR be a folder that is kept, and"
                " this user's."
            ) from error

    def _append(self, lines: bytes) -> None:
        mode = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        with os.fdopen(os.open(self.path, mode, 0o600), "a+b", buffering=AT_ONCE) as file:
            number = file.fileno()
            before = os.fstat(number).st_size
            if os.geteuid() == 0:
                owner = self.path.parent.stat()
                os.fchown(number, owner.st_uid, owner.st_gid)
            cut_off = before > 0 and os.pread(number, 1, before - 1) != b"\n"
            file.write(b"\n" * cut_off + lines)
            file.flush()
            os.fsync(number)
        if before == 0:
            _settle(self.path.parent)


def _settle(folder: Path) -> None:
    """Make the file names in a folder survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
