"""Redis may vanish at any time.

Booking goes on, streams go on, limits are counted, and all comes back by itself.
"""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from app import worker
from app.database import outbox
from app.database.transaction import WORKER
from app.deps import Parts
from app.embedded import EmbeddedServers
from app.events import allowance, doorbell, link
from app.events.stream import BEAT, Event, Item, Start
from app.health import state_of
from app.main import create_app, join
from tests.country import Country, hold_first, referral_body, shelter

PATIENCE_S = 120


@pytest.fixture
def redis(tmp_path: Path) -> Generator[EmbeddedServers]:
    """Start a Redis that this test may stop and start."""
    server = EmbeddedServers(tmp_path / "redis", durable=False, wanted=frozenset({"redis"}))
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for a Redis that was gone sooner than in earnest, and let a source fail four times."""
    monkeypatch.setattr(allowance, "FAILURES_PER_MINUTE", 4)
    monkeypatch.setattr(link, "LEFT_ALONE_S", 0.2)
    monkeypatch.setattr(doorbell, "FIRST_PAUSE_S", 0.1)
    monkeypatch.setattr(doorbell, "LONGEST_PAUSE_S", 0.2)


@asynccontextmanager
async def process(country: Country, redis_url: str, **settings: int) -> AsyncGenerator[Parts]:
    """Be a process of the installation, on that Redis."""
    chosen = replace(country.parts.settings, **settings)
    parts = join(chosen, database_url=country.app_url, redis_url=redis_url, key=country.key)
    try:
        async with worker.work_during_block(parts):
            yield parts
    finally:
        await parts.link.close()
        await parts.database.close()


async def following(items: AsyncGenerator[Item]) -> Item:
    """Return what comes next, signs of life apart."""
    async with asyncio.timeout(PATIENCE_S):
        while (item := await anext(items)) == BEAT:
            pass
        return item


async def state(parts: Parts) -> str:
    return (await state_of(parts.database, parts.link, data_dir=parts.settings.data_dir)).redis


async def test_booking_and_telling_go_on_without_redis_and_it_comes_back(
    country: Country, redis: EmbeddedServers
) -> None:
    url = redis.start().redis_url
    async with process(country, url) as parts, process(country, url) as other:
        country.app = create_app(parts)
        linde = await shelter(country)
        provider_id = await country.provider("linde")
        intake = await country.client("intake_worker", provider="haven")
        referral = await intake.post("/referrals", referral_body())
        assert await state(parts) == "ok"
        async with asyncio.timeout(PATIENCE_S), aclosing(other.bus.subscribe(provider_id)) as items:
            assert isinstance(await following(items), Start)

            redis.stop()
            assert await state(parts) == "gone"
            hold = await hold_first(intake, referral_id=referral["id"])
            told = await following(items)
            while not (isinstance(told, Event) and told.kind == "hold"):
                told = await following(items)
            assert told.subject == hold["id"]
            await linde.coordinator.post(
                f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=200
            )

            assert redis.start().redis_url == url
            while await state(other) != "ok":
                await asyncio.sleep(0.05)


async def test_the_doorbell_is_heard_again_once_redis_is_back(
    country: Country, redis: EmbeddedServers
) -> None:
    url = redis.start().redis_url
    heard: list[int] = []
    async with process(country, url) as parts:
        answering = asyncio.create_task(parts.bus.doorbell.answer(heard.append))
        redis.stop()
        redis.start()
        async with asyncio.timeout(PATIENCE_S):
            while 7 not in heard:
                await parts.bus.doorbell.ring(7)
                await asyncio.sleep(0.05)
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)


async def test_a_process_starts_and_serves_where_there_never_was_a_redis(country: Country) -> None:
    async with process(country, "redis://127.0.0.1:1", rate_limit=100) as parts:
        country.app = create_app(parts)
        coordinator = await country.client("coordinator", provider="linde")

        await coordinator.get("/sites")

        assert await state(parts) == "gone"


async def test_the_limit_is_shared_by_processes_and_counted_by_each_while_redis_is_gone(
    country: Country, redis: EmbeddedServers
) -> None:
    url = redis.start().redis_url
    async with AsyncExitStack() as stack:
        one, two = [
            (await stack.enter_async_context(process(country, url, rate_limit=6))).allowance
            for _ in range(2)
        ]

        spent = [await allowance.spend("a token") for allowance in (one, two) * 4]
        assert [wait == 0 for wait in spent] == [True] * 6 + [False] * 2
        assert all(1 <= wait <= 61 for wait in spent[6:])
        assert await one.spend("another token") == 0

        redis.stop()
        alone = [
            await allowance.spend("a third token") for allowance in (one, two) for _ in range(7)
        ]
        assert [wait == 0 for wait in alone] == ([True] * 6 + [False]) * 2


async def test_redis_may_go_and_come_back_in_the_middle_of_a_minute(
    country: Country, redis: EmbeddedServers
) -> None:
    url = redis.start().redis_url
    async with AsyncExitStack() as stack:
        processes = [
            await stack.enter_async_context(process(country, url, rate_limit=6)) for _ in range(2)
        ]
        one, two = (parts.allowance for parts in processes)

        async def failed(source: str, *, times: int) -> list[bool]:
            """Fail in turns at both processes.

            Return which were told nothing but that they failed.
            """
            return [await each.count_failure(source) == 0 for each in (one, two) * times]

        together = [True] * allowance.FAILURES_PER_MINUTE
        assert await failed("192.0.2.1", times=3) == together + [False] * 2
        assert [await each.spend("a token") == 0 for each in (one, two) * 2] == [True] * 4

        redis.stop()
        assert (
            await failed("192.0.2.1", times=1) == [False] * 2
        )  # who was told to wait still has to
        assert await failed("192.0.2.2", times=5) == together * 2 + [False] * 2
        assert [await each.spend("a token") == 0 for each in (one, two) * 7] == [True] * 12 + [
            False
        ] * 2

        redis.start()
        while not all([await parts.link.there() for parts in processes]):
            await asyncio.sleep(0.05)
        assert await failed("192.0.2.3", times=3) == together + [False] * 2
        assert [await each.spend("another token") == 0 for each in (one, two) * 4] == [True] * 6 + [
            False
        ] * 2


async def test_nobody_fails_over_it_when_redis_goes_while_it_is_being_asked(
    country: Country, redis: EmbeddedServers
) -> None:
    url = redis.start().redis_url
    async with process(country, url, rate_limit=1_000_000) as parts:
        spent: list[int] = []
        rounds = asyncio.Event()

        async def spend(name: str) -> None:
            while not over:
                spent.append(await parts.allowance.spend(f"{name} {len(spent)}"))
                spent.append(await parts.allowance.count_failure(None))
                rounds.set()
                await asyncio.sleep(0)

        async def some_more() -> None:
            rounds.clear()
            async with asyncio.timeout(PATIENCE_S):
                await rounds.wait()

        over = False
        asking = [asyncio.create_task(spend(name)) for name in "abcdefgh"]
        await some_more()
        for act in (redis.stop, redis.start) * 2:
            await asyncio.to_thread(act)
            await some_more()
        over = True
        await asyncio.gather(*asking)
        assert await parts.link.there()


async def test_no_limit_asks_nobody(country: Country) -> None:
    async with process(country, "redis://127.0.0.1:1", rate_limit=0) as parts:
        assert [await parts.allowance.spend("a token") for _ in range(1000)] == [0] * 1000


async def test_few_requests_ask_redis(country: Country, redis: EmbeddedServers) -> None:
    url = redis.start().redis_url
    async with process(country, url, rate_limit=1000) as parts:
        spent = await asyncio.gather(*(parts.allowance.spend("a token") for _ in range(1000)))
        commands = await parts.link.redis.info("commandstats")

        assert sum(wait == 0 for wait in spent) == 1000
        assert await parts.allowance.spend("a token") > 0
        asked = sum(
            stats["calls"] for name, stats in commands.items() if name.startswith("cmdstat_eval")
        )
        assert asked <= 110


async def test_an_event_is_told_once_though_the_doorbell_rings_twice(
    country: Country, redis: EmbeddedServers
) -> None:
    url = redis.start().redis_url
    provider_id = await country.provider("linde")
    async with (
        process(country, url) as parts,
        asyncio.timeout(PATIENCE_S),
        aclosing(parts.bus.subscribe(provider_id)) as items,
    ):
        assert await following(items) == Start(0)
        waiting = asyncio.create_task(following(items))
        async with parts.database.transaction(actor=WORKER) as tx:
            await outbox.add(tx, kind="hold", subject="1", audience=None)
        assert await waiting == Event(1, "hold", "1")
        waiting = asyncio.create_task(following(items))
        await parts.bus.doorbell.ring(1)
        async with parts.database.transaction(actor=WORKER) as tx:
            await outbox.add(tx, kind="hold", subject="2", audience=None)
        assert await waiting == Event(2, "hold", "2")
