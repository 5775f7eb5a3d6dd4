"""How often a glass can be broken or tried, and by how many at once."""

import asyncio
from dataclasses import replace
from uuid import UUID

from app.config import Settings
from app.main import join
from tests.conftest import Server
from tests.country import Country, application
from tests.shields import WHY, break_glass, shielding

EARLIER = """DO $$ BEGIN
  ALTER TABLE access_log DISABLE TRIGGER only_grows;
  UPDATE access_log SET at = at - interval '31 minutes';
  ALTER TABLE access_log ENABLE TRIGGER only_grows;
END $$"""
"""Lets half an hour pass for the access log."""
WHYS = "SELECT purpose FROM access_log WHERE action = 'break_glass' ORDER BY id"


async def test_references_are_not_guessed(country: Country) -> None:
    scene = await shielding(country)
    for number in range(10):
        await break_glass(scene.other, f"baku-lim{number}", expect=404)

    refused = [
        await scene.other.ask(
            "POST", "/break-glass-looks", json={"reference": scene.reference, "reason": WHY}
        )
        for _ in range(3)
    ]

    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {
        (429, "too_many_requests")
    }
    assert all(3000 < int(answer.headers["Retry-After"]) <= 3600 for answer in refused)
    assert [row.purpose for row in await country.rows(WHYS)] == [WHY] * 10 + [None] * 3
    assert not await scene.seen()
    await break_glass(await scene.colleague(), scene.reference)


async def test_being_told_to_wait_makes_nobody_wait_longer(country: Country) -> None:
    scene = await shielding(country)
    for status, times in ((404, 10), (429, 12)):
        await country.rows(EARLIER)
        for _ in range(times):
            await break_glass(scene.other, "baku-limo", expect=status)

    await country.rows(EARLIER)

    await break_glass(scene.other, scene.reference)


async def test_looks_that_were_granted_count_as_well(country: Country) -> None:
    scene = await shielding(country)
    for _ in range(10):
        await break_glass(scene.other, scene.reference)
    await break_glass(scene.other, scene.reference, expect=429)


async def test_of_many_guesses_at_once_no_more_are_looked_at(country: Country) -> None:
    scene = await shielding(country)
    body = {"reference": "baku-limo", "reason": WHY}

    answers = await asyncio.gather(
        *(scene.other.ask("POST", "/break-glass-looks", json=body) for _ in range(14))
    )

    assert sorted(answer.status_code for answer in answers) == [404] * 10 + [429] * 4


async def test_a_pool_of_one_connection_is_enough_for_many_at_once(
    country: Country, embedded: Server
) -> None:
    scene = await shielding(country)
    tokens = [await country.token("intake_worker", provider="haven") for _ in range(6)]
    parts = join(
        Settings(rate_limit=0, pool_size=1),
        database_url=country.app_url,
        redis_url=embedded.redis_url,
        key=country.key,
    )
    country.stack.push_async_callback(parts.database.close)
    country.stack.push_async_callback(parts.link.close)
    small = replace(country, parts=parts, app=country.stack.enter_context(application(parts)))
    clients = [await small.client(token=token) for token in tokens]

    broken = await asyncio.gather(*(break_glass(client, scene.reference) for client in clients))

    assert {UUID(one["referralId"]) for one in broken} == {UUID(scene.id)}
    assert [await scene.seen(client) for client in clients] == [True] * len(clients)
    assert await country.value("SELECT count(*) FROM shields WHERE until IS NOT NULL") == len(
        clients
    )
