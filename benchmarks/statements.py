"""What a service asks its database, noted down.

To ask it again, or to look at its plans.
"""

from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from app.database.connections.bounds import Bounds
from app.database.transaction import Database


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement as it went to the database."""

    statement: str
    values: Sequence[Any]


class Noted:
    """A connection that notes what it is asked.

    Not what is done many times in one go.
    """

    def __init__(self, connection: Any, asked: list[Asked]) -> None:  # noqa: ANN401 - asyncpg has no types
        self._connection = connection
        self._asked = asked

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as above
        """Return what the connection itself has."""
        method = getattr(self._connection, name)
        if name not in {"fetch", "fetchrow", "fetchval", "execute"}:
            return method

        async def noted(statement: str, *values: object) -> object:
            self._asked.append(Asked(statement, values))
            return await method(statement, *values)

        return noted


@contextmanager
def noting(database: Database) -> Generator[list[Asked]]:
    """Note what is asked of a database in transactions that begin in the block."""
    asked: list[Asked] = []
    pool = database._pool  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - nothing else needs it
    take = pool.transaction

    @asynccontextmanager
    async def transaction(bounds: Bounds) -> AsyncGenerator[Any]:
        async with take(bounds) as taken:
            yield Noted(taken, asked)

    pool.transaction = transaction
    try:
        yield asked
    finally:
        pool.transaction = take
