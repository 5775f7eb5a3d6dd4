"""Databases that tests use one after another.

Each is swept clean in between, or dropped.
"""

# ruff: noqa: S608 - names as the database gave them; pools change hands

import asyncio
import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from app.database.pool import Pool
from app.database.transaction import Database
from app.embedded import account, binaries, folder, servers
from app.embedded.cluster import OWNER, Maker
from app.embedded.postgres_server import PostgresServer

SWEEPER = "plek_test_sweeper"
USES = 40
"""How often a database is used: the dead rows of so many tests are nothing, those of thousands
would be."""
ROWS = 100
"""Tables of the template with no more rows are restored; a test that changes a larger one ends its
database."""
PATIENCE_S = 0.5
"""How long the server may take to see that a client has gone."""

SWEEPERS_RIGHTS = (
    f"CREATE ROLE {SWEEPER} NOLOGIN BYPASSRLS",
    f"GRANT pg_read_all_data, pg_write_all_data TO {SWEEPER}",
    f"GRANT SET ON PARAMETER session_replication_role TO {SWEEPER}",
    f"GRANT {SWEEPER} TO {OWNER} WITH INHERIT FALSE, SET TRUE",
)
"""To delete what only grows, and what nobody else sees: only the superuser can give that."""
AS_SWEEPER = f"SET LOCAL ROLE {SWEEPER}; SET LOCAL session_replication_role = replica"

FORGET = (
    "RESET ROLE; RESET ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(), pg_stat_force_next_flush()"
)
"""Ends what a connection may have kept, except its plans; and has it write down which tables it
changed."""

TABLES = """
SELECT c.oid, c.relname AS name, c.relnamespace = 'public'::regnamespace AS ours
FROM pg_class c
WHERE c.relkind = 'r' AND NOT c.relisshared AND c.relname <> 'pg_statistic'"""
CHANGES = """
SELECT oid, pg_stat_get_tuples_inserted(oid) + pg_stat_get_tuples_updated(oid) + pg_stat_get_tuples_deleted(oid)
FROM unnest($1::oid[]) AS oid"""
"""How many rows of each table ever changed, were it in a transaction that was taken back."""
COUNT = f"SELECT count(*) FROM (SELECT FROM {{table}} LIMIT {ROWS + 1}) AS first"
CLIENTS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend'"""
SEQUENCES = "SELECT sequencename FROM pg_sequences"


def make_sweeper(data_dir: Path) -> None:
    """Make new servers' cluster, and in it the role that sweeps."""
    with servers(data_dir, durable=False):
        pass
    home, programs = folder.enter(data_dir), binaries.find()
    who = account.with_capability(
        account.choose(home.path, owned=home.postgres),
        programs=programs.executed,
        folders=[home.postgres],
    )
    server = PostgresServer(home, binaries=programs, account=who, say=print)
    with server._alone() as lock:
        Maker(programs, who, lock).tell(
            home.postgres, statements=list(SWEEPERS_RIGHTS), durable=False
        )


@dataclass
class Spare:
    """A database of one test after another, and the connections to it, whose plans stay."""

    name: str
    broom: asyncpg.Connection
    tables: Mapping[int, str | None]
    """By number: those of ours by name, and the catalogs, which have none here."""
    begins_with: Mapping[str, bytes | None]
    """What is in a table of the template that is not empty; None if that is too much to put it
    back."""
    sequences: Sequence[tuple[str, int, bool]]
    changes: Mapping[int, int] = field(default_factory=dict[int, int])
    pools: tuple[Pool, Pool] | None = None
    uses: int = 0

    @classmethod
    async def of(cls, name: str, owner_url: str) -> "Spare":
        """Look at a fresh clone of the template."""
        broom = await asyncpg.connect(owner_url)
        tables = {
            row["oid"]: row["name"] if row["ours"] else None for row in await broom.fetch(TABLES)
        }
        begins_with: dict[str, bytes | None] = {}
        sequences: list[tuple[str, int, bool]] = []
        async with broom.transaction():
            await broom.execute(AS_SWEEPER)
            for table in filter(None, tables.values()):
                if count := await broom.fetchval(COUNT.format(table=table)):
                    begins_with[table] = await _copied(broom, table) if count <= ROWS else None
            for (sequence,) in await broom.fetch(SEQUENCES):
                state = await broom.fetchrow(f"SELECT last_value, is_called FROM {sequence}")
                sequences.append((sequence, *state))
        spare = cls(name, broom, tables, begins_with, sequences)
        spare.changes = await spare._changes()
        return spare

    def lend(self, owner: Database, app: Database) -> None:
        """Let an installation use the connections of the one before it."""
        self.uses += 1
        if self.pools is None:
            self.pools = owner._pool, app._pool
        else:
            owner._pool, app._pool = self.pools

    async def swept(self) -> bool:
        """Take back what a test did.

        False where that cannot be, or it cannot be shown that it was done.
        """
        if self.uses >= USES:
            return False
        try:
            changed = await self._changed()
            if changed is None:
                return False
            await self._restore(changed)
            self.changes = await self._changes()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            return False
        return True

    async def close(self) -> None:
        """Close every connection."""
        for pool in self.pools or ():
            await pool.close()
        self.broom.terminate()

    async def _changed(self) -> list[str] | None:
        """Return the tables whose rows changed, if nothing else did, and nothing else can."""
        ours = 1
        for pool in self.pools or ():
            known = await _forgetful(pool)
            if known is None:
                return None
            ours += known
        if not await self._alone(ours):
            return None
        now = await self._changes()
        names = [self.tables[oid] for oid, changes in now.items() if changes != self.changes[oid]]
        tables = [name for name in names if name is not None]
        whole = len(tables) == len(names)
        return (
            tables
            if whole and all(self.begins_with.get(name, b"") is not None for name in tables)
            else None
        )

    async def _alone(self, ours: int) -> bool:
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while await self.broom.fetchval(CLIENTS) != ours:
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(0.01)
        return True

    async def _changes(self) -> dict[int, int]:
        await self.broom.execute(FORGET)
        return dict(await self.broom.fetch(CHANGES, list(self.tables)))

    async def _restore(self, tables: Sequence[str]) -> None:
        away = [f"DELETE FROM {table}" for table in tables]
        back = [
            f"SELECT setval('{name}', {value}, {called})" for name, value, called in self.sequences
        ]
        async with self.broom.transaction():
            await self.broom.execute("; ".join((AS_SWEEPER, *away, *back)))
            for table in tables:
                if rows := self.begins_with.get(table):
                    await self.broom.copy_to_table(table, source=_once(rows), format="binary")


async def _copied(broom: asyncpg.Connection, table: str) -> bytes:
    rows = bytearray()

    async def note(more: bytes) -> None:
        rows.extend(more)

    await broom.copy_from_table(table, output=note, format="binary")
    return bytes(rows)


async def _once(rows: bytes) -> AsyncGenerator[bytes]:
    yield rows


async def _forgetful(pool: Pool) -> int | None:
    """Have each idle connection forget.

    Return how many there are, or None where one is at work.
    """
    if pool.use.checked_out:
        return None
    connections = pool.idle
    for connection in connections:
        await connection.execute(FORGET)
    return len(connections)


class Spares:
    """The databases of one worker that nobody uses at the moment.

    All live in one event loop.
    """

    def __init__(self, maintenance: asyncpg.Connection) -> None:
        self._owner = maintenance
        self._free: list[Spare] = []

    @asynccontextmanager
    async def lent(self, *, template: str, owner_url: str) -> AsyncGenerator[Spare]:
        """Lend a database that is as the template is."""
        spare = self._free.pop() if self._free else await self._made(template, owner_url)
        kept = False
        try:
            yield spare
            kept = await spare.swept()
        finally:
            if kept:
                self._free.append(spare)
            else:
                await self._drop(spare)

    async def close(self) -> None:
        """Drop all of them."""
        for spare in self._free:
            await self._drop(spare)

    async def _made(self, template: str, owner_url: str) -> Spare:
        name = f"plek_test_{secrets.token_hex(6)}"
        await self._owner.execute(
            f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY'
        )
        return await Spare.of(name, owner_url.format(name=name))

    async def _drop(self, spare: Spare) -> None:
        await spare.close()
        await self._owner.execute(f'DROP DATABASE "{spare.name}" WITH (FORCE)')
