"""A family that does not arrive: both sides are told, and again, until a person acts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.casework import Desk, desk, problem
from tests.country import Country
from tests.dues import pass_hours
from tests.dues import ring as ring_dues

ON_BOTH = True

MINUTES, HOURS = 120, 2
"""As the demo's policy has them."""
LATE = """
UPDATE placements SET {} = clock_timestamp() - make_interval(mins => :minutes), status = status
WHERE id = :id
"""


async def ring(country: Country) -> list[str]:
    """Ring what is due, and return the placements; both sides heard of each."""
    rung = await ring_dues(country)
    heard = [subject for _, subject, _ in rung]
    assert sorted(rung) == sorted(
        (*due, whose) for due in {due[:2] for due in rung} for whose in ("haven", "linde")
    )
    return sorted(set(heard))


async def since(
    country: Country, placement: dict[str, Any], minutes: int, *, what: str = "expected_at"
) -> None:
    """Let something of a placement have been so many minutes ago."""
    assert what in {"expected_at", "created_at", "no_show_at"}
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
    assert await missed(where, placement)
    seen = await where.intake.get(f"/placements/{placement['id']}")
    assert datetime.fromisoformat(seen["missedSince"]) < datetime.now(UTC) - timedelta(minutes=29)
    assert await ring(country) == []

    await pass_hours(country, HOURS - 0.1)
    assert await ring(country) == []
    await pass_hours(country, 0.2)
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
    assert await ring(country) == sorted(one["id"] for one in (came, late, lost))

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
    await pass_hours(country, HOURS + 0.1)
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
