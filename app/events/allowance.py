"""How many requests a minute each token has left: counted in Redis, in chunks, so that few requests have to ask it."""

import asyncio
import math
from dataclasses import dataclass, field
from typing import Any

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage

from app import clock
from app.events.link import Link

CHUNKS = 100
"""A process takes a hundredth of the limit at a time."""
CHUNK_S = 10.0
"""What it has not used after that it gives up, so that it cannot be saved up."""
REMEMBERED = 10_000


@dataclass(slots=True)
class _Chunk:
    """What this process may still let through for one key."""

    left: int = 0
    until: float = 0.0
    refused: bool = False
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class Allowance:
    """The rate limit of the installation: requests a minute and key, 0 for none.

    While Redis is gone each process counts for itself.
    """

    def __init__(self, link: Link, *, per_minute: int) -> None:
        self._link = link
        self._limit = RateLimitItemPerMinute(max(1, per_minute))
        self._per_minute = per_minute
        self._take = max(1, per_minute // CHUNKS)
        pool: Any = link.pool  # the storage hands it on to its client, and does not name its type
        self._shared = RedisStorage(
            "async+redis://", implementation="redispy", key_prefix=link.prefix, connection_pool=pool
        )
        self._own = MemoryStorage()
        self._chunks: dict[str, _Chunk] = {}

    async def spend(self, key: str) -> int:
        """Spend one request; return 0 if it is allowed, else how many whole seconds to wait.

        `key` says who is asking without saying who it is: the hash of a token, never the token.
        """
        if self._per_minute == 0:
            return 0
        chunk = self._chunk(key)
        if chunk.left <= 0 or chunk.until <= _now():
            async with chunk.asking:
                if (now := _now()) >= chunk.until or (chunk.left <= 0 and not chunk.refused):
                    await self._refill(chunk, key=key, now=now)
        if chunk.refused:
            return max(1, math.ceil(chunk.until - _now()))
        chunk.left -= 1
        return 0

    def _chunk(self, key: str) -> _Chunk:
        chunk = self._chunks.get(key)
        if chunk is None:
            if len(self._chunks) >= REMEMBERED:
                now = _now()
                self._chunks = {known: kept for known, kept in self._chunks.items() if kept.until > now}
                if len(self._chunks) >= REMEMBERED // 2:  # a flood of made-up tokens: Redis still remembers
                    self._chunks = {}
            chunk = self._chunks[key] = _Chunk()
        return chunk

    async def _refill(self, chunk: _Chunk, *, key: str, now: float) -> None:
        name = self._limit.key_for(key)
        period = self._limit.get_expiry()
        total = await self._link.ask(lambda: self._shared.incr(name, period, amount=self._take))
        storage = self._shared
        if total is None:
            storage = self._own
            total = await storage.incr(name, period, amount=self._take)
        chunk.left = min(self._take, self._per_minute - (total - self._take))
        chunk.refused = chunk.left <= 0
        chunk.until = now + CHUNK_S
        if chunk.refused:
            chunk.until = await self._ends(storage, name=name, now=now)

    async def _ends(self, storage: RedisStorage | MemoryStorage, *, name: str, now: float) -> float:
        """Return when the present minute of a key is over."""
        if isinstance(storage, RedisStorage):
            ends = await self._link.ask(lambda: storage.get_expiry(name))
        else:
            ends = await storage.get_expiry(name)
        # Redis rounds to whole seconds; a second too long is better than a client sent away twice.
        return now + min(max((ends or now) - now + 1, 1), self._limit.get_expiry())


def _now() -> float:
    return clock.now().timestamp()
