"""The database may die under the service.

Every answer says so honestly, and all goes on by itself once it is back.
"""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from app import worker
from app.database import outbox
from app.database.transaction import WORKER
from app.embedded import EmbeddedServers
from app.seal import new_key
from tests.api.live_service import following, served
from tests.country import Country, open_country, shelter
from tests.faults.conftest import Copy
from tests.faults.embedded.embedded_folder import pid

PATIENCE_S = 120


@dataclass(frozen=True)
class Mortal:
    """An installation on a database that this test may kill."""

    country: Country
    base: str
    servers: EmbeddedServers
    folder: Path

    def kill(self) -> None:
        """Kill the database as a crash does."""
        os.kill(pid(self.folder, "postgres"), signal.SIGKILL)

    def revive(self) -> None:
        """Start it again."""
        self.servers.start()


@pytest.fixture
def folder(migrated: Copy) -> Path:
    return migrated().path


@pytest.fixture
def servers(folder: Path) -> Generator[EmbeddedServers]:
    started = EmbeddedServers(folder)  # durable: what was acknowledged survives the crash
    yield started
    started.stop()


@pytest.fixture
async def mortal(
    servers: EmbeddedServers, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Mortal]:
    monkeypatch.setattr(worker, "LONGEST_PAUSE_S", 1.0)
    endpoints = servers.start()
    async with (
        open_country(
            owner_url=endpoints.owner_url,
            app_url=endpoints.database_url,
            redis_url=endpoints.redis_url,
            key=new_key(),
        ) as country,
        served(country.app) as base,
    ):
        yield Mortal(country, base, servers, folder)


async def test_what_needs_the_database_says_so_and_goes_on_once_it_is_back(mortal: Mortal) -> None:
    country = mortal.country
    linde = await shelter(country)
    token = await country.token("coordinator", provider="linde")
    async with (
        httpx.AsyncClient(base_url=mortal.base) as http,
        following(mortal.base, token) as stream,
        asyncio.timeout(PATIENCE_S),
    ):
        mortal.kill()

        for method, path in (
            ("GET", "/sites"),
            ("POST", f"/sites/{linde.site_id}/confirmations"),
            ("GET", "/events"),
        ):
            answer = await linde.coordinator.ask(method, path, expect=503)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["code"] == "unavailable"
            assert int(answer.headers["retry-after"]) > 0
        assert (await http.get("/health/live")).json() == {"status": "alive"}
        assert (await http.get("/health/ready")).status_code == 503
        metrics = await http.get("/metrics")
        assert metrics.status_code == 200
        assert "plek_live_claims" not in metrics.text

        await asyncio.to_thread(mortal.revive)

        while (await linde.coordinator.ask("GET", "/sites")).status_code != 200:
            await asyncio.sleep(0.1)
        assert (await http.get("/health/ready")).json()["database"] == "ok"
        async with country.parts.database.transaction(actor=WORKER) as tx:
            await outbox.add(tx, kind="swap", subject="told after all", audience=None)
        told = await stream.next()
        while (
            told is not None and told.kind != "swap"
        ):  # places that were made free, and whatever the step says
            told = await stream.next()
        assert told is not None
        assert told.data == {"id": "told after all"}


async def test_a_request_in_flight_when_the_database_dies_is_answered(mortal: Mortal) -> None:
    linde = await shelter(mortal.country)
    async with asyncio.timeout(PATIENCE_S):
        asked = [asyncio.create_task(linde.coordinator.ask("GET", "/places")) for _ in range(40)]
        await asyncio.sleep(0.02)
        mortal.kill()
        statuses = {answer.status_code for answer in await asyncio.gather(*asked)}
        assert statuses <= {200, 503}
        await asyncio.to_thread(mortal.revive)
