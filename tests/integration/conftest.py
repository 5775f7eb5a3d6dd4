"""Tests of rooms and stores, on the embedded servers and on those at local ports."""

import os
import socket
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from benchmarks.statements import Asked
from tests.api.calls import World, world
from tests.conftest import Server, country_of, drop_template, make_template
from tests.country import Country, hold_first, referral_body
from tests.spares import Spares
from tests.statements import noting

LOCAL_DATABASE = os.environ.get(
    "PLEK_TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres"
)
LOCAL_REDIS = os.environ.get("PLEK_TEST_REDIS_URL", "redis://127.0.0.1:6379/15")


def answers(url: str) -> bool:
    """Whether something listens where a URL points."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 0), timeout=1):
            return True
    except OSError:
        return False


HERE = answers(LOCAL_DATABASE) and answers(LOCAL_REDIS)


def pytest_report_header() -> str:
    """Say which servers the tests of this folder run on."""
    return (
        "plek: integration tests on the embedded "
        f"servers{' and on those at the local ports' if HERE else ' alone'}"
    )


@pytest.fixture(scope="session")
def local(shared: Path) -> Generator[Server]:
    """Use the servers at the local ports, with a template database for this run."""
    name = f"plek_template_{os.getpid()}"
    server = Server(
        f"local-{os.getpid()}", LOCAL_DATABASE, LOCAL_DATABASE, LOCAL_REDIS, name, durable=True
    )
    make_template(server, shared)
    yield server
    drop_template(server)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what depends on the server on both: modules that say `ON_BOTH`.

    All others on the embedded ones alone.
    """
    if "server" in metafunc.fixturenames:
        both = getattr(metafunc.module, "ON_BOTH", False)
        local = pytest.param("local", marks=pytest.mark.skipif(not HERE, reason="no local servers"))
        metafunc.parametrize("server", ["embedded", local] if both else ["embedded"], indirect=True)


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Server:
    """Give the servers of the test; made ready before its event loop runs."""
    ready: Server = request.getfixturevalue(request.param)
    return ready


@pytest.fixture
async def country(
    request: pytest.FixtureRequest, spares: Spares, server: Server
) -> AsyncGenerator[Country]:
    """Open an installation of its own for one test, on each kind of server."""
    async with country_of(request, spares, server) as opened:
        yield opened


async def everything(there: World) -> None:
    """Do, as those concerned, everything that can be done with one thing of each kind."""
    await there.sender.post(there.path("/referrals/{id}/contacts"), {"note": "Belt morgen."})
    for path in ("/waiting-list", "/referrals/{id}/contacts"):
        await there.sender.ask("GET", there.path(path), expect=200)
    await there.receiver.ask("GET", "/vacancies", expect=200)
    for collection in (
        "sites",
        "places",
        "referrals",
        "alternatives",
        "holds",
        "placements",
        "webhooks",
    ):
        for client in (there.sender, there.receiver):
            await client.ask("GET", f"/{collection}")
            await client.ask("GET", there.path(f"/{collection}/{{id}}"))
    await there.sender.ask("GET", there.path("/rankings/{id}"), expect=200)
    await there.sender.ask("POST", there.path("/rankings/{id}/replays"), expect=200)
    change = there.request("PATCH", "/referrals/{id}")
    await there.sender.http.request(**change)
    why = {"purpose": "other"}
    await there.receiver.post(there.path("/sites/{id}/address-reveals"), why, expect=200)
    await there.sender.post(there.path("/placements/{id}/address-reveals"), why, expect=200)
    for template in ("/placements/{id}/arrival", "/placements/{id}/departure"):
        await there.receiver.http.request(**there.request("POST", template))


@pytest.fixture
async def asked(country: Country) -> tuple[World, list[Asked]]:
    """The statements of a household's way to linde and out, and of one that waits."""
    with noting(country) as found:
        there = await world(country)
        await everything(there)
        waiting = await there.sender.post("/referrals", referral_body())
        hold = await hold_first(there.sender, referral_id=waiting["id"])
        await there.sender.ask("POST", f"/holds/{hold['id']}/renewals", expect=200)
        await there.receiver.post(f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=200)
        await there.receiver.get("/holds")
    return there, found
