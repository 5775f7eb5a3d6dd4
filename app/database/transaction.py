"""Transactions on PostgreSQL: one pool a process, one transaction an edge."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy import Executable, LargeBinary, TextClause, bindparam, text

from app.config import Settings
from app.database.caller import Caller
from app.database.connections.bounds import Bounds, for_commands, for_requests, for_work
from app.database.connections.lines import Said, limits
from app.database.connections.spent_budgets import refuse_spent_budgets
from app.database.pool import Pool, PoolUse, Row, translate_failures
from app.database.snapshots import Snapshots
from app.database.statements import Values, command
from app.errors import OperatorError, Unauthenticated
from app.seal import Keyring

NOBODY = b""
WORKER, RELAY, OPERATOR = "worker", "relay", "operator"
"""Actors of transactions without a token; row-level security gives each its own rows."""

ENTERED = "enter(:token_hash, :actor, :admits_demo) AS e"


@cache
def _enter(settings: tuple[str, ...]) -> TextClause:
    """Return what a transaction begins with: who asks, and settings that hold until its end."""
    chosen = (f"set_config('{name}', :{name}, true)" for name in settings)
    return text(f"SELECT {', '.join((*chosen, 'e.*'))} FROM {ENTERED}").bindparams(  # noqa: S608 - names of settings, in this code
        bindparam("token_hash", type_=LargeBinary)
    )


T = TypeVar("T")
TRIES = 3
"""How often an act is tried if the database aborts one of two that wait for each other."""


class _NotKept(Exception):
    """A rehearsed act that is rolled back."""


@dataclass(slots=True)
class Looks:
    """The referrals that a transaction has looked at, for the access log at its end."""

    referral_ids: set[UUID] = field(default_factory=set[UUID])
    """Referrals whose seals were opened."""
    purpose: str | None = None
    """The purpose of the looks, as a code."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """An open transaction, which acts are handed, and never commit."""

    connection: Any
    """asyncpg's, with a transaction begun on it."""
    at: datetime
    """The database's clock when the transaction began."""
    register_version: int
    reference_version: int
    snapshots: Snapshots
    keys: Keyring | None = field(default=None, repr=False)
    identity: Caller | None = None
    """The account that the token belongs to, if it belongs to one."""
    actor: str = ""
    """The actor if no account acts: worker, relay, operator, or none."""
    looks: Looks = field(default_factory=Looks)
    after_commit: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])
    """Acts of this process that follow the commit, and only that."""
    written: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once rows of the outbox have been committed: wakes this process's relay."""

    @property
    def caller(self) -> Caller:
        """The account on whose behalf the transaction acts.

        Raise Unauthenticated if there is none.
        """
        if self.identity is None:
            raise Unauthenticated
        return self.identity

    @property
    def keyring(self) -> Keyring:
        """The installation's keys; OperatorError in a process that was given none."""
        if self.keys is None:
            raise OperatorError("Nothing sealed can be read here: this process has no key.")
        return self.keys

    @property
    def sees_register(self) -> bool:
        """Whether staff, the worker or the operator acts, who see every row of the register."""
        staff = self.identity is not None and self.identity.provider_id is not None
        return staff or (self.identity is None and self.actor in {WORKER, OPERATOR})

    @property
    def stored_registers(self) -> set[str]:
        """Hashes of registers that this process knows to be stored for good."""
        return self.snapshots.recorded

    def say_last(self, said: Said) -> None:
        """Have a statement that returns nothing be done with the commit."""
        self.connection.say_last(said)

    def wrote_outbox(self) -> None:
        """Wake this process's relay after the commit."""
        if self.written.set not in self.after_commit:
            self.after_commit.append(self.written.set)

    @asynccontextmanager
    async def attempt(self) -> AsyncGenerator[None]:
        """Roll back a block that is refused, and only that block.

        The transaction goes on.
        """
        meant = len(self.after_commit)
        await self.connection.execute("SAVEPOINT attempt")
        try:
            with refuse_spent_budgets():
                yield
        except BaseException:
            del self.after_commit[meant:]
            if not self.connection.is_closed():
                await self.connection.execute(
                    "ROLLBACK TO SAVEPOINT attempt; RELEASE SAVEPOINT attempt"
                )
            raise
        await self.connection.execute("RELEASE SAVEPOINT attempt")

    @asynccontextmanager
    async def rehearsal(self, *, keep: bool) -> AsyncGenerator[None]:
        """Roll back a block unless it succeeds and is to be kept."""
        with suppress(_NotKept):
            async with self.attempt():
                yield
                if not keep:
                    raise _NotKept

    async def whole(self, act: Callable[[], Awaitable[T]]) -> T:
        """Do an act as a whole, or roll it back and try again.

        Locks that were taken before it stay.
        """
        for tries_left in reversed(range(TRIES)):
            try:
                async with self.attempt():
                    return await act()
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                if not tries_left:
                    raise
        raise AssertionError  # pragma: no cover - the last try returned or raised

    async def rows(self, statement: Executable, values: Values | None = None) -> list[Row]:
        """Run a statement and return its rows."""
        sql, arguments = command(statement, values).call(values)
        return await self.connection.fetch(sql, *arguments)

    async def row(self, statement: Executable, values: Values | None = None) -> Row | None:
        """Run a statement and return its first row, if any."""
        sql, arguments = command(statement, values).call(values)
        return await self.connection.fetchrow(sql, *arguments)

    async def run(self, statement: Executable, values: Values | None = None) -> int:
        """Run a statement and return how many rows it changed."""
        sql, arguments = command(statement, values).call(values)
        # Its status ends with the number: `UPDATE 3`, `INSERT 0 1`.
        _, _, changed = (await self.connection.execute(sql, *arguments)).rpartition(" ")
        return int(changed) if changed.isdecimal() else 0

    async def run_each(self, statement: Executable, each: Sequence[Values]) -> None:
        """Run a statement once for each of some values that have the same names, in one go."""
        if each:
            made = command(statement, each[0], many=True)
            await self.connection.executemany(made.sql, [made.call(values)[1] for values in each])


class Database:
    """A pool of connections, and the only place where transactions begin and end."""

    def __init__(
        self,
        settings: Settings,
        *,
        url: str,
        keyring: Keyring | None = None,
        as_owner: bool = False,
    ) -> None:
        self._keyring = keyring
        self._assume_role = None if as_owner else settings.assume_role
        self._actor = OPERATOR if as_owner else ""
        self._admits_demo = settings.embedded
        """A demo dump restored into a database that is not Plek's own lets nobody in."""
        self._bounds = for_commands(settings) if as_owner else for_requests(settings)
        self._lasting = self._bounds if as_owner else for_work(settings)
        self._pooled = settings.transaction_pooling
        self._pool = Pool(url, settings, self._bounds)
        self.snapshots = Snapshots()
        self.written = asyncio.Event()
        """Set whenever a transaction of this process left rows in the outbox."""

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Any]:
        """Open a transaction in a database that may not have been looked at yet."""
        with translate_failures():
            async with self._pool.transaction(self._bounds) as begun:
                yield begun.line

    @property
    def use(self) -> PoolUse:
        """The use of this process's pool."""
        return self._pool.use

    @property
    def heard_at(self) -> float | None:
        """When the database last did what it was asked, in the loop's time; None: never yet."""
        return self._pool.heard_at

    async def reach(self) -> None:
        """Reach the database beside the pool; Unavailable where that cannot be done either."""
        await self._pool.reach()

    def hurry(self, seconds: float) -> None:
        """Have every transaction end by then, as the process stops: what waits is refused."""
        self._pool.hurry(seconds)

    @asynccontextmanager
    async def transaction(
        self,
        token_hash: bytes = NOBODY,
        *,
        actor: str = "",
        source: str | None = None,
        request_id: str | None = None,
        snapshot: bool = False,
        lasting: bool = False,
    ) -> AsyncGenerator[Transaction]:
        """Open a transaction as the bearer of the token.

        Commit at the end, roll back on any exception. With `snapshot` it only reads, and sees to
        its end what its first statement saw.

        `identity` is None if no account bears it: such a transaction sees what its actor may see,
        and without one what anyone may see. The owner's is the operator's. A `lasting`
        one has the bounds of work that no request waits for.
        """
        bounds = self._lasting if lasting else self._bounds
        enter = partial(self._enter, token_hash, actor or self._actor, bounds)
        with translate_failures():
            async with self._pool.transaction(bounds, enter, snapshot=snapshot) as begun:
                row = begun.row
                assert row is not None  # noqa: S101 - the function always returns one
                tx = Transaction(
                    connection=begun.line,
                    at=row["at"],
                    register_version=row["register_version"],
                    reference_version=row["reference_version"],
                    snapshots=self.snapshots,
                    keys=self._keyring,
                    identity=_identity(row, source=source, request_id=request_id),
                    actor=actor or self._actor,
                    written=self.written,
                )
                yield tx
        for act in tx.after_commit:
            act()

    def _enter(self, token_hash: bytes, actor: str, bounds: Bounds, line: Any) -> Said:  # noqa: ANN401 - asyncpg has no types
        """Return the first statement of a transaction on a connection: who asks."""
        chosen = self._choose_settings(line, bounds)
        values: dict[str, object] = {
            "token_hash": token_hash,
            "actor": actor,
            "admits_demo": self._admits_demo,
            **chosen,
        }
        return Said(*command(_enter(tuple(chosen)), values).call(values))

    def _choose_settings(self, connection: Any, bounds: Bounds) -> dict[str, str]:  # noqa: ANN401 - asyncpg has no types
        """Return the settings that this transaction does not find on its connection."""
        chosen = {"role": self._assume_role} if self._assume_role else {}
        if self._pooled or bounds is not self._bounds:
            chosen |= limits(connection, bounds)
        return chosen

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()


def _identity(row: Row, *, source: str | None, request_id: str | None) -> Caller | None:
    if row.account_id is None:
        return None
    return Caller(
        account_id=row.account_id,
        token_id=row.token_id,
        roles=frozenset(row.roles),
        provider_id=row.provider_id,
        region=row.region,
        source=source,
        request_id=request_id,
    )
