"""Changes, told to every open stream of this process.

The outbox is read once, and fanned out in memory.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from app.database import outbox
from app.database.transaction import RELAY, Database
from app.events.bearers import TokenBearers
from app.events.doorbell import Doorbell
from app.events.link import Link
from app.events.stream import Beat, Event, Item, Reset, Start, Stream

__all__ = ["Beat", "Bus", "Event", "Item", "Reset", "Start"]

BEAT_S = 15
"""How long a stream may be silent."""
RECENT = 2048
"""The most events kept in memory for streams that reconnect; older ones come from the outbox."""
PAGE = 500
REPLAYS_AT_ONCE = 4
"""The most connections that streams which catch up take from requests."""


@dataclass(frozen=True, slots=True)
class _Letter:
    """An event and the providers that it concerns."""

    event: Event
    audience: frozenset[UUID] | None

    def concerns(self, provider_id: UUID) -> bool:
        return self.audience is None or provider_id in self.audience


class Bus:
    """All open streams of this process, and the position up to which the outbox was read.

    `app.worker` calls `read` and `beat` over and over for as long as the process lives.
    """

    def __init__(self, database: Database, link: Link) -> None:
        self.link = link
        self.doorbell = Doorbell(link)
        self.bearers = TokenBearers(database)
        self._database = database
        self._streams: dict[UUID, set[Stream]] = {}
        self._listening = 0
        """Streams that are open, and those that are still catching up."""
        self._position: int | None = None
        """Up to here everything has been given to the streams; None while nobody listens."""
        self._recent: deque[_Letter] = deque(maxlen=RECENT)
        """The last events up to that position, without a gap."""
        self._heard = 0
        self._turn = 0
        self._rung = asyncio.Event()
        self._finding = asyncio.Lock()
        self._replaying = asyncio.Semaphore(REPLAYS_AT_ONCE)
        self._closed = False

    @property
    def stream_count(self) -> int:
        """The number of open streams."""
        return self._listening

    def note_position(self, position: int) -> None:
        """Note the newest position, as the doorbell or this process's own relay tells it."""
        if position > self._heard:
            self._heard = position
            self._rung.set()

    def restart_if_behind(self, newest: int, *, before: int | None) -> bool:
        """Start afresh if the outbox ends before a position already read; return whether it did.

        A database restored from a backup, or a replica that lacked some rows, ends so: events told
        since then are not true any more. `before` is the position that was known before `newest`
        was asked for.
        """
        if before is None or newest >= before:
            return False
        self._position = self._heard = newest
        self._recent.clear()
        for stream in self._everyone():
            stream.restart(newest)
        return True

    @property
    def position(self) -> int | None:
        """The position up to which this process has read the outbox; None without streams."""
        return self._position

    def close(self) -> None:
        """End every stream and open no more, as the process stops."""
        self._closed = True
        for stream in self._everyone():
            stream.end()

    async def subscribe(
        self, provider_id: UUID, *, after: int | None = None
    ) -> AsyncGenerator[Item]:
        """Yield a provider's events from now or from after a position, until the process stops.

        It begins with Start, or with Reset if the position is too old (or not one of this outbox);
        Beat comes after 15 s of silence. Close it when done (`contextlib.aclosing`). Raise
        Unavailable if the outbox must be read for it and cannot be.
        """
        self._listening += 1
        try:
            reached = await self._find_position()
            if after is None or await self._keeps(after):
                reached = reached if after is None else after
                yield Start(reached)
            else:
                yield Reset(reached)
            while reached < await self._find_position():
                missed, reached = await self._read_missed(provider_id, after=reached)
                for event in missed:
                    yield event
            # Nothing is awaited between having caught up and being among the streams: no event
            # falls in between.
            with self._among_streams(provider_id, after=reached) as stream:
                while not self._closed and (item := await stream.next()) is not None:
                    yield item
        finally:
            self._listening -= 1

    @contextmanager
    def _among_streams(self, provider_id: UUID, *, after: int) -> Generator[Stream]:
        stream = Stream(after=after, turn=self._listening % BEAT_S)
        streams = self._streams.setdefault(provider_id, set())
        streams.add(stream)
        try:
            yield stream
        finally:
            streams.discard(stream)
            if not streams and self._streams.get(provider_id) is streams:
                del self._streams[provider_id]

    async def read(self) -> None:
        """Wait for the outbox to grow, and pass new events to the streams, page by page."""
        await self._rung.wait()
        while self._position is not None and self._heard > self._position:
            if self._listening == 0:
                self._position = None
                self._recent.clear()
                break
            said = self._heard
            page = await self._page(self._position)
            for entry in page:
                self._give(entry)
            if not page and self._heard == said:
                self._heard = (
                    self._position
                )  # a false alarm must not drown the true ones that follow
        self._rung.clear()

    async def beat(self) -> None:
        """Send a heartbeat to a part of the streams each second, never to all at once."""
        await asyncio.sleep(1)
        self._turn = (self._turn + 1) % BEAT_S
        for stream in list(self._everyone()):
            if stream.turn == self._turn:
                stream.beat()

    async def _page(self, position: int) -> list[outbox.Entry]:
        async with self._database.transaction(actor=RELAY) as tx:
            return await outbox.read_after(tx, position, limit=PAGE)

    def _give(self, entry: outbox.Entry) -> None:
        told = _letter(entry)
        self._recent.append(told)
        self._position = entry.position
        for stream in self._everyone() if entry.audience is None else self._of(entry.audience):
            stream.push(told.event)

    def _everyone(self) -> Iterator[Stream]:
        for streams in self._streams.values():
            yield from streams

    def _of(self, audience: frozenset[UUID]) -> Iterator[Stream]:
        for provider_id in audience:
            yield from self._streams.get(provider_id, ())

    async def _find_position(self) -> int:
        """Return the position read so far; look it up for the first stream."""
        if self._position is None:
            async with self._finding:
                if self._position is None:
                    await self._find()
        assert self._position is not None  # noqa: S101 - found above; forgotten only while nobody listens
        return self._position

    async def _find(self) -> None:
        async with self._database.transaction(actor=RELAY) as tx:
            newest = await outbox.newest(tx)
            last = await outbox.read_after(tx, newest - RECENT, upto=newest, limit=RECENT)
        self._recent.extend(_letter(entry) for entry in last)
        self._position = newest
        self._rung.set()  # a newer position that was heard of meanwhile has not been read

    def _remembers(self, after: int) -> bool:
        return bool(self._recent) and self._recent[0].event.position <= after + 1

    async def _keeps(self, after: int) -> bool:
        """Whether no event after a position has been forgotten yet."""
        if self._remembers(after) and after <= await self._find_position():
            return True
        async with self._replaying, self._database.transaction(actor=RELAY) as tx:
            # In this order: a row that is numbered in between only adds to those kept.
            newest = await outbox.newest(tx)
            oldest = await outbox.oldest(tx)
        return after == newest or (oldest is not None and oldest - 1 <= after < newest)

    async def _read_missed(self, provider_id: UUID, *, after: int) -> tuple[list[Event], int]:
        """Return a provider's events after a position, and the position that they reach."""
        upto = await self._find_position()
        if self._remembers(after):
            since = islice(self._recent, after + 1 - self._recent[0].event.position, None)
            return [told.event for told in since if told.concerns(provider_id)], upto
        async with self._replaying, self._database.transaction(actor=RELAY) as tx:
            page = await outbox.read_after(
                tx, after, upto=upto, provider_id=provider_id, limit=PAGE
            )
        return [_letter(entry).event for entry in page], page[-1].position if len(
            page
        ) == PAGE else upto


def _letter(entry: outbox.Entry) -> _Letter:
    return _Letter(Event(entry.position, entry.kind, entry.subject), entry.audience)
