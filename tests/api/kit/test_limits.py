"""Limits on requests: failed authentications slow down their source and nobody else."""

import asyncio
import secrets
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Response

from app.api.kit import problems
from app.api.kit.application import Application
from app.api.kit.problems import PROBLEM_JSON
from app.config import Settings
from app.database.caller import ANYONE
from app.deps import Parts, Route, Tx, table_of
from app.events import allowance
from app.events.allowance import network_of
from app.main import join
from tests.api.calls import World, world
from tests.country import Client, Country, application

FAILURES = 3
DESK, ELSEWHERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture(autouse=True)
def few_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a source fail three times a minute."""
    monkeypatch.setattr(allowance, "FAILURES_PER_MINUTE", FAILURES)


async def limited(country: Country, *, per_minute: int = 6000) -> Country:
    """Return another process of the installation, with limits."""
    settings = Settings(rate_limit=per_minute, assume_role=country.parts.settings.assume_role)
    url = country.parts.link.url
    parts = join(settings, database_url=country.app_url, redis_url=url, key=country.key)
    country.stack.push_async_callback(parts.database.close)
    country.stack.push_async_callback(parts.link.close)
    return replace(country, parts=parts, app=country.stack.enter_context(application(parts)))


async def at(country: Country, host: str, *, token: str | None = None) -> Client:
    """Return a client at an address.

    Without a token it makes one up for each request.
    """
    transport = httpx.ASGITransport(country.app, raise_app_exceptions=False, client=(host, 40_000))
    http = httpx.AsyncClient(transport=transport, base_url="http://plek.test/v1")
    if token is not None:
        http.headers["Authorization"] = f"Bearer {token}"
    return Client(await country.stack.enter_async_context(http))


async def failing(
    client: Client, *, times: int, path: str = "/regions", method: str = "GET"
) -> list[int]:
    """Come with made-up tokens, one after another.

    Return the statuses of the answers.
    """
    return [(await client.ask(method, path, headers=made_up())).status_code for _ in range(times)]


def made_up() -> dict[str, str]:
    """Return the header of a token like any other, that nobody bears."""
    return {"Authorization": f"Bearer plek_{secrets.token_urlsafe(32)}"}


async def counted(country: Country) -> set[str]:
    """Return the names of all that is counted in Redis for this installation."""
    redis: Any = country.parts.link.redis
    return {
        name.decode()
        async for name in redis.scan_iter(match=f"{country.parts.link.prefix}*", count=10_000)
    }


async def test_a_source_that_fails_too_often_is_told_to_wait(country: Country) -> None:
    attacker = await at(await limited(country), DESK)

    assert await failing(attacker, times=FAILURES + 2) == [401] * FAILURES + [429] * 2

    refused = await attacker.ask("GET", "/regions", headers=made_up(), expect=429)
    assert 1 <= int(refused.headers["Retry-After"]) <= 61
    assert (refused.headers["Content-Type"], refused.json()["code"]) == (
        PROBLEM_JSON,
        "too_many_requests",
    )


async def test_the_processes_of_an_installation_count_failures_together(country: Country) -> None:
    one, two = [await at(await limited(country), DESK) for _ in range(2)]

    answers = [await failing(client, times=1) for client in (one, two) * 3]

    assert answers == [[401]] * FAILURES + [[429]] * 3


async def test_who_works_at_the_same_address_is_let_in_at_once_however_much_fails_there(
    country: Country,
) -> None:
    there = await limited(country)
    attacker = await at(there, DESK)
    colleagues = [
        await at(there, DESK, token=await country.token("administrator")) for _ in range(5)
    ]
    assert (await failing(attacker, times=FAILURES + 1))[-1] == 429

    for _ in range(2):  # first seen by this process, and then known to it
        answers = await asyncio.gather(
            *(client.ask("GET", "/regions") for client in colleagues),
            *(attacker.ask("GET", "/regions", headers=made_up()) for _ in range(20)),
        )
        assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 20


async def test_who_is_let_in_is_never_counted_as_anybody_at_an_address(country: Country) -> None:
    there = await limited(country)
    colleague = await at(there, DESK, token=await country.token("administrator"))
    for _ in range(5):
        await colleague.get("/regions")
    assert not [name for name in await counted(there) if "failures" in name or DESK in name]

    await failing(await at(there, DESK), times=1)

    assert [name for name in await counted(there) if "failures" in name and DESK in name]


async def test_tokens_that_are_made_up_have_no_allowance_of_their_own(country: Country) -> None:
    there = await limited(country)

    await failing(await at(there, DESK), times=30)

    assert len(await counted(there)) == 1


async def test_another_source_has_its_own_failures(country: Country) -> None:
    there = await limited(country)
    assert (await failing(await at(there, DESK), times=FAILURES + 1))[-1] == 429

    assert await failing(await at(there, ELSEWHERE), times=FAILURES) == [401] * FAILURES


async def test_whoever_has_one_address_of_a_64_has_them_all(country: Country) -> None:
    there = await limited(country)
    sources = [f"2001:db8:1:2:{part:x}::1" for part in range(FAILURES + 2)]
    answers = [await failing(await at(there, source), times=1) for source in sources]
    assert answers == [[401]] * FAILURES + [[429]] * 2

    assert await failing(await at(there, "2001:db8:1:3::1"), times=1) == [401]


@pytest.mark.parametrize(
    "source, network",
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, "unknown"),
    ],
)
def test_a_source_is_counted_as_what_it_cannot_choose(source: str | None, network: str) -> None:
    assert network_of(source) == network


async def test_tokens_that_have_ended_count_as_failures_and_no_token_does_not(
    country: Country,
) -> None:
    there = await limited(country)
    expired = await at(there, DESK, token=await country.token("administrator", days=-0.001))
    revoked = await at(there, DESK, token=await country.token("administrator"))
    await country.rows(
        "UPDATE tokens SET revoked_at = clock_timestamp() WHERE expires_at > clock_timestamp()"
    )
    nobody = await at(there, DESK)
    for _ in range(FAILURES + 5):
        await nobody.ask("GET", "/regions", expect=401)

    statuses = [
        (await client.ask("GET", "/regions")).status_code for client in (expired, revoked) * 2
    ]

    assert statuses == [401] * FAILURES + [429]


ENTRANCES = [
    ("GET", "/referrals"),
    ("POST", "/holds"),
    ("POST", "/sites/{id}/address-reveals"),
    ("GET", "/events"),
]


@pytest.mark.parametrize("method, template", ENTRANCES)
async def test_every_way_in_slows_down_failures(
    country: Country, method: str, template: str
) -> None:
    there = replace(await world(country), country=await limited(country))
    attacker = await at(there.country, DESK)
    statuses = [await status_of(attacker, there, method, template) for _ in range(FAILURES + 2)]

    assert statuses == [401] * FAILURES + [429] * 2


async def status_of(client: Client, there: World, method: str, template: str) -> int:
    """Make a valid call with a made-up token."""
    request = there.request(method, template)
    answer = await client.http.request(**request | {"headers": request["headers"] | made_up()})
    return answer.status_code


async def test_a_known_token_over_its_allowance_does_not_reach_the_database(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = await limited(country, per_minute=2)
    busy = await at(there, DESK, token=await country.token("administrator"))
    assert [(await busy.ask("GET", "/regions")).status_code for _ in range(3)] == [200, 200, 429]

    monkeypatch.setattr(there.parts.database, "transaction", None)

    await busy.ask("GET", "/regions", expect=429)


def open_app(parts: Parts) -> FastAPI:
    """Return an application with one route, for anyone."""
    app = Application()
    app.state.parts = parts
    app.state.routes = table_of(Route("GET", "/v1/regions", ANYONE))
    problems.answer_problems(app)

    @app.get("/v1/regions")
    async def regions(tx: Tx) -> Response:
        return Response(str(tx.identity))

    return app


async def test_at_a_route_for_anyone_those_who_are_nobody_share_their_sources_allowance(
    country: Country,
) -> None:
    there = await limited(country, per_minute=4)
    there.app = open_app(there.parts)
    nobody = await at(there, DESK)
    colleague = await at(there, DESK, token=await country.token("administrator"))

    statuses = [
        *[(await nobody.ask("GET", "/regions")).status_code for _ in range(2)],
        *await failing(nobody, times=3),
        (await nobody.ask("GET", "/regions")).status_code,
    ]

    assert statuses == [200, 200, 200, 200, 429, 429]
    assert [(await colleague.ask("GET", "/regions")).status_code for _ in range(5)] == [200] * 4 + [
        429
    ]
    assert (await (await at(there, ELSEWHERE)).ask("GET", "/regions")).status_code == 200


async def test_without_limits_failures_have_none_either(country: Country) -> None:
    attacker = await at(await limited(country, per_minute=0), DESK)

    assert await failing(attacker, times=FAILURES * 5) == [401] * FAILURES * 5
