"""A backup holds every row that there is, and is put back whole or not at all."""

import re
import tarfile
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from app.backup import archive, dump
from app.backup.archive import Archive, open_archive
from app.backup.check import check_backup
from app.backup.dump import make_backup
from app.backup.manifest import Manifest
from app.backup.programs import ConnectionSettings
from app.backup.restore import refuse_key, restore_backup
from app.backup.store import snapshot
from app.config import Settings
from app.database.transaction import Database
from app.errors import OperatorError
from app.seal import Keyring, new_key
from tests.api.calls import world
from tests.conftest import Server, at, plain
from tests.country import Country
from tests.integration.database.test_migrations import STANDS

pytestmark = pytest.mark.fresh

CHANGED = {"heads", "outbox"}
"""What a restore changes: numbers go on beyond the past."""
TABLES = (
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
)


def quiet(_task: str, _share: float | None) -> None:
    """Say nothing."""


def names(folder: Path) -> list[str]:
    """Return what is in a folder."""
    return sorted(path.name for path in folder.iterdir())


async def back_up(country: Country, path: Path) -> Manifest:
    keyring = Keyring.parse(country.key)
    return await make_backup(
        country.owner, url=country.owner_url, keyring=keyring, path=path, say=quiet
    )


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[asyncpg.Connection]:
    connection = await asyncpg.connect(plain(url))
    try:
        yield connection
    finally:
        await connection.close()


async def contents(url: str) -> dict[str, list[str]]:
    """Return every row of every table as text, whatever the rules for rows say."""
    found: dict[str, list[str]] = {}
    async with connected(url) as connection:
        whole = connection.transaction()
        await whole.start()
        for (name,) in await connection.fetch(TABLES):
            await connection.execute(f'ALTER TABLE "{name}" NO FORCE ROW LEVEL SECURITY')
            every = f'SELECT t::text AS t FROM "{name}" AS t ORDER BY 1'  # noqa: S608 - from the catalogue
            rows = await connection.fetch(every)
            found[name] = [row["t"] for row in rows]
        await whole.rollback()
    return found


async def stands(url: str) -> set[str]:
    """Return functions, rules, triggers and grants."""
    async with connected(url) as connection:
        found = [row[0] for row in await connection.fetch(STANDS)]
    # What an owner may, and the order in which rights were granted, say nothing.
    owners = re.compile(r"plek_owner$")
    return {RIGHTS.sub(in_order, text) for text in found if not owners.search(text)}


RIGHTS = re.compile(r"{([^{}]*)}$")


def in_order(rights: re.Match[str]) -> str:
    """Return the rights of a function but its owner's, in order."""
    return str(sorted(one for one in rights[1].split(",") if not one.startswith("plek_owner=")))


@asynccontextmanager
async def empty(server: Server) -> AsyncGenerator[str]:
    """Make an empty database, and return the URL of its owner."""
    name = f"plek_test_{uuid4().hex[:12]}"
    async with connected(server.owner_url) as owner:
        await owner.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        try:
            yield at(server.owner_url, name)
        finally:
            await owner.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


async def restore(backup: Archive, url: str, *, over: bool = False) -> None:
    database = Database(Settings(pool_size=1), url=url, as_owner=True)
    try:
        await restore_backup(database, backup, url=url, replace=over, say=quiet)
    finally:
        await database.close()


def forged(backup: Archive, path: Path, **changes: object) -> Archive:
    """Write the same dump under another manifest, with checksums that fit."""
    with archive.draft(path) as draft:
        for chunk in backup.dump():
            draft.add(chunk)
        draft.close_with(replace(backup.manifest, **changes))
        archive.settle(draft, path)
    return open_archive(path)


async def test_every_row_is_in_a_backup_and_comes_back_from_it_and_nothing_else_does(
    server: Server, country: Country, tmp_path: Path
) -> None:
    await world(country)
    file = tmp_path / "plek.backup"
    before = await contents(country.owner_url)
    made = await back_up(country, file)

    assert {table: len(rows) for table, rows in before.items()} == made.rows
    assert made.rows["referrals"] * made.rows["leaves"] > 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == [file.name]
    assert country.key.encode() not in file.read_bytes()
    assert made.keys == Keyring.parse(country.key).fingerprints

    backup = await check_backup(file)
    async with empty(server) as url:
        await restore(backup, url)
        after = await contents(url)
        unchanged = before.keys() - CHANGED
        assert {name: after[name] for name in unchanged} == {n: before[n] for n in unchanged}
        assert await stands(url) == await stands(country.owner_url)

        with pytest.raises(OperatorError, match="not empty"):
            await restore(backup, url)
        less = {**made.rows, "referrals": made.rows["referrals"] + 1}
        with pytest.raises(OperatorError, match="table referrals has"):
            await restore(forged(backup, tmp_path / "less", rows=less), url, over=True)
        assert await contents(url) == after
        await restore(backup, url, over=True)

    with pytest.raises(OperatorError, match="writes over another"):
        await back_up(country, file)


async def test_a_backup_is_restored_for_another_owner_and_its_rules_hold(
    server: Server, country: Country, tmp_path: Path
) -> None:
    await world(country)
    file = tmp_path / "plek.backup"
    made = await back_up(country, file)
    role = f"Owner {uuid4().hex[:6]}"
    async with empty(server) as url, connected(server.owner_url) as owner:
        name = urlsplit(url).path.removeprefix("/")
        await owner.execute(f'CREATE ROLE "{role}"')
        try:
            await owner.execute(f'GRANT plek_app TO "{role}" WITH ADMIN OPTION')
            await owner.execute(f'GRANT "{role}" TO plek_owner')
            await owner.execute(f'ALTER DATABASE "{name}" OWNER TO "{role}"')
            as_other = f"{url}&role={role.replace(' ', '%20')}"
            await restore(open_archive(file), as_other)
            async with connected(as_other) as connection:
                await connection.execute("SET plek.actor = 'operator'")
                seen = await connection.fetchval("SELECT count(*) FROM referrals")
                rules = "SELECT FROM pg_policies WHERE roles = ARRAY[current_user]"
                assert len(await connection.fetch(rules)) > 40
                assert seen == made.rows["referrals"]
            await owner.execute(f'ALTER DATABASE "{name}" OWNER TO plek_owner')
        finally:
            async with connected(url) as there:
                await there.execute(f'REASSIGN OWNED BY "{role}" TO plek_owner')
                await there.execute(f'DROP OWNED BY "{role}"')
            await owner.execute(f'DROP ROLE "{role}"')


COMING = """
CREATE TABLE coming (id int);
INSERT INTO coming VALUES (1);
ALTER TABLE coming ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
"""
HIDING = {
    "no rule": "",
    "rows of the worker": "CREATE POLICY p ON coming USING (acting() = 'worker')",
    "some rows": "CREATE POLICY p ON coming TO CURRENT_USER USING (acting() = 'operator' AND id > 1)",
    "another restricts": "CREATE POLICY p ON coming TO CURRENT_USER USING (acting() = 'operator');"
    "CREATE POLICY q ON coming AS RESTRICTIVE USING (id > 1)",
    "only writes": "CREATE POLICY p ON coming FOR INSERT TO CURRENT_USER WITH CHECK (true)",
}


async def hiding(country: Country) -> list[str]:
    async with country.owner.transaction() as tx:
        return await snapshot.hiding_tables(tx)


async def test_every_table_shows_the_operator_every_row(country: Country) -> None:
    assert await hiding(country) == []


async def test_a_table_that_may_hide_rows_from_the_operator_is_found_and_nothing_is_written(
    country: Country, tmp_path: Path
) -> None:
    async with connected(country.owner_url) as owner:
        for rule in HIDING.values():
            await owner.execute(COMING)
            await owner.execute(rule or "SELECT")
            await owner.execute("SET plek.actor = 'operator'")
            assert await owner.fetchval("SELECT count(*) FROM coming") == 0
            assert await hiding(country) == ["coming"]
            with pytest.raises(OperatorError, match="coming may hide rows"):
                await back_up(country, tmp_path / "plek.backup")
            await owner.execute("DROP TABLE coming")
    assert names(tmp_path) == []


async def test_rows_that_a_dump_lacks_are_missed_and_nothing_is_written(
    country: Country, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world(country)
    connection_settings = dump.connection_settings

    def as_nobody(url: str) -> ConnectionSettings:
        way = connection_settings(url)
        return replace(way, environment={**way.environment, "PGOPTIONS": ""})

    monkeypatch.setattr(dump, "connection_settings", as_nobody)

    with pytest.raises(OperatorError, match=r"rows are missing.* referrals \(0 of 2\)"):
        await back_up(country, tmp_path / "plek.backup")
    assert names(tmp_path) == []


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def spoil(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def claim(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b'"revision": "0', b'"revision": "1'))


def other(file: Path) -> None:
    with tarfile.open(file, "w") as tar:
        tar.add(__file__)


@pytest.mark.parametrize("harm", [cut, spoil, claim, other])
async def test_a_damaged_backup_is_refused_before_anything_is_written(
    country: Country, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    file = tmp_path / "plek.backup"
    await back_up(country, file)
    harm(file)

    with pytest.raises(OperatorError, match="no whole backup"):
        await check_backup(file)


async def test_a_backup_sealed_with_another_key_is_refused_and_a_rotated_one_is_not(
    country: Country, tmp_path: Path
) -> None:
    await world(country)
    file, another = tmp_path / "plek.backup", new_key()
    await back_up(country, file)
    backup = open_archive(file)

    refuse_key(backup, Keyring.parse(f"{another},{country.key}"), where="PLEK_KEY")
    with pytest.raises(OperatorError, match="sealed with another key"):
        refuse_key(backup, Keyring.parse(another), where="PLEK_KEY")
