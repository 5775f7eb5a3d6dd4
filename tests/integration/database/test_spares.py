"""What a test did is gone before another uses its database, or the database is."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress

import asyncpg
import pytest

from app.errors import Unavailable
from tests.api.calls import world
from tests.conftest import Server, at, clone, country_among, plain
from tests.country import Country
from tests.integration.conftest import everything
from tests.spares import SEQUENCES, SWEEPER, TABLES, USES, Spares

Contents = Mapping[str, str | None]
"""A hash over the rows of each table, and where each sequence is."""


ROWS = "SELECT md5(string_agg(one::text, '|' ORDER BY one::text)) FROM {table} AS one"


async def contents(owner_url: str) -> Contents:
    connection = await asyncpg.connect(plain(owner_url))
    await connection.execute(f"SET ROLE {SWEEPER}")
    tables = [row["name"] for row in await connection.fetch(TABLES) if row["ours"]]
    found = {name: await connection.fetchval(ROWS.format(table=name)) for name in tables}
    for (sequence,) in await connection.fetch(SEQUENCES):
        found[sequence] = await connection.fetchval(f"TABLE {sequence}")
    await connection.close()
    return found


async def template(embedded: Server) -> Contents:
    async with clone(embedded) as name:
        return await contents(at(embedded.owner_url, name))


async def test_whatever_a_test_has_put_in_is_gone_and_the_connections_stay(
    spares: Spares, embedded: Server
) -> None:
    begins_with = await template(embedded)
    async with country_among(spares, embedded) as country:
        await everything(await world(country))
        await country.step()
        await country.rows("DELETE FROM weights")
        changed = await contents(country.owner_url)
        backends = await pids(country)
    assert sum(changed[name] != begins_with[name] for name in begins_with) > 30
    async with country_among(spares, embedded) as after:
        assert after.owner_url == country.owner_url
        assert after.key != country.key
        assert await contents(after.owner_url) == begins_with
        assert await pids(after) >= backends


async def pids(country: Country) -> set[int]:
    rows = await country.rows(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename = "
        "'plek_app'"
    )
    return {row.pid for row in rows}


async def run(country: Country, sql: str) -> None:
    await country.rows(sql)


async def take_back(country: Country, sql: str) -> None:
    async with country.owner.connection() as connection:
        await connection.execute(f"BEGIN; {sql}; ROLLBACK")


async def stay(country: Country, sql: str) -> None:
    connection = await asyncpg.connect(plain(country.app_url))
    await connection.execute(sql)
    LEFT.callback(connection.terminate)


async def stay_at_work(country: Country, sql: str) -> None:
    connection = await LEFT.enter_async_context(country.parts.database.connection())
    await connection.execute(sql)


LEFT = AsyncExitStack()
"""Lets go of what a test did not."""


@pytest.fixture(autouse=True)
async def let_go() -> AsyncGenerator[None]:
    yield
    with suppress(Unavailable):  # its database is gone by then
        await LEFT.aclose()


@pytest.mark.parametrize(
    "act, sql",
    [
        (run, "ALTER TABLE leaves DISABLE TRIGGER only_grows"),
        (run, "DROP INDEX holds_live_place_key"),
        (run, "GRANT UPDATE ON leaves TO plek_app"),
        (run, "CREATE VIEW one AS SELECT 1 AS one"),
        (run, "UPDATE municipalities SET name = name WHERE code = 'GM0518'"),
        (run, "DELETE FROM clearances WHERE ctid = '(0,1)'"),
        (run, "TRUNCATE outbox"),
        (take_back, "DROP INDEX holds_live_place_key"),
        (stay, "SELECT 1"),
        (stay_at_work, "SELECT 1"),
    ],
)
async def test_a_database_that_cannot_be_swept_is_dropped(
    spares: Spares,
    embedded: Server,
    act: Callable[[Country, str], Awaitable[None]],
    sql: str,
) -> None:
    async with country_among(spares, embedded) as country:
        await act(country, sql)
    async with country_among(spares, embedded) as after:
        assert after.owner_url != country.owner_url


async def test_a_database_is_dropped_when_it_is_old(spares: Spares, embedded: Server) -> None:
    used: list[str] = []
    for _ in range(USES + 1):
        async with country_among(spares, embedded) as country:
            used.append(country.owner_url)
    assert len(set(used)) > 1


async def test_what_a_connection_was_told_is_forgotten(spares: Spares, embedded: Server) -> None:
    told = "SET ROLE plek_app; SET search_path TO nowhere; LISTEN bell; SELECT pg_advisory_lock(1)"
    asked = (
        "SELECT current_user::text, current_setting('search_path'), array(SELECT "
        "pg_listening_channels()),"
        " (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = "
        "pg_backend_pid()), pg_backend_pid()"
    )
    async with country_among(spares, embedded) as country, country.owner.connection() as one:
        before = await one.fetchrow(asked)
        await one.execute(told)
        assert await one.fetchrow(asked) != before
    async with country_among(spares, embedded) as country, country.owner.connection() as one:
        assert await one.fetchrow(asked) == before
