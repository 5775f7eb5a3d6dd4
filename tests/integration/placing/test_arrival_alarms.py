"""Alarms for a family that does not arrive.

Each due moment rings once until a person acts.
"""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from app.database.transaction import WORKER
from app.placing import placements
from app.placing.store import placement_rows
from tests.casework import Desk, desk, problem, waiting
from tests.country import Country

ON_BOTH = True

MINUTES, HOURS = 120, 2
"""As the demo's policy has them."""
LATE = (
    "UPDATE placements SET {} = clock_timestamp() - make_interval(mins => :minutes) WHERE id = :id"
)
ALARMS = "SELECT subject, audience FROM outbox WHERE kind = 'alarm' ORDER BY id"


async def ring(country: Country) -> list[str]:
    """Raise what is due, and return for which placements there was an alarm."""
    await country.rows("DELETE FROM outbox")
    async with country.parts.database.transaction(actor=WORKER) as tx:
        assert not await placements.raise_arrival_alarms(tx)
    return [row.subject for row in await country.rows(ALARMS)]


async def since(
    country: Country, placement: dict[str, Any], minutes: int, *, what: str = "expected_at"
) -> None:
    """Let something of a placement have been so many minutes ago."""
    assert what in {"expected_at", "created_at", "no_show_at", "alarmed_at"}
    await country.rows(LATE.format(what), minutes=minutes, id=placement["id"])


async def missed(where: Desk, placement: dict[str, Any]) -> bool:
    """Whether both sides see that they are missed."""
    path = f"/placements/{placement['id']}"
    found = {(await client.get(path))["missedSince"] for client in (where.intake, where.receiver)}
    assert len(found) == 1
    return found != {None}


@pytest.mark.parametrize("base", ["expected_at", "created_at"])
async def test_who_is_not_there_in_time_is_missed_by_both_sides_and_again_while_nobody_acts(
    country: Country, base: str
) -> None:
    where = await desk(country)
    placement = await where.underway()
    await since(country, placement, MINUTES - 1, what=base)
    assert await ring(country) == []
    assert not await missed(where, placement)

    await since(country, placement, MINUTES + 30, what=base)
    assert await ring(country) == [placement["id"]]
    (row,) = await country.rows(ALARMS)
    assert set(row.audience) == {await country.provider("haven"), await country.provider("linde")}
    assert await missed(where, placement)
    assert await country.value(
        "SELECT missed_since < clock_timestamp() - interval '29 minutes' FROM placements"
    )
    assert await ring(country) == []

    await since(country, placement, HOURS * 60 - 1, what="alarmed_at")
    assert await ring(country) == []
    await since(country, placement, HOURS * 60 + 1, what="alarmed_at")
    assert await ring(country) == [placement["id"]]
    assert await ring(country) == []


async def test_what_was_expected_later_than_it_was_confirmed_counts_from_there(
    country: Country,
) -> None:
    where = await desk(country)
    placement = await where.underway()
    await since(country, placement, MINUTES * 9, what="created_at")
    await since(country, placement, MINUTES - 1)
    assert await ring(country) == []


async def test_an_arrival_a_check_and_a_new_time_end_it_and_a_no_show_alone_does_not(
    country: Country,
) -> None:
    where = await desk(country, places=3)
    came, late, lost = [await where.underway() for _ in range(3)]
    for placement in (came, late, lost):
        await since(country, placement, MINUTES + 1)
    assert sorted(await ring(country)) == sorted(one["id"] for one in (came, late, lost))

    await where.receiver.post(f"/placements/{came['id']}/arrival", expect=200)
    ahead = {"expectedAt": "2099-01-01T12:00:00Z"}
    changed = await where.intake.patch(f"/placements/{late['id']}", ahead)
    assert (changed["expectedAt"], changed["missedSince"]) == ("2099-01-01T12:00:00Z", None)
    await where.receiver.post(f"/placements/{lost['id']}/no-show", expect=200)
    assert [await missed(where, one) for one in (came, late, lost)] == [False] * 3
    assert await ring(country) == []

    await since(country, lost, MINUTES + 1, what="no_show_at")
    assert await ring(country) == [lost["id"]]
    assert await missed(where, lost)
    await since(country, lost, HOURS * 60 + 1, what="alarmed_at")
    await where.intake.post(
        f"/placements/{lost['id']}/no-show", {"safetyChecked": True}, expect=200
    )
    assert await ring(country) == []
    assert not await missed(where, lost)


async def test_both_sides_say_that_they_come_later_and_nobody_else_does(country: Country) -> None:
    where = await desk(country)
    placement = await where.underway()
    path, third = (
        f"/placements/{placement['id']}",
        await country.client("coordinator", provider="third"),
    )
    for client, day in ((where.intake, 1), (where.receiver, 2)):
        at = f"2099-01-0{day}T12:00:00Z"
        assert (await client.patch(path, {"expectedAt": at}))["expectedAt"] == at
        for wrong in ("2020-01-01T12:00:00Z", None):
            refused = await client.patch(path, {"expectedAt": wrong}, expect=400)
            assert [fault["pointer"] for fault in refused["errors"]] == ["/expectedAt"]
    at = "2099-01-03T12:00:00Z"
    assert (await third.patch(path, {"expectedAt": at}, expect=404))["code"] == "not_found"
    assert (await where.intake.patch(path, {"expectedAt": at, "blockers": []}, expect=404))[
        "code"
    ] == "not_found"
    await where.receiver.post(f"{path}/arrival", expect=200)
    assert (await where.intake.patch(path, {"expectedAt": at}, expect=409))[
        "code"
    ] == "placement_status"


async def test_who_was_said_not_to_have_arrived_by_mistake_is_missed_from_then_on(
    country: Country,
) -> None:
    where = await desk(country)
    placement = await where.arrived()
    path = f"/placements/{placement['id']}"
    await where.receiver.post(f"{path}/corrections", {"code": "not_arrived"})
    await since(country, placement, MINUTES + 1, what="no_show_at")
    assert await ring(country) == [placement["id"]]
    await where.receiver.post(f"{path}/arrival", expect=200)
    assert not await missed(where, placement)
    assert await problem(where.receiver, f"{path}/arrival", status=409) == "placement_status"


async def test_eight_workers_at_once_ring_once_for_each(country: Country) -> None:
    where = await desk(country, places=4)
    late = [await where.underway() for _ in range(4)]
    for placement in late:
        await since(country, placement, MINUTES + 1)
    await country.rows("DELETE FROM outbox")

    async def work() -> None:
        async with country.parts.database.transaction(actor=WORKER) as tx:
            await placements.raise_arrival_alarms(tx)

    await asyncio.gather(*(work() for _ in range(8)))

    rung = [row.subject for row in await country.rows(ALARMS)]
    assert sorted(rung) == sorted(placement["id"] for placement in late)


@pytest.mark.parametrize("guarded", [False, True])
async def test_a_second_worker_leaves_alone_what_the_first_has_in_hand(
    country: Country, monkeypatch: pytest.MonkeyPatch, *, guarded: bool
) -> None:
    guard = " FOR UPDATE SKIP LOCKED"
    assert guard in placement_rows._RAISE_ALARMS.text
    if not guarded:
        monkeypatch.setattr(
            placement_rows,
            "_RAISE_ALARMS",
            text(placement_rows._RAISE_ALARMS.text.replace(guard, "")),
        )
    where = await desk(country)
    await since(country, await where.underway(), MINUTES + 1)
    await country.rows("DELETE FROM outbox")

    async def work() -> None:
        async with country.parts.database.transaction(actor=WORKER) as tx:
            await placements.raise_arrival_alarms(tx)

    async with country.parts.database.transaction(actor=WORKER) as tx:
        await placements.raise_arrival_alarms(tx)
        second = asyncio.create_task(work())
        await (second if guarded else waiting(country, statement="missed_since"))
    await second

    assert len(await country.rows(ALARMS)) == (1 if guarded else 2)


async def test_a_worker_that_dies_halfway_has_rung_for_nobody_and_the_next_one_does(
    country: Country,
) -> None:
    where = await desk(country)
    placement = await where.underway()
    await since(country, placement, MINUTES + 1)
    await country.rows("DELETE FROM outbox")

    async def dies() -> None:
        async with country.parts.database.transaction(actor=WORKER) as tx:
            await placements.raise_arrival_alarms(tx)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await dies()
    assert await country.rows(ALARMS) == []
    assert await ring(country) == [placement["id"]]


async def test_the_policy_says_after_how_long(country: Country) -> None:
    where = await desk(country)
    placement = await where.underway()
    await since(country, placement, 31)
    async with country.parts.database.transaction(actor=WORKER) as tx:
        assert await placement_rows.raise_arrival_alarms(tx, minutes=32, hours=1) == 0
        assert await placement_rows.raise_arrival_alarms(tx, minutes=30, hours=1) == 1


@pytest.mark.fresh
async def test_those_who_are_due_are_found_by_an_index(country: Country) -> None:
    async with country.parts.database.transaction(actor=WORKER) as tx:
        await tx.connection.execute("SET LOCAL enable_seqscan = off")
        values = {"minutes": MINUTES, "hours": HOURS, "batch": placement_rows.ALARMS_AT_ONCE}
        plan = await tx.rows(
            text(f"EXPLAIN (COSTS OFF) {placement_rows._RAISE_ALARMS.text}"), values
        )
    assert any("placements_awaited_idx" in row[0] for row in plan)
