"""A snapshot of the database, as a dump and its counts see it."""

from dataclasses import dataclass

from sqlalchemy import text

from app.database.transaction import Transaction

_EXPORT = text("SELECT pg_export_snapshot() AS name")
_STAY = text("SELECT set_config(name, '0', true) FROM pg_settings WHERE name = ANY (:names)")
_LIMITS = ["statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"]
_SOURCE = text("""
SELECT current_setting('server_version_num')::integer / 10000 AS postgres, current_user AS owner,
       (SELECT version_num FROM public.alembic_version) AS revision
""")

_OWN = """
c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
AND NOT EXISTS (SELECT FROM pg_depend AS d
                WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
"""
_TABLES = text(f"""
SELECT c.relname AS name FROM pg_class AS c WHERE {_OWN} AND c.relkind = 'r' ORDER BY c.relname
""")  # noqa: S608 - the condition above

# What a rule must say so that it shows the operator every row. An expression that says the same in
# other words is not looked into: better a name too many than a row too few.
_EVERY_ROW = [
    "true",
    "(( SELECT acting() AS acting) = 'operator'::text)",
    "(acting() = 'operator'::text)",
]
_HIDING = text(f"""
WITH rule AS (
  SELECT p.polrelid, p.polpermissive, pg_get_expr(p.polqual, p.polrelid) AS shows
  FROM pg_policy AS p
  WHERE p.polcmd IN ('*', 'r')
    AND EXISTS (SELECT FROM unnest(p.polroles) AS r
                WHERE r = 0 OR pg_has_role(current_user, r, 'USAGE'))
)
SELECT c.relname AS name FROM pg_class AS c
WHERE {_OWN} AND c.relrowsecurity
  AND (c.relforcerowsecurity OR NOT pg_has_role(current_user, c.relowner, 'USAGE'))
  AND (NOT EXISTS (SELECT FROM rule
                   WHERE polrelid = c.oid AND polpermissive AND shows = ANY (:every_row))
       OR EXISTS (SELECT FROM rule WHERE polrelid = c.oid AND NOT polpermissive))
ORDER BY c.relname
""")  # noqa: S608 - as above


@dataclass(frozen=True, slots=True)
class Source:
    """What a backup is made from: the server's version, the tables' owner, the migration."""

    postgres: int
    owner: str
    revision: str


async def stay_open(tx: Transaction) -> None:
    """Let this transaction last as long as a dump does, whatever the limits of its role."""
    await tx.rows(_STAY, {"names": _LIMITS})


async def export(tx: Transaction) -> str:
    """Return the name by which a dump sees exactly what this transaction sees."""
    return (await tx.rows(_EXPORT))[0].name


async def source(tx: Transaction) -> Source:
    """Return what the transaction is connected to."""
    return Source(*(await tx.rows(_SOURCE))[0])


async def tables(tx: Transaction) -> list[str]:
    """Return the names of the tables with rows of their own."""
    return [row.name for row in await tx.rows(_TABLES)]


async def count(tx: Transaction, table: str) -> int:
    """Return how many rows of a table the snapshot has."""
    name = '"' + table.replace('"', '""') + '"'
    return (await tx.rows(text(f"SELECT count(*) AS rows FROM ONLY public.{name}")))[0].rows  # noqa: S608 - a table's name from the catalogue, quoted


async def hiding_tables(tx: Transaction) -> list[str]:
    """Return the tables whose rules do not plainly show the operator every row."""
    return [row.name for row in await tx.rows(_HIDING, {"every_row": _EVERY_ROW})]
