"""The state of a database, migrated or not: version, clock, tables, seals."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import asyncpg
from sqlalchemy import Text, bindparam, func, select, text

from app.database.transaction import Transaction
from app.errors import OperatorError, Refusal

if TYPE_CHECKING:
    from app.database.transaction import Database

_CONDITION = """
SELECT CAST(current_setting('server_version_num') AS integer), current_setting('server_version'),
       clock_timestamp(), to_regclass('alembic_version') IS NOT NULL
"""
_REVISION = "SELECT version_num FROM alembic_version"
_ALONE = "SELECT pg_advisory_xact_lock(hashtext('plek is being made ready'))"

DEMO = "plek is being filled with the demo country"
"""The name of an act that one process does while others wait."""
_TRY = text("SELECT pg_try_advisory_xact_lock(hashtext(:act)) AS got").bindparams(
    bindparam("act", type_=Text)
)
_WAIT = text("SELECT pg_advisory_xact_lock(hashtext(:act))").bindparams(
    bindparam("act", type_=Text)
)


@dataclass(frozen=True, slots=True)
class Condition:
    """The state of a database, as it says itself."""

    major: int
    version: str
    at: datetime
    """Its clock."""
    revision: str | None
    """The migration that it is at; None before the first."""


async def look(database: "Database") -> Condition:
    """Return the condition of a database.

    Raise OperatorError if it refuses the connection.
    """
    try:
        async with database.connection() as connection:
            row = await connection.fetchrow(_CONDITION)
            revision = await connection.fetchval(_REVISION) if row[3] else None
    except Refusal as error:
        if isinstance(error.__cause__, asyncpg.ProtocolViolationError):
            raise OperatorError(
                "What answers at DATABASE_URL or PLEK_OWNER_URL pools connections and does not "
                "take Plek's settings: set PLEK_TRANSACTION_POOLING=true."
            ) from error
        raise OperatorError(
            "The database does not answer: see DATABASE_URL, and whether the server runs."
        ) from error
    except asyncpg.PostgresError as error:
        raise OperatorError(
            f"The database does not let Plek in ({type(error).__name__}): see DATABASE_URL."
        ) from error
    return Condition(row[0] // 10_000, row[1].split()[0], row[2], revision)


@asynccontextmanager
async def alone(database: "Database") -> AsyncGenerator[None]:
    """Keep other processes from preparing this database; wait for one that does.

    It takes a connection.
    """
    # Of the transaction, not of the session: the lock must work behind a pool of connections too.
    async with database.connection() as connection:
        await connection.execute(_ALONE)
        yield


async def is_alone_with(tx: Transaction, act: str) -> bool:
    """Keep others from an act until the transaction ends; False if another is at it."""
    return (await tx.rows(_TRY, {"act": act}))[0].got


async def await_turn(tx: Transaction, act: str) -> None:
    """Wait until no other process is at an act, and keep others from it in this transaction."""
    await tx.run(_WAIT, {"act": act})


async def obeys_rules(tx: Transaction) -> bool:
    """Whether row-level security holds for who is logged in, whatever role they take on."""
    exempt = text(
        "SELECT EXISTS (SELECT FROM pg_roles AS r WHERE (r.rolsuper OR r.rolbypassrls)"
        " AND pg_has_role(session_user, r.oid, 'MEMBER')) AS exempt"
    )
    return not (await tx.rows(exempt))[0].exempt


@dataclass(frozen=True, slots=True)
class Walls:
    """What a database's own walls lack; nothing of it on a sound one."""

    astray: tuple[str, ...]
    """Functions that act as their owner and look for tables where a caller can put some."""
    off: tuple[str, ...]
    """Triggers that are switched off, with their tables."""
    open_tables: tuple[str, ...]
    """Tables with rules for rows that their owner does not obey."""
    temporary: bool
    """Whether the application's role may make tables for a session."""
    keys_kept: bool
    """Whether no key of the installation can be deleted."""


_WALLS = text("""
SELECT
  ARRAY(SELECT p.proname::text FROM pg_proc AS p
        WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
          AND NOT coalesce('search_path=pg_catalog, public, pg_temp' = ANY (p.proconfig), false)
        ORDER BY 1) AS astray,
  ARRAY(SELECT format('%s of %s', t.tgname, t.tgrelid::regclass) FROM pg_trigger AS t
        JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE c.relnamespace = 'public'::regnamespace AND t.tgenabled <> 'O' ORDER BY 1) AS off,
  ARRAY(SELECT c.relname::text FROM pg_class AS c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relrowsecurity
          AND NOT c.relforcerowsecurity ORDER BY 1) AS open_tables,
  has_database_privilege('plek_app', current_database(), 'TEMPORARY') AS temporary,
  EXISTS (SELECT FROM pg_trigger WHERE tgname = 'never_goes'
          AND tgrelid = 'public.installation_keys'::regclass) AS keys_kept
""")


async def look_at_walls(tx: Transaction) -> Walls:
    """Return what the walls lack, as their owner sees it."""
    row = (await tx.rows(_WALLS))[0]
    return Walls(
        tuple(row.astray), tuple(row.off), tuple(row.open_tables), row.temporary, row.keys_kept
    )


async def admit(tx: Transaction, user: str) -> None:
    """Give a login the rights of the application's role, unless it has them."""
    named = bindparam("user", user, type_=Text)
    has = select(func.pg_has_role(named, "plek_app", "MEMBER").label("has"))
    if not (await tx.rows(has))[0].has:
        grant = select(func.format("GRANT plek_app TO %I", named).label("statement"))
        await tx.run(text((await tx.rows(grant))[0].statement))
