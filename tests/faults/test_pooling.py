"""Plek behind PgBouncer, where connections change hands between transactions."""

import asyncio
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
import pytest

from app.main import create_app, join
from app.seal import new_key
from tests.conftest import Server, at, clone, plain
from tests.country import (
    FIRST_LEAF,
    Client,
    Country,
    hold_first,
    open_country,
    referral_body,
    shelter,
)
from tests.faults.cli_folder import Folder

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="PgBouncer is not installed")

SETTINGS = """
[databases]
{name} = host={host} port={port} dbname={name} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
ignore_startup_parameters = extra_float_digits
"""


@contextmanager
def pooled(url: str, folder: Path) -> Generator[str]:
    """Run PgBouncer with three server connections before a database.

    Yield the URL through it.
    """
    parts = urlsplit(url)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = free.getsockname()[1]
    name = parts.path[1:]
    for above in (folder, *folder.parents[:3]):
        above.chmod(above.stat().st_mode | 0o055)
    settings = folder / "pgbouncer.ini"
    host = parse_qs(parts.query)["host"][0]
    port = parse_qs(parts.query).get("port", ["5432"])[0]
    values = {
        "user": parts.username,
        "password": unquote(parts.password or ""),
        "host": host,
        "port": port,
    }
    settings.write_text(SETTINGS.format(name=name, listen=listen, **values))
    # As root it has to be told whom to become: the account that may reach PostgreSQL's socket.
    as_root = ["-u", pwd.getpwuid(Path(host).stat().st_uid).pw_name] if os.geteuid() == 0 else []
    process = subprocess.Popen(
        [str(PGBOUNCER), "-q", *as_root, str(settings)], stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(2_400):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", listen)) == 0:
                    break
            time.sleep(0.05)
        yield f"postgresql+asyncpg://{parts.username}@127.0.0.1:{listen}/{name}"
    finally:
        process.terminate()
        process.wait(timeout=120)


@pytest.fixture
async def country(embedded: Server, tmp_path: Path) -> AsyncGenerator[Country]:
    """Open an installation whose service reaches its database through PgBouncer."""
    async with clone(embedded) as name:
        urls = {"owner_url": at(embedded.owner_url, name), "app_url": at(embedded.app_url, name)}
        async with open_country(**urls, redis_url=embedded.redis_url, key=new_key()) as opened:
            through = opened.stack.enter_context(pooled(urls["app_url"], tmp_path))
            settings = replace(opened.parts.settings, transaction_pooling=True, pool_size=8)
            parts = join(
                settings, database_url=through, redis_url=embedded.redis_url, key=opened.key
            )
            opened.stack.push_async_callback(parts.database.close)
            opened.stack.push_async_callback(parts.link.close)
            opened.app, opened.parts = create_app(parts), parts
            yield opened


async def test_the_main_job_goes_on_behind_transaction_pooling(country: Country) -> None:
    await several_households(country)


async def test_who_asks_goes_with_the_transaction_and_not_with_the_connection(
    country: Country,
) -> None:
    own: dict[str, tuple[Client, str]] = {}
    for slug in ("linde", "eik", "es"):
        client = await country.client("coordinator", "intake_worker", provider=slug)
        own[slug] = client, (await client.post("/referrals", referral_body()))["id"]

    async def look(slug: str) -> bool:
        client, referral_id = own[slug]
        return [one["id"] for one in (await client.get("/referrals"))["items"]] == [referral_id]

    assert all(await asyncio.gather(*(look(slug) for _ in range(20) for slug in own)))
    # A client that forgets to say who it is gets a connection that has just served one of these, and
    # sees nothing: no row but the signs on the doors of the providers, which are everybody's to
    # read.
    async with country.parts.database.connection() as connection:
        rows = {
            table: await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - named here
            for table in (
                "referrals",
                "referral_secrets",
                "sites",
                "places",
                "accounts",
                "access_log",
                "providers",
            )
        }
    assert rows.pop("providers") == len(own)
    assert set(rows.values()) == {0}


async def test_one_url_through_the_pooler_is_enough_for_migrating_and_serving(
    embedded: Server, tmp_path: Path
) -> None:
    name = f"plek_test_{secrets.token_hex(6)}"
    owner = await asyncpg.connect(plain(embedded.owner_url))
    await owner.execute(f'CREATE DATABASE "{name}"')
    try:
        with pooled(at(embedded.owner_url, name), tmp_path) as url:
            settings = {"DATABASE_URL": url, "PLEK_KEY": new_key(), "REDIS_URL": embedded.redis_url}
            folder = Folder(tmp_path / "var", settings)

            refused = await asyncio.to_thread(folder.run, "migrate", expect=2)
            assert "PLEK_TRANSACTION_POOLING=true" in refused.stderr

            settings["PLEK_TRANSACTION_POOLING"] = "true"
            await asyncio.to_thread(folder.run, "migrate")
            looked = await asyncio.to_thread(folder.run, "doctor", expect=1)
            lines = [line.split() for line in looked.stdout.splitlines()]
            # With one URL the owner serves too, and this server's owner is a superuser.
            assert {line[1] for line in lines if line[0] == "fail"} == {"service", "walls"}
            # Nothing that was said for a migration stays behind for the next to come.
            through = await asyncpg.connect(plain(url), statement_cache_size=0)
            left = await through.fetchval("SELECT current_setting('plek.actor', true)")
            await through.close()
            assert not left
            with folder.serving() as serving:
                assert serving.ask("/health/ready")[0] == 200
    finally:
        await owner.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await owner.close()


async def several_households(country: Country) -> None:
    there = await shelter(country, places=12)
    # Two of them: twelve holds are more than one account may have at once.
    desk = [await country.client("intake_worker", provider="haven") for _ in range(2)]

    async def one(intake: Client) -> str:
        referral = await intake.post("/referrals", referral_body())
        hold = await hold_first(intake, referral_id=referral["id"], key=secrets.token_hex(8))
        await there.coordinator.post(
            f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=200
        )
        placement = await intake.post(
            "/placements", {"holdId": hold["id"]}, key=secrets.token_hex(8)
        )
        arrival = await there.coordinator.post(f"/placements/{placement['id']}/arrival", expect=200)
        return arrival["status"]

    assert await asyncio.gather(*(one(each) for each in desk * 6)) == ["arrived"] * 12
    assert await country.value("SELECT array_agg(index ORDER BY index) FROM leaves") == list(
        range(FIRST_LEAF + 12)
    )
