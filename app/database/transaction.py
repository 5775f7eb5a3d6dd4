"""The way to PostgreSQL: one pool a process, one transaction an edge, and who is asking as its first statement."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy import Executable, LargeBinary, bindparam, text
from sqlalchemy.engine import CursorResult, Row
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.config import Settings
from app.database.caller import Caller
from app.database.snapshots import Snapshots
from app.errors import Conflict, OperatorError, Unauthenticated, Unavailable
from app.seal import Keyring

POOL_WAIT_S = 10
CONNECT_WAIT_S = 5
NOBODY = b""
WORKER, RELAY, OPERATOR = "worker", "relay", "operator"
"""What a transaction can act as when no token says who asks; row-level security gives each its own rows."""

ENTER = text("SELECT * FROM enter(:token_hash, :actor, :admits_demo)").bindparams(
    bindparam("token_hash", type_=LargeBinary)
)
ENTER_ASSUMING = text(
    "SELECT set_config('role', :role, true), e.* FROM enter(:token_hash, :actor, :admits_demo) AS e"
).bindparams(bindparam("token_hash", type_=LargeBinary))
TRY_LATER = ("40001", "40P01", "55P03")
"""Serialization failure, deadlock, lock time-out: somebody else was busy with the same rows."""


@dataclass(slots=True)
class Looks:
    """What of somebody's a transaction has looked at so far: the access log has it at the end."""

    referral_ids: set[UUID] = field(default_factory=set[UUID])
    """Referrals whose seals were opened."""
    purpose: str | None = None
    """What it was about, as a code."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """An open transaction: what services are handed, and never commit."""

    connection: AsyncConnection
    at: datetime
    """The database's clock when the transaction was entered."""
    register_version: int
    reference_version: int
    snapshots: Snapshots
    keys: Keyring | None = field(default=None, repr=False)
    identity: Caller | None = None
    """The account that the token belongs to, if it belongs to one."""
    actor: str = ""
    """Who acts where no account does: worker, relay, operator, or nobody."""
    looks: Looks = field(default_factory=Looks)
    after_commit: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])
    """What to do in this process once, and only if, all of it has become true."""
    written: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once rows for others to hear of have been committed: wakes this process's relay."""

    @property
    def caller(self) -> Caller:
        """The account on whose behalf all of this is done; Unauthenticated where there is none."""
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
        """Whether every row of the register is visible here: to staff, the worker and the operator."""
        staff = self.identity is not None and self.identity.provider_id is not None
        return staff or (self.identity is None and self.actor in {WORKER, OPERATOR})

    @property
    def stored_registers(self) -> set[str]:
        """Hashes of registers that this process knows to be stored for good."""
        return self.snapshots.recorded

    def wrote_outbox(self) -> None:
        """Wake this process's relay when the transaction has become true."""
        if self.written.set not in self.after_commit:
            self.after_commit.append(self.written.set)

    @asynccontextmanager
    async def attempt(self) -> AsyncGenerator[None]:
        """Take back what is done in it where it is refused, and only that: the transaction goes on."""
        meant = len(self.after_commit)
        try:
            async with self.connection.begin_nested():
                yield
        except BaseException:
            del self.after_commit[meant:]
            raise

    async def rows(
        self, statement: Executable, values: Mapping[str, Any] | None = None
    ) -> list[Row[Any]]:
        """Run a statement and return its rows."""
        return list((await self.connection.execute(statement, values)).all())

    async def row(
        self, statement: Executable, values: Mapping[str, Any] | None = None
    ) -> Row[Any] | None:
        """Run a statement and return its first row, if any."""
        return (await self.connection.execute(statement, values)).first()

    async def run(
        self, statement: Executable, values: Mapping[str, Any] | list[dict[str, Any]] | None = None
    ) -> int:
        """Run a statement and return how many rows it changed."""
        result: CursorResult[Any] = await self.connection.execute(statement, values)
        return result.rowcount


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
        self.engine = _engine(url, settings)
        self.snapshots = Snapshots()
        self.written = asyncio.Event()
        """Set whenever a transaction of this process left rows in the outbox."""

    @asynccontextmanager
    async def entered(
        self,
        token_hash: bytes = NOBODY,
        *,
        actor: str = "",
        source: str | None = None,
        request_id: str | None = None,
    ) -> AsyncGenerator[Transaction]:
        """Open a transaction as whoever bears the token; commit at the end, roll back on any exception.

        `identity` is None where nobody bears it: such a transaction sees what its actor may see,
        and without one what anyone may see. The owner's is the operator's.
        """
        with refusing():
            async with self.engine.connect() as connection:
                values: dict[str, object] = {
                    "token_hash": token_hash,
                    "actor": actor or self._actor,
                    "admits_demo": self._admits_demo,
                }
                if self._assume_role:
                    values["role"] = self._assume_role
                result = await connection.execute(
                    ENTER_ASSUMING if self._assume_role else ENTER, values
                )
                row = result.one()
                tx = Transaction(
                    connection=connection,
                    at=row.at,
                    register_version=row.register_version,
                    reference_version=row.reference_version,
                    snapshots=self.snapshots,
                    keys=self._keyring,
                    identity=_identity(row, source=source, request_id=request_id),
                    actor=actor or self._actor,
                    written=self.written,
                )
                yield tx
                await connection.commit()
        for act in tx.after_commit:
            act()

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def _identity(row: Row[Any], *, source: str | None, request_id: str | None) -> Caller | None:
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


@contextmanager
def refusing() -> Generator[None]:
    """Say in the domain's words what the database could not do."""
    try:
        yield
    except (
        PoolTimeout,
        TimeoutError,
        OSError,
        asyncpg.PostgresConnectionError,
        InterfaceError,
    ) as error:
        raise Unavailable from error
    except asyncpg.PostgresError as error:
        if _out_of_reach(getattr(error, "sqlstate", None)):
            raise Unavailable from error
        raise
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state in TRY_LATER:
            raise Conflict("busy", "Somebody else is busy with this; try again.") from error
        if error.connection_invalidated or _out_of_reach(state):
            raise Unavailable from error
        raise


def _out_of_reach(state: str | None) -> bool:
    """Whether an SQLSTATE says that the server is not there (08: connection, 53: resources, 57P: shutting down)."""
    return state is not None and (state.startswith(("08", "53", "57P")))


def _engine(url: str, settings: Settings) -> AsyncEngine:
    connect: dict[str, Any] = {"timeout": CONNECT_WAIT_S}
    if settings.transaction_pooling:
        # A pooled server connection changes hands between transactions, and names of statements
        # with it.
        connect |= {
            "statement_cache_size": 0,
            "prepared_statement_cache_size": 0,
            "prepared_statement_name_func": lambda: f"__plek_{uuid4()}__",
        }
    else:
        # Every statement here is a look-up by key, prepared once a connection: planning it again
        # finds the same plan.
        connect["server_settings"] = {
            "application_name": "plek",
            "jit": "off",
            "plan_cache_mode": "force_generic_plan",
        }
    return create_async_engine(
        url,
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_S,
        connect_args=connect,
        hide_parameters=True,
    )
