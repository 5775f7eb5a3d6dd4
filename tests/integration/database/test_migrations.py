"""Files of functions and rules applied again, and the migration of older databases."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from app.errors import OperatorError
from app.schema import migrate, newest
from migrations import sql
from tests.conftest import Server, at, clone, plain

FILES = {path.stem: path.read_text() for path in Path(sql.__file__).parent.glob("*.sql")}

STANDS = """
SELECT p.proname || pg_get_functiondef(p.oid) || coalesce(p.proacl::text, '') FROM pg_proc AS p
WHERE p.pronamespace = 'public'::regnamespace
UNION ALL SELECT tablename || policyname || cmd || roles::text || coalesce(qual, '') || coalesce(with_check, '')
FROM pg_policies WHERE schemaname = 'public'
UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT c.relname || x.privilege_type || x.grantee::regrole FROM pg_class AS c, aclexplode(c.relacl) AS x
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
UNION ALL SELECT c.relname || a.attname || a.attacl::text
FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
WHERE a.attacl IS NOT NULL AND c.relnamespace = 'public'::regnamespace
ORDER BY 1
"""
"""Functions, rules for rows, triggers and grants, each as one text."""


def test_every_file_has_its_place_in_the_order_and_every_place_its_file() -> None:
    assert sorted(sql.SUBJECTS) == sorted(FILES)


def test_what_a_table_grants_and_rules_stands_in_one_file_and_a_function_too() -> None:
    tables = [table for script in FILES.values() for table in sql.tables_of(script)]
    functions = [name for script in FILES.values() for name in sql.functions_of(script)]

    assert len(tables) == len(set(tables)) > 50
    assert len(functions) == len(set(functions)) > 20


def test_a_file_is_cut_where_its_statements_end_and_not_inside_of_a_function() -> None:
    script = (
        "-- Why.\nGRANT SELECT ON a TO b;\nCREATE FUNCTION f() AS $$\nBEGIN\n  x := 1;\nEND $$;\n"
    )

    assert sql.statements(script) == [
        "-- Why.\nGRANT SELECT ON a TO b",
        "CREATE FUNCTION f() AS $$\nBEGIN\n  x := 1;\nEND $$",
    ]


@pytest.mark.parametrize("subject", sorted(FILES))
def test_every_statement_of_a_file_is_one_of_few_kinds(subject: str) -> None:
    kinds = (
        "CREATE OR REPLACE FUNCTION ",
        "CREATE OR REPLACE TRIGGER ",
        "CREATE POLICY ",
        "ALTER TABLE ",
    )
    for statement in sql.statements(FILES[subject]):
        bare = "\n".join(
            line for line in statement.splitlines() if line and not line.startswith("--")
        )
        assert bare.startswith((*kinds, "GRANT ", "REVOKE ")), bare


async def stands(url: str) -> list[str]:
    """Return what stands in a database."""
    connection = await asyncpg.connect(plain(url))
    try:
        return [row[0] for row in await connection.fetch(STANDS)]
    finally:
        await connection.close()


async def test_applying_every_file_again_changes_nothing_and_takes_back_what_no_file_says(
    embedded: Server,
) -> None:
    async with clone(embedded) as name:
        url = at(embedded.owner_url, name)
        before = await stands(url)
        owner = await asyncpg.connect(plain(url))
        await owner.execute(
            "CREATE POLICY leak ON holds FOR SELECT USING (true); GRANT TRUNCATE ON holds TO "
            "plek_app"
        )
        await owner.close()
        assert await stands(url) != before

        await asyncio.to_thread(apply_again, url)

        assert await stands(url) == before


def apply_again(url: str) -> None:
    """Apply every file, as a migration would."""
    from alembic.migration import MigrationContext  # noqa: PLC0415
    from alembic.operations import Operations  # noqa: PLC0415
    from sqlalchemy import Connection, pool  # noqa: PLC0415
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415

    def act(connection: Connection) -> None:
        with Operations.context(MigrationContext.configure(connection)):
            sql.apply_files(*sql.SUBJECTS)

    async def run() -> None:
        engine = create_async_engine(url, poolclass=pool.NullPool)
        async with engine.begin() as connection:
            await connection.run_sync(act)
        await engine.dispose()

    asyncio.run(run())


@asynccontextmanager
async def at_revision(server: Server, revision: str) -> AsyncGenerator[str]:
    """Make a database that says that it is at a revision; yield the owner's URL."""
    async with empty(server) as url:
        made = await asyncpg.connect(plain(url))
        await made.execute(
            "CREATE TABLE alembic_version (version_num varchar(32) NOT NULL PRIMARY KEY)"
        )
        await made.execute("INSERT INTO alembic_version VALUES ($1)", revision)
        await made.close()
        yield url


@asynccontextmanager
async def empty(server: Server) -> AsyncGenerator[str]:
    """Make a database with nothing in it; yield the owner's URL."""
    name = f"plek_older_{uuid4().hex[:12]}"
    owner = await asyncpg.connect(plain(server.owner_url))
    await owner.execute(f'CREATE DATABASE "{name}"')
    try:
        yield at(server.owner_url, name)
    finally:
        await owner.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await owner.close()


async def test_a_database_from_before_the_migrations_became_one_is_told_which_commit_to_run_first(
    embedded: Server,
) -> None:
    async with at_revision(embedded, "0012") as url:
        with pytest.raises(
            OperatorError,
            match=r"at migration 0012.*Run `plek migrate` of commit [0-9a-f]{40} on it",
        ):
            await asyncio.to_thread(migrate, url)


MAY_MAKE_TABLES = "SELECT has_database_privilege('plek_app', current_database(), 'TEMPORARY')"


async def test_a_database_of_the_first_migration_gets_what_stands_now(embedded: Server) -> None:
    async with clone(embedded) as name:
        stood = await stands(at(embedded.owner_url, name))
    async with empty(embedded) as url:
        await asyncio.to_thread(migrate, url, to="0025")
        owner = await asyncpg.connect(plain(url))
        await owner.execute("CREATE POLICY leak ON holds FOR SELECT USING (true)")
        assert await owner.fetchval(MAY_MAKE_TABLES)  # as in every new database

        await asyncio.to_thread(migrate, url)

        assert await stands(url) == stood
        assert not await owner.fetchval(MAY_MAKE_TABLES)
        assert await owner.fetchval("SELECT version_num FROM alembic_version") == newest()
        await owner.close()


async def test_who_does_not_own_the_database_migrates_all_the_same(embedded: Server) -> None:
    statement = import_module("migrations.versions.0026_named_conditions").REVOKE_TEMPORARY
    async with clone(embedded) as name:
        url = at(embedded.owner_url, name)
        owner = await asyncpg.connect(plain(url))
        async with owner.transaction():
            await owner.execute("SET LOCAL ROLE plek_app")
            await owner.execute(statement)
        assert await owner.fetchval(MAY_MAKE_TABLES)

        await owner.execute(statement)

        assert not await owner.fetchval(MAY_MAKE_TABLES)
        await owner.close()


async def test_who_made_a_role_and_is_no_superuser_may_take_it_on(embedded: Server) -> None:
    """Since PostgreSQL 16 who makes a role is its member, and may not take it on without more."""
    take_on = import_module("migrations.versions.0028_kept_keys").TAKE_ON
    owner = await asyncpg.connect(plain(embedded.owner_url))
    within = owner.transaction()
    await within.start()
    await owner.execute("CREATE ROLE plek_made NOLOGIN")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with owner.transaction():
            await owner.execute("SET LOCAL ROLE plek_made")

    await owner.execute(take_on.replace("plek_app", "plek_made"))

    await owner.execute("SET LOCAL ROLE plek_made")
    await within.rollback()
    await owner.close()


async def test_a_database_at_head_is_left_as_it_is(embedded: Server) -> None:
    async with at_revision(embedded, newest()) as url:
        await asyncio.to_thread(migrate, url)

        assert await stands(url) == []
