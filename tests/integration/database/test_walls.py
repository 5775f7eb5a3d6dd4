"""Keys that nobody can delete, and what the doctor sees of walls that were taken down."""

from importlib import import_module

import asyncpg
import pytest
from sqlalchemy import text

from app.database import server
from app.database.transaction import WORKER
from tests.country import Country

ON_BOTH = True
SOUND = server.Walls(astray=(), off=(), open_tables=(), temporary=False, keys_kept=True)


async def walls(country: Country) -> server.Walls:
    async with country.owner.transaction() as tx:
        return await server.look_at_walls(tx)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM installation_keys",
        "TRUNCATE installation_keys",
        "UPDATE installation_keys SET name = name || ' of yesterday'",
    ],
)
async def test_no_key_of_the_installation_goes_whoever_asks(
    country: Country, statement: str
) -> None:
    kept = "SELECT array_agg(name ORDER BY name) FROM installation_keys"
    await country.rows("INSERT INTO installation_keys (name, wrapped) VALUES ('a', '\\x00')")
    before = await country.value(kept)

    with pytest.raises(asyncpg.PostgresError):
        await country.rows(statement)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with country.parts.database.transaction(actor=WORKER) as tx:
            await tx.run(text(statement))

    assert await country.value(kept) == before
    await country.rows("UPDATE installation_keys SET wrapped = wrapped")  # as a rotation does


async def test_the_application_wraps_no_key_anew(country: Country) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with country.parts.database.transaction(actor=WORKER) as tx:
            await tx.run(text("UPDATE installation_keys SET wrapped = ''"))


async def test_the_walls_of_a_new_installation_stand(country: Country) -> None:
    revoke = import_module("migrations.versions.0026_named_conditions").REVOKE_TEMPORARY
    await country.rows(revoke)  # the copy of a database begins with the rights of a new one

    assert await walls(country) == SOUND


async def test_what_was_taken_down_is_named(country: Country) -> None:
    for statement in (
        "CREATE FUNCTION led_astray() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        "ALTER TABLE access_log DISABLE TRIGGER only_grows",
        "ALTER TABLE holds NO FORCE ROW LEVEL SECURITY",
        "DROP TRIGGER never_goes ON installation_keys",
        (
            "DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO PUBLIC',"
            " current_database()); END $$"
        ),
    ):
        await country.rows(statement)

    found = await walls(country)

    assert found == server.Walls(
        astray=("led_astray",),
        off=("only_grows of access_log",),
        open_tables=("holds",),
        temporary=True,
        keys_kept=False,
    )


async def test_a_login_that_is_a_superuser_is_found_behind_the_role_that_it_takes_on(
    country: Country,
) -> None:
    """At the local ports the tests log in as one, and take on the application's role."""
    async with country.parts.database.transaction(actor=WORKER) as tx:
        [row] = await tx.rows(text("SELECT rolsuper FROM pg_roles WHERE rolname = session_user"))
        assert await server.obeys_rules(tx) is not row.rolsuper
