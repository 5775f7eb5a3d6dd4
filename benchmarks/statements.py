"""What a service asks its database, noted down.

To ask it again, or to look at its plans.
"""

from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from app.database.connections.bounds import Bounds
from app.database.connections.lines import Said
from app.database.pool import Begun, First
from app.database.transaction import Database


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement as it went to the database."""

    statement: str
    values: Sequence[Any]


UNNOTED = ("ROLLBACK", "SAVEPOINT", "RELEASE")


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
            if not statement.startswith(UNNOTED):
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
    async def transaction(
        bounds: Bounds, first: First | None = None, *, snapshot: bool = False
    ) -> AsyncGenerator[Begun]:
        def noted(line: Any) -> Said:  # noqa: ANN401 - as above
            assert first is not None  # noqa: S101 - else this is not asked
            said = first(line)
            asked.append(Asked(*said))
            return said

        async with take(bounds, first and noted, snapshot=snapshot) as begun:
            yield begun._replace(line=Noted(begun.line, asked))
            if begun.line.last is not None:
                asked.append(Asked(*begun.line.last))

    pool.transaction = transaction
    try:
        yield asked
    finally:
        pool.transaction = take
