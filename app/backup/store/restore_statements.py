"""Statements of a restore around the script of the dump, all in one transaction."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import text

from app.database.transaction import Database, Transaction

BEGIN = """
BEGIN;
SET LOCAL lock_timeout = '60s';
SELECT pg_advisory_xact_lock(hashtext('plek is being made ready'));
"""

ROLE = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'plek_app') THEN
    CREATE ROLE plek_app NOLOGIN;
  END IF;
  IF NOT pg_has_role(current_user, 'plek_app', 'MEMBER') THEN
    EXECUTE format('GRANT plek_app TO %I', current_user);
  END IF;
END $$;
"""

# Names are gathered first: what goes along with something else has none any more.
CLEAR = """
DO $$
DECLARE statement text;
BEGIN
  FOREACH statement IN ARRAY (
    SELECT coalesce(array_agg(format('DROP TABLE IF EXISTS %s CASCADE', c.oid::regclass)), '{}')
    FROM pg_class AS c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
      AND pg_has_role(c.relowner, 'USAGE')
      AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
  ) || (
    SELECT coalesce(
      array_agg(format('DROP FUNCTION IF EXISTS %s CASCADE', p.oid::regprocedure)), '{}')
    FROM pg_proc AS p
    WHERE p.pronamespace = 'public'::regnamespace AND pg_has_role(p.proowner, 'USAGE')
      AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass
                      AND d.objid = p.oid AND d.deptype = 'e')
  )
  LOOP
    EXECUTE statement;
  END LOOP;
END $$;
"""

BEFORE_DUMP = BEGIN + CLEAR + ROLE

# What stands outside the schema, and so in no dump of it.
DATABASE = """
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_database
             WHERE datname = current_database() AND pg_has_role(datdba, 'USAGE')) THEN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
  END IF;
END $$;
"""

COUNT = """
DO $$
DECLARE found bigint;
BEGIN
  SELECT count(*) INTO found FROM ONLY public.{name};
  IF found <> {rows} THEN
    RAISE EXCEPTION 'table % has % rows, not the {rows} of the backup', '{said}', found;
  END IF;
END $$;
"""

# Every number that others may remember goes beyond what it can ever have been, even after an
# earlier restore of the same backup: there are never a million of any a second.
EPOCH = """
UPDATE public.heads
SET value = greatest(
  value + 1, (CAST(extract(epoch FROM clock_timestamp()) AS bigint) - 1577836800) << 20)
WHERE name IN ('outbox', 'register', 'reference')"""
FORGET = "DELETE FROM public.outbox WHERE position IS NOT NULL"
END_SESSIONS = """
UPDATE public.tokens SET revoked_at = clock_timestamp()
WHERE revoked_at IS NULL AND id IN (SELECT token_id FROM public.sessions)"""

NOTE = """
INSERT INTO public.heads (name, value) VALUES ('backup', {seconds})
ON CONFLICT (name) DO UPDATE SET value = excluded.value;
"""

AFTER = f"""
SET LOCAL row_security = on;
SET LOCAL search_path = public;
{EPOCH};
{FORGET};
{END_SESSIONS};
"""

COMMIT = "COMMIT;\n"

_OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
_TABLES = """
SELECT count(*) FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
"""


async def begin_epoch(tx: Transaction) -> None:
    """Do what a restore does after the rows are there."""
    for statement in (EPOCH, FORGET, END_SESSIONS):
        await tx.run(text(statement))


def after(rows: Mapping[str, int], *, made_at: datetime) -> str:
    """Return what follows the rows; it takes all of it back unless each table has its own."""
    rows_there = _counts(rows)
    return rows_there + AFTER + NOTE.format(seconds=int(made_at.timestamp())) + DATABASE + COMMIT


def _counts(rows: Mapping[str, int]) -> str:
    return "SET LOCAL row_security = on;\n" + "".join(
        COUNT.format(
            name='"' + table.replace('"', '""') + '"', rows=count, said=table.replace("'", "''")
        )
        for table, count in rows.items()
    )


async def count_others(database: Database) -> int:
    """Return how many others are connected to the database."""
    async with database.connection() as connection:
        return await connection.fetchval(_OTHERS)


async def is_empty(database: Database) -> bool:
    """Whether the database has no tables yet."""
    async with database.connection() as connection:
        return await connection.fetchval(_TABLES) == 0


async def owner(database: Database) -> str:
    """Return the role that will own what is restored."""
    async with database.connection() as connection:
        return await connection.fetchval("SELECT current_user")
