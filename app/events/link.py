"""The connection to Redis, which may be gone at any time.

A question to it never raises, and costs nothing while it is gone.
"""

# pyright: reportUnknownMemberType=none, reportUnknownVariableType=none
# (redis leaves its keyword arguments and its messages without types.)

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from app.events.sentinels import SCHEMES, master_pool

WAIT_S = 1
"""How long Redis may take to answer before it counts as gone."""
LEFT_ALONE_S = 5
"""How long Redis is not asked after it was gone."""
CONNECTIONS = 16
GONE = (RedisError, OSError, TimeoutError)

Answer = TypeVar("Answer")

log = structlog.get_logger()


async def whole(asked: Awaitable[Answer]) -> Answer:
    """Await a result to its end, a second or so, even if cancelled.

    A connection half made would be lost.
    """
    task = asyncio.ensure_future(asked)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        with suppress(*GONE):
            await task
        raise


class Link:
    """One process's connections to Redis.

    Several installations may share a server, each with its own prefix.
    """

    def __init__(self, url: str, *, prefix: str) -> None:
        self.url = url
        self.prefix = prefix.rstrip(":")
        make = master_pool if url.startswith(SCHEMES) else BlockingConnectionPool.from_url
        self.pool: BlockingConnectionPool = make(
            url,
            protocol=2,
            max_connections=CONNECTIONS,
            timeout=WAIT_S,
            socket_connect_timeout=WAIT_S,
            socket_timeout=WAIT_S,
            retry=Retry(NoBackoff(), 0),
        )
        self.redis = Redis(connection_pool=self.pool)
        self._left_alone_until = 0.0
        self._gone = False

    async def ask(self, question: Callable[[], Awaitable[Answer]]) -> Answer | None:
        """Ask Redis a question; None while it is gone."""
        now = asyncio.get_running_loop().time()
        if now < self._left_alone_until:
            return None
        try:
            answer = await whole(question())
        except GONE as error:
            self.note_loss(error)
            return None
        self.note_answer()
        return answer

    async def there(self) -> bool:
        """Whether Redis answers at this moment."""
        try:
            await whole(self.redis.ping())
        except GONE as error:
            self.note_loss(error)
            return False
        self.note_answer()
        return True

    def note_loss(self, error: Exception) -> None:
        """Note that Redis did not answer."""
        self._left_alone_until = asyncio.get_running_loop().time() + LEFT_ALONE_S
        if not self._gone:
            self._gone = True
            log.warning("redis_gone", kind=type(error).__name__)

    def note_answer(self) -> None:
        """Note that Redis answered."""
        self._left_alone_until = 0.0
        if self._gone:
            self._gone = False
            log.info("redis_back")

    async def close(self) -> None:
        """Close every connection."""
        await self.redis.aclose()
        await self.pool.aclose()
