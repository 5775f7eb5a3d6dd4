"""Rate limits, counted in Redis, or by each process while Redis is gone."""

import asyncio
import math
from dataclasses import dataclass, field
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage

from app import clock
from app.events.link import Link

FAILURES_PER_MINUTE = 60
"""How often a source may come with a token that nobody bears before it is told to wait: once a
second."""
TRIES_MINUTES = 15
UNKNOWN_DEVICE_TRIES = 5
"""How often in that time a name may be tried to sign in with by all devices together that never did
before."""
KNOWN_DEVICE_TRIES = 20
"""Likewise, on a device where its owner has signed in."""
SIGNING_PER_MINUTE = 60
"""How often a source may try to sign in, on devices where the name never did before: each try costs
memory and time."""
CHUNKS = 100
"""The part of a limit that a process takes at a time, so that few requests ask Redis."""
CHUNK_S = 10.0
"""A process gives up what it has not used by then, so that it cannot be saved up."""
REMEMBERED = 10_000
ONE_SUBSCRIBER = 64
"""Bits of an IPv6 address that a subscriber cannot choose; the other half they have all of."""


class Allowance:
    """The requests and failed authentications that the installation allows a minute.

    Requests are counted by token (0 for no limit), and failures by source.
    """

    def __init__(self, link: Link, *, per_minute: int) -> None:
        self._requests = Limit(link, name="requests", per_minute=per_minute)
        # An operator who wants no limits, for a benchmark or behind a gateway, wants none of
        # these either.
        self._failures = Limit(
            link, name="failures", per_minute=FAILURES_PER_MINUTE if per_minute else 0
        )
        unknown, known, source = (
            (UNKNOWN_DEVICE_TRIES, KNOWN_DEVICE_TRIES, SIGNING_PER_MINUTE)
            if per_minute
            else (0, 0, 0)
        )
        self._tries = Limit(link, name="tries", per_minute=unknown, minutes=TRIES_MINUTES)
        self._known_tries = Limit(link, name="known-tries", per_minute=known, minutes=TRIES_MINUTES)
        self._signing = Limit(link, name="signing", per_minute=source)

    async def spend(self, key: str) -> int:
        """Spend one request; return 0 if it is allowed, else the whole seconds to wait.

        `key` tells tokens apart without giving one away: the hash of a token, never the token.
        """
        return await self._requests.spend(key)

    def knows(self, key: str) -> bool:
        """Whether this process has lately let a request of this key pass."""
        return self._requests.knows(key)

    async def count_failure(self, source: str | None) -> int:
        """Count a failed authentication; return 0, or the whole seconds to wait over the limit.

        Only failures ask this. A client with a good token is never counted, never asked for and
        never made to wait, whatever else comes from the same address: a whole desk shares one with
        all others on its network.
        """
        return await self._failures.spend(network_of(source))

    async def spend_sign_in(self, key: str, *, source: str | None, known_device: bool) -> int:
        """Spend one try to sign in; return 0 if it is allowed, else the whole seconds to wait.

        `key` is a hash: of the name that was given, whether an account has it or not; or of a
        device that its owner has signed in on, which has tries of its own that neither strangers
        nor its neighbours can use up.
        """
        if known_device:
            return await self._known_tries.spend(key)
        return await self._signing.spend(network_of(source)) or await self._tries.spend(key)


@dataclass(slots=True)
class _Chunk:
    """The requests that this process may still allow for one key."""

    left: int = 0
    until: float = 0.0
    refused: bool = False
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class Limit:
    """A limit for each key, by the minute or by some minutes; 0 for no limit."""

    def __init__(self, link: Link, *, name: str, per_minute: int, minutes: int = 1) -> None:
        self._link = link
        self._limit = RateLimitItemPerMinute(max(1, per_minute), minutes, namespace=name)
        self._per_minute = per_minute
        self._take = max(1, per_minute // CHUNKS)
        pool: Any = link.pool  # the storage hands it on to its client, and does not name its type
        self._shared = RedisStorage(
            "async+redis://", implementation="redispy", key_prefix=link.prefix, connection_pool=pool
        )
        self._own = MemoryStorage()
        self._chunks: dict[str, _Chunk] = {}

    def knows(self, key: str) -> bool:
        """Whether this process remembers the key."""
        return key in self._chunks

    async def spend(self, key: str) -> int:
        """Spend one; return 0 if it is allowed, else the whole seconds to wait.

        A key that has been refused is refused again out of this process's memory, without asking
        Redis.
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
                self._chunks = {
                    known: kept for known, kept in self._chunks.items() if kept.until > now
                }
                if (
                    len(self._chunks) >= REMEMBERED // 2
                ):  # a flood from everywhere: Redis still remembers
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
        """Return the end of the present minute of a key."""
        if isinstance(storage, RedisStorage):
            ends = await self._link.ask(lambda: storage.get_expiry(name))
        else:
            ends = await storage.get_expiry(name)
        # Redis rounds to whole seconds; a second too long is better than a client sent away twice.
        return now + min(max((ends or now) - now + 1, 1), self._limit.get_expiry())


def network_of(source: str | None) -> str:
    """Return the network that a source is counted by.

    An IPv4 address, the /64 of an IPv6 address, all unknown ones as one. A client with one address
    of a /64 has all of them, and would begin anew with each.
    """
    if source is None:
        return "unknown"
    address = ip_address(source)
    if not isinstance(address, IPv6Address):
        return str(address)
    if (
        address.ipv4_mapped is not None
    ):  # IPv4 on a socket that takes both; a /64 would be all of it
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), ONE_SUBSCRIBER), strict=False))


def _now() -> float:
    return clock.now().timestamp()
