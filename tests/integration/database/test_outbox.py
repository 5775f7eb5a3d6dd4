"""The outbox: what is committed is numbered without gaps, and read without loss."""

import asyncio
import random
from contextlib import suppress
from uuid import uuid4

from app.database import outbox
from app.database.transaction import RELAY, WORKER, Database, Transaction
from tests.country import Country

ON_BOTH = True


class TakenBackError(Exception):
    pass


async def write(database: Database, subject: str) -> None:
    async with database.transaction(actor=WORKER) as tx:
        await outbox.add(tx, kind="hold", subject=subject, audience=None)


async def number(database: Database) -> int | None:
    async with database.transaction(actor=RELAY) as tx:
        return await outbox.number(tx)


async def read_after(database: Database, position: int) -> list[outbox.Entry]:
    async with database.transaction(actor=RELAY) as tx:
        return await outbox.read_after(tx, position)


async def test_what_commits_late_is_read_late_and_not_lost(country: Country) -> None:
    database = country.parts.database
    async with database.transaction(actor=WORKER) as slow:
        await outbox.add(slow, kind="hold", subject="slow", audience=None)
        await write(database, "quick")
        assert await number(database) == 1
        [seen] = await read_after(database, 0)
        assert seen.subject == "quick"
    assert await number(database) == 2

    assert [entry.subject for entry in await read_after(database, seen.position)] == ["slow"]
    # With the guard off, reading on by id, it would have been lost:
    by_id = "SELECT subject FROM outbox WHERE id > (SELECT id FROM outbox WHERE subject = 'quick')"
    assert await country.rows(by_id) == []


async def test_positions_have_no_gaps_however_many_number_at_once(country: Country) -> None:
    database = country.parts.database
    luck = random.Random(
        7
    )  # ids of transactions that were taken back leave gaps; positions must not

    async def writer(name: int) -> None:
        for turn in range(6):
            with suppress(TakenBackError):
                async with database.transaction(actor=WORKER) as tx:
                    await outbox.add(tx, kind="hold", subject=f"{name}-{turn}", audience=None)
                    if luck.random() < 0.3:
                        raise TakenBackError

    async def relay() -> None:
        for _ in range(8):
            await number(database)

    await asyncio.gather(*(writer(name) for name in range(8)), *(relay() for _ in range(4)))
    await number(database)

    positions = [entry.position for entry in await read_after(database, 0)]
    written = await country.value("SELECT count(*) FROM outbox")
    assert positions == list(range(1, written + 1))
    assert await country.value("SELECT value FROM heads WHERE name = 'outbox'") == written


async def test_numbering_takes_what_it_may_and_says_when_nothing_waits(country: Country) -> None:
    database = country.parts.database
    assert await number(database) is None
    for subject in ("a", "b", "c"):
        await write(database, subject)

    async with database.transaction(actor=RELAY) as tx:
        assert await outbox.number(tx, most=2) == 2
        assert await outbox.glance(tx) == outbox.Glance(newest=2, waiting=True)
    assert await number(database) == 3
    async with database.transaction(actor=RELAY) as tx:
        assert await outbox.glance(tx) == outbox.Glance(newest=3, waiting=False)

    assert [entry.subject for entry in await read_after(database, 0)] == ["a", "b", "c"]


async def test_only_what_was_committed_wakes_the_relay(country: Country) -> None:
    database = country.parts.database

    async def fail(tx: Transaction) -> None:
        await outbox.add(tx, kind="hold", subject="never", audience=None)
        raise TakenBackError

    with suppress(TakenBackError):
        async with database.transaction(actor=WORKER) as tx:
            await fail(tx)
    assert not database.written.is_set()

    await write(database, "true")
    assert database.written.is_set()


async def test_a_provider_reads_what_concerns_it_and_what_concerns_all(country: Country) -> None:
    database = country.parts.database
    ours, theirs = uuid4(), uuid4()
    async with database.transaction(actor=WORKER) as tx:
        await outbox.add(tx, kind="hold", subject="ours", audience=[ours, ours, theirs])
        await outbox.add(tx, kind="hold", subject="theirs", audience=[theirs])
        await outbox.add(tx, kind="availability", subject="GM0193", audience=None)
        await outbox.add(tx, kind="hold", subject="nobody's", audience=[])
    await number(database)

    async with database.transaction(actor=RELAY) as tx:
        entries = await outbox.read_after(tx, 0, provider_id=ours)

    assert [(entry.subject, entry.audience) for entry in entries] == [
        ("ours", frozenset({ours, theirs})),
        ("GM0193", None),
    ]


async def test_what_is_a_day_old_goes_and_what_stays_has_no_hole(country: Country) -> None:
    database = country.parts.database
    for subject in ("older", "old", "young", "old but numbered late", "waiting"):
        await write(database, subject)
        if subject != "waiting":
            await number(database)
    await country.rows(
        "UPDATE outbox SET at = at - interval '25 hours' WHERE subject LIKE 'old%' OR subject = "
        "'waiting'"
    )

    async with database.transaction(actor=WORKER) as tx:
        assert await outbox.prune(tx) == 2
        assert await outbox.oldest(tx) == 3
        assert await outbox.newest(tx) == 4
    await number(database)

    kept = [(entry.position, entry.subject) for entry in await read_after(database, 0)]
    assert kept == [(3, "young"), (4, "old but numbered late"), (5, "waiting")]


async def test_nothing_kept_is_not_the_same_as_nothing_told(country: Country) -> None:
    database = country.parts.database
    await write(database, "old")
    await number(database)
    await country.rows("UPDATE outbox SET at = at - interval '2 days'")

    async with database.transaction(actor=WORKER) as tx:
        await outbox.prune(tx)
        assert (await outbox.oldest(tx), await outbox.newest(tx)) == (None, 1)
