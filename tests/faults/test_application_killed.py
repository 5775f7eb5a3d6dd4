"""The application killed with `kill -9` while it takes a hold.

Nothing half done, and the retry gets its answer.
"""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from tests.casework import waiting, wish
from tests.conftest import Server
from tests.country import Country, shelter
from tests.forks import Forked

STARTS_WITHIN_S = 120

pytestmark = pytest.mark.race

WAIT_AT_COMMIT = """
CREATE FUNCTION wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_advisory_xact_lock(9); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON holds DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION wait_at_commit();
"""


@dataclass
class Process:
    """The application as a process of its own."""

    program: Forked
    http: httpx.AsyncClient

    async def hold(self, wanted: dict[str, Any]) -> httpx.Response:
        """Ask for a hold, always with the same key."""
        return await self.http.post("/v1/holds", json=wanted, headers={"Idempotency-Key": "once"})

    def kill(self) -> None:
        """Kill it as a power cut would."""
        self.program.kill()
        self.program.wait(timeout=120)


def environment(country: Country, server: Server) -> dict[str, str]:
    """Return the environment of a process on the country's database."""
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": country.app_url,
        "PLEK_OWNER_URL": country.owner_url,
        "REDIS_URL": server.redis_url,
        "PLEK_KEY": country.key,
        "PLEK_LOG_LEVEL": "warning",
        # What waits for a lock here is waited for on a busy machine.
        "PLEK_ANSWER_SECONDS": "120",
        "PLEK_STATEMENT_SECONDS": "120",
    }


def started(country: Country, server: Server) -> tuple[Forked, int]:
    """Start the application on the country's database.

    Return the process and its port.
    """
    command = ["-m", "uvicorn", "app.main:from_environment", "--factory", "--log-level", "warning"]
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        number = listening.fileno()
        program = Forked(
            [*command, "--fd", str(number)], env=environment(country, server), pass_fds=[number]
        )
        return program, listening.getsockname()[1]


@asynccontextmanager
async def process(country: Country, server: Server, token: str) -> AsyncGenerator[Process]:
    """Serve the country from another process, until it is killed or the block ends."""
    program, port = started(country, server)
    headers = {"Authorization": f"Bearer {token}"}
    base = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=STARTS_WITHIN_S) as http:
        try:
            assert (await http.get("/health/live")).status_code == 200
            yield Process(program, http)
        finally:
            program.kill()
            program.wait(timeout=120)


@dataclass
class Scene:
    """An installation with one free place, and a wish for it."""

    country: Country
    server: Server
    token: str
    wanted: dict[str, Any]

    async def counts(self) -> list[int]:
        """Count what a hold leaves behind.

        Itself, a claim, a held referral, a kept answer, notices.
        """
        row = (
            await self.country.rows(
                "SELECT (SELECT count(*) FROM holds), (SELECT count(*) FROM claims WHERE kind = "
                "'hold'),"
                " (SELECT count(*) FROM referrals WHERE status = 'held'), (SELECT count(*) FROM "
                "answers),"
                " (SELECT count(*) FROM outbox WHERE kind = 'hold')"
            )
        )[0]
        return list(row)

    async def over(self) -> None:
        """Wait until PostgreSQL has ended what the killed process began."""
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid "
            "<> pg_backend_pid()"
            " AND backend_type = 'client backend' AND application_name = 'plek' AND state <> 'idle'"
        )
        async with asyncio.timeout(120):
            while await self.country.value(query):
                await asyncio.sleep(0.01)


@pytest.fixture
async def scene(country: Country, embedded: Server) -> Scene:
    """Return an installation with one free place, and a wish for it."""
    await country.limit_budgets()  # another process takes no accounts of the demo
    await shelter(country)
    token = await country.token("intake_worker", provider="haven")
    wanted = await wish(await country.client("intake_worker", token=token))
    await country.parts.database.close()
    return Scene(country, embedded, token, wanted)


async def cut(asking: asyncio.Task[httpx.Response]) -> None:
    """See that the client got no answer."""
    with pytest.raises(httpx.TransportError):
        await asking


async def test_killed_before_the_commit_nothing_happened_and_the_retry_takes_the_place(
    scene: Scene,
) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(process(scene.country, scene.server, scene.token))
        async with scene.country.owner.transaction() as tx:
            await tx.rows(text("SELECT place_id FROM claims FOR UPDATE"))
            asking = asyncio.create_task(first.hold(scene.wanted))
            await waiting(scene.country, statement="FROM take_hold(")
            first.kill()
        await cut(asking)
        await scene.over()
        assert await scene.counts() == [0, 0, 0, 0, 0]

        second = await stack.enter_async_context(process(scene.country, scene.server, scene.token))
        retried = await second.hold(scene.wanted)
        assert (retried.status_code, "Idempotency-Replayed" in retried.headers) == (201, False)
        assert await scene.counts() == [1, 1, 1, 1, 1]


async def test_killed_in_the_commit_all_of_it_happened_and_the_retry_gets_the_first_answer(
    scene: Scene,
) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(process(scene.country, scene.server, scene.token))
        for statement in WAIT_AT_COMMIT.strip().replace("$$;", "$$;;").split(";;"):
            await scene.country.rows(statement)
        async with scene.country.owner.transaction() as tx:
            await tx.rows(text("SELECT pg_advisory_xact_lock(9)"))
            asking = asyncio.create_task(first.hold(scene.wanted))
            await waiting(scene.country, statement="COMMIT")
            first.kill()
        await cut(asking)
        await scene.over()
        assert await scene.counts() == [1, 1, 1, 1, 1]
        hold_id = str(await scene.country.value("SELECT id FROM holds"))

        second = await stack.enter_async_context(process(scene.country, scene.server, scene.token))
        retried, again = await second.hold(scene.wanted), await second.hold(scene.wanted)
        assert (retried.status_code, retried.json()["id"]) == (201, hold_id)
        assert (
            retried.headers["Idempotency-Replayed"]
            == again.headers["Idempotency-Replayed"]
            == "true"
        )
        assert retried.content == again.content
        assert await scene.counts() == [1, 1, 1, 1, 1]
