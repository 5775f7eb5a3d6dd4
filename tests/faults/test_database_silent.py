"""The database may fall silent: nothing is refused, and nothing comes back.

Every request is answered within its bound all the same, and all goes on once it is there again.
"""

import asyncio
import signal
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from app import health, worker
from app.config import Settings
from app.database import outbox, pool
from app.database.connections import lines
from app.database.transaction import WORKER
from app.deps import Parts
from app.embedded import EmbeddedServers
from app.main import create_app, join
from app.seal import new_key
from tests.api.live_service import following, served
from tests.conftest import Server
from tests.country import Country, open_country
from tests.faults.conftest import Copy
from tests.faults.silences import Firewall, firewall, frozen, socket_of, through

PATIENCE_S = 60
ANSWER_S, STATEMENT_S = 3.0, 1.0
SLACK_S = 4.0
"""What a busy machine may add to a bound."""
AT_ONCE = 16
"""More than there are connections."""


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be as patient as it takes to see the difference."""
    monkeypatch.setattr(pool, "PROOF_S", 0.5)
    monkeypatch.setattr(lines, "CONNECT_S", 1.0)
    monkeypatch.setattr(worker, "LONGEST_PAUSE_S", 1.0)


@dataclass(frozen=True)
class Scene:
    """A process with a worker that serves, and a client that asks it."""

    http: httpx.AsyncClient
    base: str
    parts: Parts
    token: str

    async def ask(self) -> httpx.Response:
        """Ask for what needs the database."""
        return await self.http.get("/v1/sites")

    async def storm(self) -> list[int]:
        """Ask many times at once; each is answered within the bound, and honestly."""
        async with asyncio.timeout(ANSWER_S + SLACK_S):
            answers = await asyncio.gather(*(self.ask() for _ in range(AT_ONCE)))
        for answer in answers:
            if answer.status_code == 503:
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.json()["code"] == "unavailable"
                assert int(answer.headers["retry-after"]) > 0
        return [answer.status_code for answer in answers]


@asynccontextmanager
async def scene(country: Country, url: str, **more: float) -> AsyncGenerator[Scene]:
    """Serve a country from a process that reaches its database at that URL."""
    settings = replace(
        country.parts.settings, answer_s=ANSWER_S, statement_s=STATEMENT_S, work_s=STATEMENT_S
    )
    parts = join(
        replace(settings, **more),
        database_url=url,
        redis_url=country.parts.link.url,
        key=country.key,
    )
    token = await country.token("coordinator", provider="linde")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(parts.database.close)
        base = await stack.enter_async_context(served(create_app(parts)))
        http = await stack.enter_async_context(
            httpx.AsyncClient(
                base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE_S
            )
        )
        yield Scene(http, base, parts, token)


@pytest.fixture
async def between(embedded: Server) -> AsyncGenerator[Firewall]:
    """Stand before the tests' PostgreSQL."""
    async with firewall(socket_of(embedded.app_url)) as standing:
        yield standing


async def due(country: Country) -> object:
    """Return what changes whenever the sweeper has done its work."""
    return await country.value("SELECT due_at FROM timers WHERE name = 'sweep'")


async def test_connections_that_are_swallowed_cost_no_more_than_the_bound(
    country: Country, between: Firewall
) -> None:
    async with (
        scene(country, through(country.app_url, between.address)) as there,
        following(there.base, there.token) as stream,
    ):
        assert set(await there.storm()) == {200}

        between.swallow()  # connections that were idle: not one request fails
        assert set(await there.storm()) == {200}

        storm = asyncio.create_task(there.storm())
        await asyncio.sleep(0.02)
        between.swallow()  # and those in the middle of something
        assert set(await storm) <= {200, 503}
        assert set(await there.storm()) == {200}

        swept = await due(country)
        async with country.parts.database.transaction(actor=WORKER) as tx:
            await outbox.add(tx, kind="swap", subject="told after all", audience=None)
        while (told := await stream.next()) is not None and told.kind != "swap":
            pass
        assert told is not None
        async with asyncio.timeout(15):
            while await due(country) == swept:
                await asyncio.sleep(0.05)


@pytest.fixture
def folder(migrated: Copy) -> Path:
    return migrated().path


@pytest.fixture
def servers(folder: Path) -> Generator[EmbeddedServers]:
    started = EmbeddedServers(folder, durable=False)
    yield started
    started.stop()


@pytest.fixture
async def own(servers: EmbeddedServers) -> AsyncGenerator[Country]:
    """Open an installation on servers that this test may freeze."""
    at = servers.start()
    async with open_country(
        owner_url=at.owner_url, app_url=at.database_url, redis_url=at.redis_url, key=new_key()
    ) as country:
        yield country


async def test_a_frozen_server_is_answered_for_and_serves_again_at_once(
    own: Country, folder: Path
) -> None:
    async with scene(own, own.app_url) as there:
        assert set(await there.storm()) == {200}

        with frozen(folder):
            assert set(await there.storm()) == {503}
            assert (await there.http.get("/health/ready")).status_code == 503
            assert (await there.http.get("/health/live")).status_code == 200

        async with asyncio.timeout(15):
            while (await there.ask()).status_code != 200:
                await asyncio.sleep(0.05)


async def test_who_waits_for_a_frozen_server_is_answered_before_the_process_stops(
    own: Country, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "HURRY_S", 1.0)
    kill = signal.raise_signal
    # A server hands the signal on once it has stopped.
    monkeypatch.setattr(signal, "raise_signal", lambda _number: None)
    async with scene(own, own.app_url, answer_s=PATIENCE_S, statement_s=PATIENCE_S) as there:
        assert set(await there.storm()) == {200}
        with frozen(folder):
            asked = [asyncio.create_task(there.ask()) for _ in range(AT_ONCE)]
            await asyncio.sleep(0.3)
            kill(signal.SIGTERM)
            async with asyncio.timeout(SLACK_S):
                answers = await asyncio.gather(*asked)
    assert {answer.status_code for answer in answers} == {503}


async def test_a_process_that_only_a_restart_can_help_says_so(
    country: Country, between: Firewall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "SILENT_S", 0.3)
    monkeypatch.setattr(health, "RECOVERY_S", 0.3)
    async with scene(country, through(country.app_url, between.address)) as there:

        async def lives() -> bool:
            return (await there.http.get("/health/live")).status_code == 200

        assert await lives()
        places = there.parts.database._pool._places
        taken = [await places.acquire() for _ in range(Settings().pool_size)]
        async with asyncio.timeout(PATIENCE_S):
            while await lives():
                await asyncio.sleep(0.1)
        for _ in taken:
            places.release()
        async with asyncio.timeout(PATIENCE_S):
            while not await lives():
                await asyncio.sleep(0.1)
