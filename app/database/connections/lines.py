"""One connection to PostgreSQL: opened within seconds, ended if the server is silent.

asyncpg waits for an answer to all that it sends. Of what goes ahead of a statement without asking
for an answer of its own, it takes the answers for the statement's: so a transaction begins, and
ends with a last statement, in one round trip each. What goes ahead returns no rows.
"""

# pyright: reportUnknownMemberType=none
# (asyncpg has no types.)

import asyncio
import json
import socket
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple, cast

import asyncpg

from app.config import Settings
from app.database.connections.bounds import Bounds
from app.database.connections.hosts import Hosts

CONNECT_S = 3.0
"""How long one host may take to let Plek in."""
STATEMENTS = 2_000
"""How many different ones a connection keeps prepared; Plek has a few hundred."""
GONE = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What says that a connection cannot be used, whatever was asked of it."""
KEEPALIVE_IDLE_S, KEEPALIVE_EACH_S, KEEPALIVES = 5, 2, 3
"""A peer that is lost is asked after 5 s of silence, and given up after three questions more."""
UNSENT_MS = 10_000
"""How long what was sent may stay unacknowledged."""
OPTIONS = {
    "TCP_KEEPIDLE": KEEPALIVE_IDLE_S,
    "TCP_KEEPINTVL": KEEPALIVE_EACH_S,
    "TCP_KEEPCNT": KEEPALIVES,
    "TCP_USER_TIMEOUT": UNSENT_MS,
}
"""For the socket at this end, where the system knows them."""
WATCHED = {
    "tcp_keepalives_idle": str(KEEPALIVE_IDLE_S),
    "tcp_keepalives_interval": str(KEEPALIVE_EACH_S),
    "tcp_keepalives_count": str(KEEPALIVES),
    "tcp_user_timeout": str(UNSENT_MS),
}
"""The same for the server's end."""
TRANSACTION_TIMEOUT = 17
"""The first major version that knows a bound for whole transactions."""
SET = "SELECT set_config(name, value, false) FROM unnest($1::text[], $2::text[]) AS s (name, value)"


COMMIT = "COMMIT"
BEGIN_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
EXECUTE = b"E\x00\x00\x00\x09\x00\x00\x00\x00\x00"
BEGIN = (
    b"P\x00\x00\x00\x0d\x00BEGIN\x00\x00\x00"  # parse
    b"B\x00\x00\x00\x0c\x00\x00\x00\x00\x00\x00\x00\x00" + EXECUTE  # bind
)
"""What begins a transaction, without a sync: the server answers it with what follows."""
OUTDATED = (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError)
"""What says that a table has changed under a prepared statement."""


class Row(asyncpg.Record):
    """A row whose columns are read by name, `row.status`, or in their order, as a tuple's."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - of any type that a column has
        """Return the value of a column."""
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Said(NamedTuple):
    """A statement with its arguments; the last may be texts, ids, lists of those, or None."""

    sql: str
    arguments: Sequence[object]


class Line(asyncpg.Connection):
    """A connection that knows when its server last answered."""

    __slots__ = ("answered_at", "last")

    answered_at: float
    """In the loop's time."""
    last: Said | None
    """What is done with the commit of the present transaction; it returns nothing."""

    def allow(self, statement_s: float) -> None:
        """Give each statement so long from now on."""
        if self._config.command_timeout != statement_s:
            self._config = self._config._replace(command_timeout=statement_s)

    def heard(self) -> None:
        """Note that the server answers."""
        self.answered_at = self._loop.time()

    def say_last(self, said: Said) -> None:
        """Have a statement that returns nothing be done with the commit."""
        self.last = said

    async def begin(self: Any, first: Said | None, *, snapshot: bool) -> Row | None:
        """Begin a transaction, in one round trip with a first statement; return its first row."""
        self._check_open()
        self.last = None
        if first is None or snapshot:  # to prepare a statement takes a snapshot
            await self.execute(BEGIN_SNAPSHOT if snapshot else "BEGIN")
            return None if first is None else await self.fetchrow(*_spread(first))
        statement = await self._get_statement(first.sql, None)
        if not statement.name:  # behind a pool of connections it is sent each time
            await self.execute("BEGIN")
            return await self.fetchrow(*_spread(first))
        self._transport.write(BEGIN)
        rows = await self._protocol.bind_execute(
            statement, first.arguments, "", 0, return_extra=False, timeout=None
        )
        return rows[0]

    async def commit(self: Any) -> None:
        """Commit, in one round trip with the last statement if there is one."""
        self._check_open()
        commit = await self._get_statement(COMMIT, None)
        ahead = b""
        if self.last is not None:
            statement = await self._get_statement(self.last.sql, None)
            if statement.name:
                ahead = bind_messages(statement.name, self.last.arguments)
            else:
                await self.execute(*_spread(self.last))
        self._transport.write(ahead)
        try:
            _, status, _ = await self._protocol.bind_execute(
                commit, (), "", 0, return_extra=True, timeout=None
            )
        except OUTDATED:
            self.terminate()
            raise
        if status != b"COMMIT":
            # A statement failed, nobody minded, and so all of it has been taken back.
            raise asyncpg.InFailedSQLTransactionError


def bind_messages(name: str, arguments: Sequence[object]) -> bytes:
    """Return the messages that execute a prepared statement with arguments, as text."""
    content = bytearray(b"\0" + name.encode() + b"\0")
    content += (0).to_bytes(2) + len(arguments).to_bytes(2)
    for argument in arguments:
        text = _as_text(argument)
        if text is None:
            content += (-1).to_bytes(4, signed=True)
        else:
            sent = text.encode()
            content += len(sent).to_bytes(4) + sent
    content += (0).to_bytes(2)
    return b"B" + (len(content) + 4).to_bytes(4) + content + EXECUTE


def _as_text(value: object) -> str | None:
    """Return a value as PostgreSQL reads it: a list as an array of quoted texts."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        several = cast("Sequence[object]", value)
        quoted = (str(one).replace("\\", "\\\\").replace('"', '\\"') for one in several)
        return "{" + ",".join(f'"{one}"' for one in quoted) + "}"
    return str(value)


def _spread(said: Said) -> tuple[object, ...]:
    return (said.sql, *said.arguments)


async def open_line(hosts: Hosts, settings: Settings, bounds: Bounds) -> Any:  # noqa: ANN401 - asyncpg has no types
    """Open a connection to the first host that lets Plek in and may be used.

    Raises what the last of them said.
    """
    last: BaseException = OSError("The URL of the database names no host.")
    for url in hosts.urls:
        try:
            line = await _open(url, hosts.attrs, settings, bounds)
        except (TimeoutError, OSError, *GONE, asyncpg.CannotConnectNowError) as error:
            last = error
            continue
        return line
    raise last


async def _open(url: str, attrs: str | None, settings: Settings, bounds: Bounds) -> Any:  # noqa: ANN401 - as above
    connect: Any = asyncpg.connect
    async with asyncio.timeout(CONNECT_S):
        line: Any = await connect(
            url,
            connection_class=Line,
            record_class=Row,
            command_timeout=bounds.statement_s,
            target_session_attrs=attrs,
            **_session(settings),
        )
        try:
            _watch(line)
            await _prepare(line, settings, bounds)
        except BaseException:
            line.terminate()
            raise
    line.heard()
    return line


def _watch(line: Any) -> None:  # noqa: ANN401 - as above
    """Have the system end the connection when its peer is lost."""
    end = line._transport.get_extra_info("socket")  # noqa: SLF001 - offered under no other name
    if end is None or end.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in OPTIONS.items():
        if (option := getattr(socket, name, None)) is not None:
            end.setsockopt(socket.IPPROTO_TCP, option, value)


async def _prepare(line: Any, settings: Settings, bounds: Bounds) -> None:  # noqa: ANN401 - as above
    """Bound the server's side, and teach a new connection to read JSON; what is sent is JSON."""
    if not settings.transaction_pooling:
        wanted = WATCHED | limits(line, bounds)
        await line.execute(SET, list(wanted), list(wanted.values()))
    for name, prefix in (("json", b""), ("jsonb", b"\x01")):
        await line.set_type_codec(
            name,
            schema="pg_catalog",
            encoder=partial(_write_json, prefix),
            decoder=partial(_read_json, prefix),
            format="binary",
        )


def limits(line: Any, bounds: Bounds) -> dict[str, str]:  # noqa: ANN401 - as above
    """Return the bounds as settings that the server at the other end knows."""
    known = dict(bounds.on_server)
    if line.get_server_version().major < TRANSACTION_TIMEOUT:
        del known["transaction_timeout"]
    return known


def _write_json(prefix: bytes, document: str) -> bytes:
    return prefix + document.encode()


def _read_json(prefix: bytes, sent: bytes) -> Any:  # noqa: ANN401 - any JSON
    return json.loads(sent[len(prefix) :])


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
            # No limit on requests, none by budgets: the database allows the demo country that.
            **({} if settings.rate_limit else {"plek.budgets": "counted"}),
        },
    }
