"""Whatever fails, and wherever.

The log has its kind and its place, and neither log nor answer has a secret in it.
"""

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import StringIO

import httpx
import pytest
from redis.exceptions import ResponseError

from app import logs
from app.api.kit.problems import PROBLEM_JSON
from tests.api.live_service import PLAIN, served
from tests.country import THERE, Country, Shelter, referral_body, shelter, site_body
from tests.faults.planted_secrets import (
    ADDRESS,
    COMMANDS,
    FAIL_ELSEWHERE,
    LOOPS,
    NOTHING_RUNS,
    REQUESTS,
    ROOT,
    TOKEN,
    Said,
    Spill,
    Spilt,
    layer_of,
    part,
    plant,
    quoted,
)

PATIENCE_S = 120
HTML = "text/html; charset=utf-8"
BODIES = {
    "POST /v1/sites": site_body(name=ADDRESS),
    "POST /v1/webhooks": {"url": f"https://hooks.example/{TOKEN}"},
}
"""What is sent along, with secrets in it as well."""


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """Log as a process does, as much as it ever does, to where this test can read it."""
    stream = StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(
        logging.getLogger("httpx"), "disabled", True
    )  # it is the client's, and names what it asks
    logs.configure("debug")
    return stream


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """Collect the exceptions that come to be logged.

    A test can show that there was something to be kept back.
    """
    collected: list[BaseException] = []
    chain = logs.chain

    def remember(error: BaseException) -> list[BaseException]:
        collected.extend(chain(error))
        return chain(error)

    monkeypatch.setattr(logs, "chain", remember)
    return collected


@dataclass(frozen=True)
class Served:
    """An installation on a real port, and a shelter in it."""

    country: Country
    there: Shelter
    http: httpx.AsyncClient

    @property
    def token(self) -> str:
        return self.there.coordinator.http.headers["Authorization"].removeprefix("Bearer ")

    async def request(self, asked: str) -> httpx.Request:
        """Return a valid request with secrets in all that a server might want to log of it."""
        method, _, path = asked.partition(" ")
        if "{referral}" in path:
            made = await self.there.coordinator.post("/referrals", referral_body())
            path = path.replace("{referral}", made["id"])
        return self.http.build_request(
            method,
            path.replace("{site}", self.there.site_id),
            params={"note": ADDRESS},
            headers={
                "Authorization": f"Bearer {self.token}",
                "Referer": TOKEN,
                "Idempotency-Key": TOKEN,
            },
            json=BODIES.get(asked),
        )


@asynccontextmanager
async def serving(country: Country) -> AsyncGenerator[Served]:
    there = await shelter(country)
    async with (
        served(country.app) as base,
        httpx.AsyncClient(base_url=base, timeout=PATIENCE_S, verify=PLAIN) as http,
    ):
        yield Served(country, there, http)


@pytest.mark.parametrize("layer", REQUESTS)
async def test_a_failure_under_a_request_quotes_nobody(
    layer: str,
    country: Country,
    stderr: StringIO,
    monkeypatch: pytest.MonkeyPatch,
    seen: list[BaseException],
) -> None:
    target, asked = REQUESTS[layer]
    async with serving(country) as plek:
        request, answer = await plek.request(asked), None
        with monkeypatch.context() as failing:
            failing.setattr(*plant(target), Spill())
            try:
                answer = await plek.http.send(request)
            except httpx.RemoteProtocolError:
                assert layer == "events"  # the stream had begun, and broke off

    said = Said(stderr.getvalue())
    assert said.told("Spilt", through=part(layer))
    assert said.told("LookupError", through="tests/faults/planted_secrets.py")
    assert quoted(said.text) == []
    assert plek.token not in said.text
    assert quoted(*map(str, seen)) != []
    if answer is not None:
        assert quoted(answer.text, str(answer.headers)) == []
        manner = HTML if layer == "web" else PROBLEM_JSON
        assert layer == "metrics" or (answer.status_code, answer.headers["Content-Type"]) == (
            500,
            manner,
        )


REFUSALS = {
    "23514": (
        "ALTER TABLE answers DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE answers ADD CONSTRAINT never CHECK (length(key) < 3) NOT VALID",
    ),
    "23505": (
        "ALTER TABLE sites DISABLE ROW LEVEL SECURITY",
        "CREATE UNIQUE INDEX ON sites (municipality)",
    ),
    "42501": (
        "ALTER TABLE sites ENABLE ROW LEVEL SECURITY",
        'CREATE POLICY "Wilgenkamer" ON sites AS RESTRICTIVE FOR INSERT WITH CHECK (false)',
    ),
    "P0001": (
        (
            "CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE '%', "
            "NEW; END $$"
        ),
        "CREATE TRIGGER never BEFORE INSERT ON sites FOR EACH ROW EXECUTE FUNCTION never()",
    ),
}
"""What has PostgreSQL refuse a new site, by the state that it then gives.

What it says quotes the row, except where row-level security is on: then it leaves the row out by
itself.
"""


@pytest.mark.parametrize("state", REFUSALS)
async def test_an_error_of_the_database_is_told_without_the_row_that_it_quotes(
    state: str, country: Country, stderr: StringIO, seen: list[BaseException]
) -> None:
    async with serving(country) as plek:
        for statement in REFUSALS[state]:
            await country.rows(statement)
        answer = await plek.http.send(await plek.request("POST /v1/sites"))

    said = Said(stderr.getvalue())
    row = (
        "Failing row",
        "Key (",
        THERE,
        country.providers["linde"].hex,
        str(country.providers["linde"]),
    )
    assert answer.status_code == 500
    assert any(link.get("sqlstate") == state for link in said.exceptions)
    assert any(said.told("", through=rooms) for rooms in ("app/database/", "app/registry/store/"))
    assert quoted(said.text, answer.text) == []
    assert not [words for words in row if words in said.text + answer.text]
    assert state == "42501" or [
        words for words in (TOKEN, *row) if words in "".join(map(str, seen))
    ]


@pytest.mark.parametrize("target", LOOPS)
async def test_a_failure_beside_the_requests_quotes_nobody(
    target: str, country: Country, stderr: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = LOOPS[target]
    monkeypatch.setattr(*plant(target), Spill())
    async with served(country.app), asyncio.timeout(PATIENCE_S):
        await country.rows("INSERT INTO outbox (kind, subject) VALUES ('availability', 'GM0518')")
        country.parts.database.written.set()
        while f'"loop": "{loop}"' not in stderr.getvalue():
            await asyncio.sleep(0.01)

    said = Said(stderr.getvalue())
    assert said.told("Spilt", through="app/worker.py")
    assert [line["kind"] for line in said.lines if line.get("loop") == loop] == ["Spilt"]
    assert quoted(said.text) == []


async def test_an_error_of_redis_is_told_without_the_words_that_it_quotes(
    country: Country, stderr: StringIO
) -> None:
    link = country.parts.link
    with pytest.raises(ResponseError) as refused:
        await link.redis.execute_command("NEVER", ADDRESS)

    assert await link.ask(lambda: link.redis.execute_command("NEVER", ADDRESS)) is None

    [line] = Said(stderr.getvalue()).lines
    assert quoted(str(refused.value)) != []
    assert (line["event"], line["kind"]) == ("redis_gone", "ResponseError")
    assert quoted(stderr.getvalue()) == []


async def test_what_asyncio_says_of_forgotten_failures_quotes_nobody(stderr: StringIO) -> None:
    async def forgotten() -> None:
        Spill()()

    def called(address: str) -> None:
        raise Spilt(address)

    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(forgotten())
    loop.call_soon(called, ADDRESS)
    await asyncio.wait([task])
    del task
    gc.collect()

    said = Said(stderr.getvalue())
    assert {line["event"] for line in said.lines} == {
        "Exception in callback",
        "Task exception was never retrieved",
    }
    assert said.told("Spilt", through="tests/faults/test_logs_in_every_layer.py")
    assert quoted(said.text) == []


def test_what_a_library_says_of_a_failure_has_its_kind_for_its_words(stderr: StringIO) -> None:
    logging.getLogger("uvicorn.error").error(
        "Error loading ASGI app factory: %s (%r)", Spilt(ADDRESS), KeyError(TOKEN)
    )

    [line] = Said(stderr.getvalue()).lines
    assert line["event"] == "Error loading ASGI app factory: Spilt (KeyError)"


def test_every_layer_has_failed_here() -> None:
    layers = {
        path.stem
        for path in (ROOT / "app").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }

    assert {key.partition("/")[0] for key in REQUESTS} | COMMANDS.keys() | {
        layer_of(target) for target in LOOPS
    } | NOTHING_RUNS | FAIL_ELSEWHERE == layers
