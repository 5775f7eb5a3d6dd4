"""Timers: several processes share the work that recurs."""

import asyncio
import math
from pathlib import Path

import pytest

from app import worker
from app.database import timers
from app.database.transaction import WORKER, Transaction
from tests.country import Country

ON_BOTH = True


async def due_now(country: Country) -> None:
    await country.rows("UPDATE timers SET due_at = '-infinity', leased_until = '-infinity'")


async def test_one_process_gets_the_lease_however_many_ask(country: Country) -> None:
    await due_now(country)

    async def ask() -> timers.Lease | None:
        async with country.parts.database.transaction(actor=WORKER) as tx:
            return await timers.lease(tx, ["sweep"])

    leases = await asyncio.gather(*(ask() for _ in range(8)))

    assert sum(lease is not None for lease in leases) == 1


async def test_work_that_is_done_is_due_again_later(country: Country) -> None:
    await due_now(country)
    async with country.parts.database.transaction(actor=WORKER) as tx:
        lease = await timers.lease(tx, ["sweep", "unknown"])
        assert lease is not None
        assert await timers.done(tx, lease, again_in_seconds=60)

    async with country.parts.database.transaction(actor=WORKER) as tx:
        assert await timers.lease(tx, ["sweep"]) is None
        assert await timers.lease(tx, ["prune"]) is not None


async def test_a_lease_that_ran_out_goes_to_another_process_and_the_first_one_changes_nothing(
    country: Country,
) -> None:
    await due_now(country)
    async with country.parts.database.transaction(actor=WORKER) as tx:
        crashed = await timers.lease(tx, ["sweep"], seconds=0)
    async with country.parts.database.transaction(actor=WORKER) as tx:
        second = await timers.lease(tx, ["sweep"])
        assert crashed is not None
        assert second is not None

        assert not await timers.done(tx, crashed, again_in_seconds=3600)
        assert await timers.done(tx, second, again_in_seconds=0)


async def test_work_that_fails_is_taken_back_and_keeps_no_other_waiting(country: Country) -> None:
    await due_now(country)
    done: list[str] = []

    async def fails(tx: Transaction) -> float:
        await timers.lease(tx, ["step"])  # something to take back
        raise ZeroDivisionError

    async def works(_: Transaction) -> float:
        done.append("prune")
        return 60.0

    recurring = {"prune": works, "sweep": fails}
    await worker.recur(country.parts.database, recurring)
    with pytest.raises(ZeroDivisionError):
        await worker.recur(country.parts.database, recurring)

    assert done == ["prune"]
    assert await taken(country) == {"sweep"}
    await country.rows("UPDATE timers SET leased_until = '-infinity'")
    await worker.recur(country.parts.database, {"sweep": works})
    assert done == ["prune", "prune"]
    assert await taken(country) == set()


async def taken(country: Country) -> set[str]:
    """Return the timers that nobody may lease now."""
    rows = await country.rows("SELECT name FROM timers WHERE leased_until > clock_timestamp()")
    return {row.name for row in rows}


async def test_how_late_work_is_counts_from_when_it_was_due_however_often_it_failed(
    country: Country,
) -> None:
    await country.rows("UPDATE timers SET due_at = now() + interval '1 hour'")
    await country.rows("UPDATE timers SET due_at = now() - interval '10 min' WHERE name = 'sweep'")
    await country.rows("UPDATE timers SET due_at = '-infinity' WHERE name = 'prune'")

    async def fails(_: Transaction) -> float:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await worker.recur(country.parts.database, {"sweep": fails})

    async with country.parts.database.transaction(actor=WORKER) as tx:
        late = dict(await timers.lateness(tx))
    assert 600 <= late.pop("sweep") < 700
    assert late.pop("prune") == math.inf
    assert set(late.values()) == {0.0}


async def test_all_that_recurs_has_a_timer_and_runs(country: Country, tmp_path: Path) -> None:
    await due_now(country)
    recurring = worker.recurring_work(tmp_path)

    for _ in recurring:
        await worker.recur(country.parts.database, recurring)

    late = await country.rows("SELECT name FROM timers WHERE due_at = '-infinity'")
    assert late == []
    assert {row.name for row in await country.rows("SELECT name FROM timers")} == recurring.keys()


async def test_what_is_kept_for_a_day_is_forgotten_after_it(country: Country) -> None:
    client = await country.client("coordinator", provider="linde")
    await client.http.get("/sites")
    await country.rows(
        "INSERT INTO answers (account_id, route, key, fingerprint, status, sealed, made_at)"
        " SELECT id, '/holds', age::text, '', 201, '', clock_timestamp() - make_interval(hours "
        "=> age)"
        " FROM accounts, unnest(ARRAY[1, 23, 25]) AS age"
    )

    async with country.parts.database.transaction(actor=WORKER) as tx:
        await worker.prune(tx)

    assert [row.key for row in await country.rows("SELECT key FROM answers ORDER BY key")] == [
        "1",
        "23",
    ]
