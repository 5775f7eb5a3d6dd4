"""A stderr to which writing never fails and hardly waits: lines that it loses are counted.

Its reader may have gone or stand still, its disk may be full, it may not be there at all. None of
this may fail or hold up what is being logged.
"""

import io
import os
import select
import threading
from contextlib import suppress
from typing import TextIO

PATIENCE_MS = 200
"""How long a full pipe may take to be emptied a little; then nothing waits for it until it is."""
AT_ONCE_BYTES = select.PIPE_BUF
"""What a pipe that takes anything takes as a whole."""
STANDARD = (0, 1, 2)


class Stderr(io.TextIOBase):
    """A text stream in front of another, or of none."""

    def __init__(self, behind: TextIO | None) -> None:
        self._behind = behind
        self._number = _number_of(behind)
        self._turn = threading.RLock()
        self._poll = select.poll()
        if self._number is not None:
            self._poll.register(self._number, select.POLLOUT)
        self._stuck = self._torn = False
        self._lost = 0

    @property
    def encoding(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride] - read only
        """UTF-8 unless the stream behind it has another one."""
        return getattr(self._behind, "encoding", None) or "utf-8"

    @property
    def errors(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride] - read only
        """Characters that the encoding lacks are written as their numbers."""
        return "backslashreplace"

    def write(self, text: str, /) -> int:
        """Write a text as far as that is possible at once."""
        with self._turn:
            if not self._put(text):
                self._lost += text.count("\n")
        return len(text)

    def take_lost(self) -> int:
        """Return how many lines were lost since this was last asked."""
        with self._turn:
            lost, self._lost = self._lost, 0
        return lost

    def writable(self) -> bool:
        """Always."""
        return True

    def isatty(self) -> bool:
        """Whether a person reads along."""
        return self._number is not None and os.isatty(self._number)

    def fileno(self) -> int:
        """Return the descriptor behind it; UnsupportedOperation if it has no descriptor."""
        return super().fileno() if self._number is None else self._number

    def _put(self, text: str) -> bool:
        if self._number is not None:
            return self._send(text.encode(self.encoding, self.errors))
        if self._behind is None:
            return False
        try:
            self._behind.write(text)
        except (OSError, ValueError):
            return False
        return True

    def _send(self, line: bytes) -> bool:
        """Write bytes to the descriptor, on a new line if the one before was cut off."""
        rest = b"\n" + line if self._torn else line
        whole = len(rest)
        try:
            while rest and self._has_room():
                rest = rest[os.write(self.fileno(), rest[:AT_ONCE_BYTES]) :]
        except OSError:
            self._stuck = True
        if len(rest) < whole:
            self._torn = bool(rest)
        return not rest

    def _has_room(self) -> bool:
        room = bool(self._poll.poll(0 if self._stuck else PATIENCE_MS))
        self._stuck = not room
        return room


def keep_standard_descriptors() -> None:
    """Put nothing where the standard streams are closed.

    The next file or socket that is opened would get the number, and what is meant for the terminal.
    """
    for number in STANDARD:
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
            os.set_inheritable(opened, True)  # noqa: FBT003 - as the library has it


def _number_of(stream: TextIO | None) -> int | None:
    if stream is None:
        return None
    with suppress(OSError, ValueError):  # in memory, or closed
        stream.flush()
        return stream.fileno()
    return None
