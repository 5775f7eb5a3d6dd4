"""Webhook processes.

Each delivery is sent by one of them, or by another if that one dies.
"""

import asyncio
import json
import subprocess
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from sqlalchemy import text

from app.database import deliveries
from app.database.transaction import WORKER
from app.webhooks import courier as couriers
from tests.country import Country
from tests.forks import Forked
from tests.webhook_receiver import (
    HANG,
    PAUSE,
    Receiver,
    courier,
    due_now,
    machine,
    reaching,
    receiving,
    send,
    tell,
    webhook,
)

pytestmark = pytest.mark.race

WAITING = "SELECT count(*) FROM webhook_deliveries WHERE ended_at IS NULL"


@pytest.fixture
async def receiver() -> AsyncGenerator[Receiver]:
    async with receiving() as one:
        yield one


@pytest.fixture
def country(country: Country) -> Country:
    """An installation whose webhooks may go to this machine."""
    return reaching(country)


@pytest.mark.parametrize("lease", [deliveries.LEASE_S, -1])
async def test_processes_that_send_at_once_send_everything_once(
    country: Country, receiver: Receiver, lease: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    linde = await machine(country)
    paths = [f"/{number}" for number in range(3)]
    for path in paths:
        await webhook(linde, receiver, path)
    subjects = {str(number) for number in range(10)}
    await tell(country, *subjects)
    leasing = deliveries.lease
    monkeypatch.setattr(deliveries, "lease", lambda tx, **how: leasing(tx, **how, seconds=lease))

    processes = [courier(country) for _ in range(4)]
    await asyncio.gather(*(begin_all(one) for one in processes))

    told = [(one.path, json.loads(one.body)["data"]["id"]) for one in receiver.got]
    assert set(told) == {(path, subject) for path in paths for subject in subjects}
    assert len({one.id for one in receiver.got}) == 30
    if lease > 0:
        assert len(told) == 30
    else:
        assert len(told) > 30  # with the guard off, they send the same


async def begin_all(one: couriers.Courier) -> None:
    while await one.begin():
        await one.finish()


async def test_who_never_answers_holds_up_nobody_else(country: Country, receiver: Receiver) -> None:
    linde = await machine(country)
    await webhook(linde, receiver, "/hang")
    await tell(country, *map(str, range(40)))
    await webhook(linde, receiver, "/quick")
    await tell(country, "new")
    sending = courier(country)

    while await sending.begin():
        pass
    await receiver.requests(couriers.EACH + 1)

    assert len(receiver.at("/hang")) == couriers.EACH
    assert [json.loads(one.body)["data"]["id"] for one in receiver.at("/quick")] == ["new"]
    await sending.close()
    assert await country.value(WAITING) >= 40


PROCESS = """
import asyncio, json, sys
from app.config import Settings
from app.seal import Keyring
from app.database.transaction import Database
from app.webhooks.courier import Courier
from app.webhooks.post import Post
from app.webhooks.destinations import Destinations

async def send(url, role, key):
    settings = Settings(webhook_networks=("127.0.0.1",), assume_role=role)
    courier = Courier(Database(settings, url=url), Keyring.parse(key), Post(Destinations.of(settings)))
    await courier.begin()
    await courier.finish()

asyncio.run(send(*json.loads(sys.stdin.readline())))
"""


async def test_killed_between_sending_and_noting_it_is_sent_again_under_the_same_id(
    country: Country, receiver: Receiver
) -> None:
    linde = await machine(country)
    made = await webhook(linde, receiver)
    await tell(country, "1")
    receiver.answers = [HANG]
    given = json.dumps([country.app_url, country.parts.settings.assume_role, country.key])

    with Forked(("-c", PROCESS), stdin=subprocess.PIPE) as program:
        assert program.stdin is not None
        program.stdin.write(f"{given}\n")
        program.stdin.flush()
        await receiver.requests(1)
        program.kill()
        assert program.wait() == -9

    assert await send(country) == 0  # its lease has to run out
    assert await country.value(PAUSE) < deliveries.LEASE_S
    await due_now(country)
    assert await send(country) == 1
    first, second = receiver.got
    assert first.id == second.id
    assert first.verified(made["secret"]) == second.verified(made["secret"])


async def test_who_sends_after_its_lease_ran_out_says_nothing_of_when_it_is_due(
    country: Country,
) -> None:
    linde = await machine(country)
    await linde.post("/webhooks", {"url": "https://hooks.example/", "kinds": ["hold"]})
    await tell(country, "1")
    database = country.parts.database
    async with database.transaction(actor=WORKER) as tx:
        (slow,) = await deliveries.lease(tx, most=9, each=9, seconds=-1)
        (other,) = await deliveries.lease(tx, most=9, each=9)
        until = await country_next(tx)
        await deliveries.note_failed(tx, slow, again_in_seconds=5)
        assert await country_next(tx) == until
        await deliveries.note_received(tx, slow)
        await deliveries.note_failed(tx, other, again_in_seconds=5)

    assert (slow.id, slow.attempts, other.attempts) == (other.id, 1, 2)
    assert await country.value("SELECT outcome FROM webhook_deliveries") == "delivered"


async def country_next(tx: Any) -> Any:
    return (await tx.rows(text("SELECT next_at FROM webhook_deliveries")))[0][0]
