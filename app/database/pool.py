"""Connections to PostgreSQL, and what to say when there are none."""

import asyncio
import json
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, NamedTuple

import asyncpg

from app.config import Settings
from app.errors import Conflict, Unavailable

POOL_WAIT_S = 10
CONNECT_WAIT_S = 5
STATEMENTS = 2_000
"""How many different ones a connection keeps prepared; Plek has a few hundred."""
MANY = 10**9
"""Queries after which a connection would be made anew: never."""
GONE = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What says that a connection cannot be used, whatever was asked of it."""
OUT_OF_REACH = ("08", "53", "57P")
"""SQLSTATEs of a server that is not there: connection, resources, shutting down."""
TRY_LATER = ("40001", "40P01", "55P03")
"""Serialization failure, deadlock, lock time-out: somebody else was busy with the same rows."""


class Row(asyncpg.Record):
    """A row whose columns are read by name, `row.status`, or in their order, as a tuple's."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - of any type that a column has
        """Return the value of a column."""
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class PoolUse(NamedTuple):
    """How many of this process's database connections are in use."""

    checked_out: int
    size: int


@contextmanager
def refusing() -> Generator[None]:
    """Say in the domain's words what the database could not do."""
    try:
        yield
    except (TimeoutError, OSError, *GONE) as error:
        raise Unavailable from error
    except asyncpg.PostgresError as error:
        state: str = getattr(error, "sqlstate", None) or ""
        if state in TRY_LATER:
            raise Conflict("busy", "Somebody else is busy with this; try again.") from error
        if state.startswith(OUT_OF_REACH):
            raise Unavailable from error
        raise


class Pool:
    """Connections to one database, opened as they are needed.

    It begins with the first.
    """

    def __init__(self, url: str, settings: Settings) -> None:
        self._url = f"postgresql://{url.partition('://')[2]}"
        self._settings = settings
        self._wait_s, self._connect_s = POOL_WAIT_S, CONNECT_WAIT_S
        self._pool: Any = None
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Any]:
        """Take a connection, and give it back without an open transaction.

        TimeoutError when none is free.
        """
        pool = self._pool or await self._opened()
        async with pool.acquire(timeout=self._wait_s) as connection:
            yield connection

    @property
    def use(self) -> PoolUse:
        """How many connections are in use, of how many at most."""
        if self._pool is None:
            return PoolUse(0, self._settings.pool_size)
        taken = self._pool.get_size() - self._pool.get_idle_size()
        return PoolUse(taken, self._settings.pool_size)

    async def close(self) -> None:
        """Close every connection, those in use too."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.terminate()

    async def _opened(self) -> Any:  # noqa: ANN401 - asyncpg has no types
        async with self._opening:
            if self._pool is None:
                create: Any = asyncpg.create_pool
                self._pool = await create(
                    self._url,
                    min_size=0,
                    max_size=self._settings.pool_size,
                    max_queries=MANY,
                    max_inactive_connection_lifetime=0,
                    init=_init,
                    reset=_reset,
                    record_class=Row,
                    timeout=self._connect_s,
                    **_session(self._settings),
                )
            return self._pool


async def _init(connection: Any) -> None:  # noqa: ANN401 - asyncpg has no types
    """Teach a new connection to read JSON; what is sent is JSON already."""
    for name, prefix in (("json", b""), ("jsonb", b"\x01")):
        await connection.set_type_codec(
            name,
            schema="pg_catalog",
            encoder=partial(_written, prefix),
            decoder=partial(_read, prefix),
            format="binary",
        )


def _written(prefix: bytes, document: str) -> bytes:
    return prefix + document.encode()


def _read(prefix: bytes, sent: bytes) -> Any:  # noqa: ANN401 - any JSON
    return json.loads(sent[len(prefix) :])


async def _reset(_connection: Any) -> None:  # noqa: ANN401 - asyncpg has no types
    """Leave a connection as it is: whatever a transaction sets here ends with it."""


def _session(settings: Settings) -> dict[str, Any]:
    if settings.transaction_pooling:
        # A pooled server connection changes hands between transactions, and statements with it.
        return {"statement_cache_size": 0}
    return {
        "statement_cache_size": STATEMENTS,
        "max_cached_statement_lifetime": 0,
        "max_cacheable_statement_size": 0,
        # Every statement here is a look-up by key, prepared once a connection: planning it again
        # finds the same plan.
        "server_settings": {
            "application_name": "plek",
            "jit": "off",
            "plan_cache_mode": "force_generic_plan",
        },
    }
