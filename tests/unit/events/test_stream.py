import asyncio

import pytest

from app.events import stream
from app.events.stream import BEAT, Event, Reset, Stream


def event(position: int) -> Event:
    return Event(position, "hold", str(position))


async def test_a_reader_gets_what_was_pushed_in_order_and_nothing_twice() -> None:
    reader = Stream(after=2, turn=0)
    for position in (1, 2, 3, 4):
        reader.push(event(position))

    assert [await reader.next(), await reader.next()] == [event(3), event(4)]


async def test_a_slow_reader_is_told_to_start_afresh_and_then_gets_what_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "MOST_WAITING", 3)
    reader = Stream(after=0, turn=0)

    for position in range(1, 6):
        reader.push(event(position))

    assert [await reader.next(), await reader.next()] == [Reset(4), event(5)]


async def test_a_reader_that_waits_is_woken_by_each_kind_of_item() -> None:
    reader = Stream(after=0, turn=0)
    for wake, item in (
        (lambda: reader.push(event(1)), event(1)),
        (reader.beat, BEAT),
        (reader.end, None),
    ):
        waiting = asyncio.create_task(reader.next())
        await asyncio.sleep(0)

        wake()

        assert await waiting == item


async def test_a_sign_of_life_is_not_added_to_what_waits() -> None:
    reader = Stream(after=0, turn=0)
    reader.push(event(1))
    reader.beat()
    assert await reader.next() == event(1)

    reader.beat()
    reader.beat()

    assert await reader.next() == BEAT
    reader.end()
    assert await reader.next() is None


async def test_an_ended_stream_gives_nothing_more() -> None:
    reader = Stream(after=0, turn=0)
    reader.push(event(1))

    reader.end()

    assert await reader.next() is None


async def test_a_reader_that_gave_up_does_not_disturb_the_next_push() -> None:
    reader = Stream(after=0, turn=0)
    waiting = asyncio.create_task(reader.next())
    await asyncio.sleep(0)
    waiting.cancel()
    reader.push(event(1))
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert await reader.next() == event(1)
