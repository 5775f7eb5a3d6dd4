"""Events from the outbox to the streams of several processes, with and without Redis."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from uuid import UUID, uuid4

import pytest

from app import worker
from app.database import outbox
from app.database.transaction import RELAY, WORKER
from app.deps import Parts
from app.events import bus
from app.events.stream import BEAT, Event, Item, Reset, Start
from app.main import join
from tests.country import Country

OURS = uuid4()
PATIENCE_S = 120


@asynccontextmanager
async def process(country: Country) -> AsyncGenerator[Parts]:
    """Be another process of the same installation, with its worker."""
    ours = country.parts
    redis_url = ours.link.url
    parts = join(ours.settings, database_url=country.app_url, redis_url=redis_url, key=country.key)
    try:
        async with worker.work_during_block(parts, recurring={}):
            yield parts
    finally:
        await parts.link.close()
        await parts.database.close()


@asynccontextmanager
async def listening(
    parts: Parts, *, after: int | None = None
) -> AsyncGenerator[AsyncGenerator[Item]]:
    async with aclosing(parts.bus.subscribe(OURS, after=after)) as items:
        yield items


async def following(items: AsyncGenerator[Item]) -> Item:
    """Return what comes next, signs of life apart."""
    async with asyncio.timeout(PATIENCE_S):
        while (item := await anext(items)) == BEAT:
            pass
        return item


async def tell(parts: Parts, *subjects: str, to: UUID | None = None) -> None:
    async with parts.database.transaction(actor=WORKER) as tx:
        for subject in subjects:
            await outbox.add(
                tx, kind="hold", subject=subject, audience=None if to is None else [to]
            )


async def test_what_one_process_writes_all_processes_tell(country: Country) -> None:
    async with AsyncExitStack() as stack:
        processes = [await stack.enter_async_context(process(country)) for _ in range(3)]
        streams = [await stack.enter_async_context(listening(parts)) for parts in processes]
        assert [await following(items) for items in streams] == [Start(0)] * 3
        waiting = [asyncio.create_task(following(items)) for items in streams]

        await tell(processes[0], "1")

        assert await asyncio.gather(*waiting) == [Event(1, "hold", "1")] * 3


async def test_without_the_doorbell_it_takes_a_little_longer(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        process(country) as writing,
        process(country) as telling,
        listening(telling) as items,
    ):
        await following(items)
        monkeypatch.setattr(writing.bus.doorbell, "ring", deaf)

        await tell(writing, "1")

        assert await following(items) == Event(1, "hold", "1")


async def deaf(_: int) -> None:
    return


async def test_a_false_alarm_does_not_drown_the_true_ones(country: Country) -> None:
    async with process(country) as parts, listening(parts) as items:
        await following(items)
        waiting = asyncio.create_task(following(items))
        parts.bus.note_position(1_000_000)

        await tell(parts, "1")

        assert await waiting == Event(1, "hold", "1")


async def test_a_stream_goes_on_from_a_position_that_only_another_process_has_read(
    country: Country,
) -> None:
    parts = country.parts  # its worker does not run: it reads nothing by itself
    async with listening(parts) as first:
        assert await following(first) == Start(0)
        await tell(parts, "1", "2")
        async with parts.database.transaction(actor=RELAY) as tx:
            await outbox.number(tx)
        async with listening(parts, after=1) as items:
            assert await following(items) == Start(1)
            waiting = asyncio.create_task(following(items))
            parts.bus.note_position(2)
            await parts.bus.read()

            assert await waiting == Event(2, "hold", "2")


async def test_far_behind_is_read_from_the_outbox_page_by_page(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "RECENT", 2)
    monkeypatch.setattr(bus, "PAGE", 3)
    await tell(country.parts, *(str(number) for number in range(1, 11)), to=OURS)
    await tell(country.parts, *(str(number) for number in range(11, 16)), to=uuid4())
    async with process(country) as parts:
        while await country.value("SELECT value FROM heads WHERE name = 'outbox'") < 15:
            await asyncio.sleep(0.01)  # the worker is numbering

        async with listening(parts, after=4) as items:
            told = [await following(items) for _ in range(7)]
            waiting = asyncio.create_task(following(items))
            await tell(parts, "next", to=OURS)

            assert told == [
                Start(4),
                *(Event(number, "hold", str(number)) for number in range(5, 11)),
            ]
            assert await waiting == Event(16, "hold", "next")


async def test_every_event_reaches_a_stream_that_opens_while_they_are_told(
    country: Country,
) -> None:
    async with process(country) as parts:
        telling = asyncio.create_task(tell_all(parts, 60))
        heard: list[int] = []
        after = 0
        while len(heard) < 60:
            async with listening(parts, after=after) as items:
                assert isinstance(await following(items), Start)
                for _ in range(7):
                    item = await following(items)
                    assert isinstance(item, Event)
                    heard.append(item.position)
                    after = item.position
                    if len(heard) == 60:
                        break
        await telling

    assert heard == list(range(1, 61))


async def tell_all(parts: Parts, count: int) -> None:
    for number in range(count):
        await tell(parts, str(number))


async def test_streams_end_and_none_begin_once_the_process_stops(country: Country) -> None:
    async with process(country) as parts, listening(parts) as items:
        await following(items)
        waiting = asyncio.create_task(anext(items, None))
        await asyncio.sleep(0)

        parts.bus.close()

        assert await waiting is None
        async with listening(parts) as late:
            assert isinstance(await following(late), Start)
            assert await anext(late, None) is None


async def test_when_the_database_has_lost_what_was_told_streams_start_afresh(
    country: Country,
) -> None:
    async with process(country) as parts, listening(parts) as items:
        await following(items)
        for subject in ("1", "2", "3"):
            await tell(parts, subject)
            await following(items)

        await country.rows("DELETE FROM outbox WHERE position > 1")
        await country.rows("UPDATE heads SET value = 1 WHERE name = 'outbox'")

        assert await following(items) == Reset(1)
        await tell(parts, "after all")
        assert await following(items) == Event(2, "hold", "after all")


async def test_a_position_of_another_outbox_is_reset(country: Country) -> None:
    async with listening(country.parts, after=5) as items:
        assert await following(items) == Reset(0)
