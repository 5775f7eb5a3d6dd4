"""One open stream: a bounded queue, so that a slow reader costs others nothing."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

MOST_WAITING = 256
"""The most events in a queue; a reader further behind has to start afresh."""


@dataclass(frozen=True, slots=True)
class Event:
    """A change of one subject.

    `subject` is the id of a hold, placement or swap, or for availability a region's code.
    """

    position: int
    kind: str
    subject: str


@dataclass(frozen=True, slots=True)
class Start:
    """The beginning of a stream: a reader that reconnects from this position misses nothing."""

    position: int


@dataclass(frozen=True, slots=True)
class Reset:
    """A loss of events: the reader must read everything again.

    The events that follow come after this position.
    """

    position: int


@dataclass(frozen=True, slots=True)
class Beat:
    """A sign of life."""


Item: TypeAlias = Event | Start | Reset | Beat

BEAT = Beat()


class Stream:
    """A queue of one reader, filled by the bus and never waited for."""

    __slots__ = ("_after", "_ended", "_waiter", "_waiting", "turn")

    def __init__(self, *, after: int, turn: int) -> None:
        self.turn = turn
        """In which part of a round its sign of life is due."""
        self._after = after
        """What the reader has already had."""
        self._waiting: deque[Item] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False

    def push(self, event: Event) -> None:
        """Queue an event."""
        if event.position <= self._after:
            return
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.clear()
            self._waiting.append(Reset(event.position))
            return
        self._waiting.append(event)
        self._wake()

    def restart(self, position: int) -> None:
        """Tell the reader to start afresh from a position, and forget queued events."""
        self._after = position
        self._waiting.clear()
        self._waiting.append(Reset(position))
        self._wake()

    def beat(self) -> None:
        """Queue a sign of life, unless the queue holds anything."""
        if not self._waiting:
            self._waiting.append(BEAT)
            self._wake()

    def end(self) -> None:
        """End the stream; its queued events can be asked for again."""
        self._ended = True
        self._waiting.clear()
        self._wake()

    async def next(self) -> Item | None:
        """Wait for the next event and return it; None at the end."""
        while not self._waiting:
            if self._ended:
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._waiting.popleft()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
