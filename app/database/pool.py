"""Connections to PostgreSQL, and the refusals when there are none."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import asyncpg

from app.config import Settings
from app.database.connections.bounds import Bounds
from app.database.connections.hosts import hosts_of
from app.database.connections.lines import GONE, Row, Said, open_line
from app.database.connections.spent_budgets import BUDGET_SPENT, refusal_of
from app.errors import Conflict, Unavailable

__all__ = ["Pool", "PoolUse", "Row", "translate_failures"]

PROOF_S = 2.0
"""How long the server may take to begin a transaction: nothing has been asked of it by then, and
another connection does as well."""
OUT_OF_REACH = ("08", "53", "57P", "25P03", "25P04", "25006")
"""SQLSTATEs of a server that is not there, or not the one to write to any more."""
TOO_SLOW = "57014"
"""The server gave a statement up, at the bound that it was told."""
TRY_LATER = ("40001", "40P01", "55P03")
"""Serialization failure, deadlock, lock time-out: another transaction had the same rows."""


First: TypeAlias = Callable[[Any], Said]
"""What a transaction begins with, on a certain connection: it must change nothing."""


class Begun(NamedTuple):
    """A transaction that has begun: its connection, and the first row of its first statement."""

    line: Any
    row: Row | None


Begin: TypeAlias = Callable[[Any], Awaitable[Begun]]


class PoolUse(NamedTuple):
    """How many of this process's database connections are in use."""

    checked_out: int
    size: int


@contextmanager
def translate_failures() -> Generator[None]:
    """Turn failures of the database into refusals in the domain's words."""
    try:
        yield
    except (TimeoutError, OSError, *GONE) as error:
        raise Unavailable from error
    except asyncpg.PostgresError as error:
        state: str = getattr(error, "sqlstate", None) or ""
        if state == BUDGET_SPENT:
            raise refusal_of(error) from error
        if state in TRY_LATER:
            raise Conflict("busy", "Somebody else is busy with this; try again.") from error
        if state == TOO_SLOW or state.startswith(OUT_OF_REACH):
            raise Unavailable from error
        raise


def is_lost(error: BaseException) -> bool:
    """Whether nothing is known of a connection any more after this, or nothing good."""
    if isinstance(error, asyncpg.PostgresError) and not isinstance(error, GONE):
        return (getattr(error, "sqlstate", None) or "").startswith(OUT_OF_REACH)
    # Cut off in the middle of a statement: what its connection would answer next is that.
    return isinstance(error, (TimeoutError, OSError, *GONE)) or not isinstance(error, Exception)


async def _take_back(line: Any, error: BaseException) -> None:  # noqa: ANN401 - asyncpg has no types
    """Roll back, or end a connection that fell silent: its server then takes everything back.

    What made it necessary is what has to be heard, and not that this failed.
    """
    if is_lost(error) or line.is_closed():
        line.terminate()
        return
    try:
        if line.is_in_transaction():
            await line.execute("ROLLBACK")
    except (TimeoutError, OSError, asyncpg.PostgresError, *GONE):
        line.terminate()


@dataclass(eq=False, slots=True)
class _Use:
    """One use of a connection, and when it has to be over."""

    until: float
    patience: asyncio.Timeout | None = None
    """While it waits for a connection."""
    line: Any = None
    timer: asyncio.TimerHandle | None = None

    def begin(self, line: Any, loop: asyncio.AbstractEventLoop) -> None:  # noqa: ANN401 - as above
        """End the connection, should it not be given back in time."""
        self.line = line
        if self.until < float("inf"):
            self.timer = loop.call_at(self.until, line.terminate)

    def end(self) -> None:
        """Leave the connection alone."""
        if self.timer is not None:
            self.timer.cancel()

    def hurry(self, until: float, loop: asyncio.AbstractEventLoop) -> None:
        """Bring the end forward."""
        if until >= self.until:
            return
        self.until = until
        if self.line is not None:
            self.end()
            self.begin(self.line, loop)
        elif self.patience is not None:
            self.patience.reschedule(until)


class Pool:
    """Connections to one database, opened as they are needed.

    Its user hears within a bound that the database does not answer: the connection is then
    ended, and so are those that have been silent for longer.
    """

    def __init__(self, url: str, settings: Settings, bounds: Bounds) -> None:
        self._hosts = hosts_of(url)
        self._settings = settings
        self._bounds = bounds
        """Of a connection until a caller asks for others."""
        self._idle: list[Any] = []
        """The one that was used last is used next."""
        self._places = asyncio.Semaphore(settings.pool_size)
        self._uses: set[_Use] = set()
        self._ends_at = float("inf")
        self.heard_at: float | None = None
        """When the database last did what it was asked, in the loop's time."""

    @asynccontextmanager
    async def transaction(
        self, bounds: Bounds, first: First | None = None, *, snapshot: bool = False
    ) -> AsyncGenerator[Begun]:
        """Begin a transaction on a connection, and commit it at the end or roll it back.

        It begins with a first statement, if there is one. With `snapshot` it only reads, and sees
        to its end what its first statement saw. TimeoutError when no connection is to be had in
        time. It is ended when the bound is over.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        use = _Use(min(began + bounds.whole_s, self._ends_at))
        self._uses.add(use)
        try:
            begin = partial(_begin, first=first, snapshot=snapshot)
            begun = await self._begin_on(use, min(began + bounds.wait_s, use.until), begin)
            line = begun.line
            try:
                line.allow(bounds.statement_s)
                use.begin(line, loop)
                yield begun
                await line.commit()
            except BaseException as error:
                await _take_back(line, error)
                raise
            finally:
                use.end()
                self._give_back(line)
        finally:
            self._uses.discard(use)

    @property
    def use(self) -> PoolUse:
        """How many connections are in use, of how many at most."""
        taken = sum(use.line is not None for use in self._uses)
        return PoolUse(taken, self._settings.pool_size)

    @property
    def idle(self) -> tuple[Any, ...]:
        """The connections that nobody uses, which stay the pool's."""
        return tuple(self._idle)

    async def reach(self) -> None:
        """Open a connection of its own and end it; raises what stands in the way."""
        with translate_failures():
            (await open_line(self._hosts, self._settings, self._bounds)).terminate()

    def hurry(self, seconds: float) -> None:
        """Have everything end by then, whatever the database does: the process stops."""
        loop = asyncio.get_running_loop()
        self._ends_at = loop.time() + seconds
        for use in tuple(self._uses):
            use.hurry(self._ends_at, loop)

    async def close(self) -> None:
        """Close every connection, those in use too."""
        for line in (*self._idle, *(use.line for use in self._uses if use.line is not None)):
            line.terminate()
        self._idle.clear()

    async def _begin_on(self, use: _Use, until: float, begin: Begin) -> Begun:
        async with asyncio.timeout_at(until) as use.patience:
            await self._places.acquire()
            try:
                return await self._find_connection(begin)
            except BaseException:
                self._places.release()
                raise

    async def _find_connection(self, begin: Begin) -> Begun:
        """Begin a transaction on an idle connection that still works, or else on a new one."""
        while self._idle:
            line = self._idle.pop()
            if line.is_closed():
                line.terminate()
            elif (begun := await self._try_connection(line, begin)) is not None:
                return begun
        return await begin(await open_line(self._hosts, self._settings, self._bounds))

    async def _try_connection(self, line: Any, begin: Begin) -> Begun | None:  # noqa: ANN401 - as above
        """Return a transaction; None where the server does not answer on that connection any more.

        Nor will it on those that were idle for longer: they are ended at once.
        """
        try:
            return await begin(line)
        except (TimeoutError, OSError, asyncpg.PostgresError, *GONE):
            for other in [one for one in self._idle if one.answered_at <= line.answered_at]:
                self._idle.remove(other)
                other.terminate()
            return None

    def _give_back(self, line: Any) -> None:  # noqa: ANN401 - as above
        if line.is_closed() or line.is_in_transaction():
            line.terminate()
        else:
            line.heard()
            self.heard_at = line.answered_at
            self._idle.append(line)
        self._places.release()


async def _begin(line: Any, *, first: First | None, snapshot: bool) -> Begun:  # noqa: ANN401 - as above
    """Begin a transaction within the time that proves a connection; end it where that fails."""
    line.allow(PROOF_S)
    try:
        return Begun(line, await line.begin(first and first(line), snapshot=snapshot))
    except BaseException:
        line.terminate()
        raise
