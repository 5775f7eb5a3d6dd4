"""Moving on while others act on the stay: it ends once.

Each guard is seen to be needed.
"""

import asyncio
from typing import Any

import pytest

from tests.api.placing.test_moving_on import LEFT, Route, route
from tests.casework import fresh
from tests.country import Country

pytestmark = pytest.mark.race

ASKERS = 3


async def asked_at_once(way: Route) -> list[int]:
    """Let both providers, one of them twice, confirm a next place for a household at once."""
    bodies = [
        (client, {"holdId": await way.held(client, to), "previousPlacementId": way.first["id"]})
        for client, to in ((way.linde, "eik"), (way.where.intake, "eik"), (way.linde, "linde"))
    ]
    answers = await asyncio.gather(
        *(client.ask("POST", "/placements", json=body, key=fresh()) for client, body in bodies)
    )
    assert {answer.json().get("code") for answer in answers} <= {None, "already_moving_on"}
    return sorted(answer.status_code for answer in answers)


async def test_one_next_place_is_confirmed_however_many_are_asked_for_at_once(
    country: Country,
) -> None:
    assert await asked_at_once(await route(country)) == [201, 409, 409]
    assert await country.value("SELECT count(*) FROM stays") == 1


async def test_without_its_guards_a_household_is_on_its_way_to_several_places(
    country: Country,
) -> None:
    way = await route(country)
    await country.rows("DROP INDEX placements_previous_key")
    await country.rows("DROP INDEX placements_stay_underway_key")
    assert (await asked_at_once(way)).count(201) == ASKERS


async def ended_twice(way: Route, placement: dict[str, Any], *, both: bool) -> list[int]:
    """Record a departure and the arrival at the next place, at once or one by one."""
    leaving = way.linde.ask("POST", f"/placements/{way.first['id']}/departure", json=LEFT)
    arriving = way.eik.coordinator.ask("POST", f"/placements/{placement['id']}/arrival")
    turns = await asyncio.gather(leaving, arriving) if both else [await leaving, await arriving]
    return [answer.status_code for answer in turns]


async def test_a_place_that_is_left_as_they_arrive_at_the_next_ends_once(country: Country) -> None:
    way = await route(country)
    site = f"/sites/{way.where.there.site_id}"
    placement = await way.leaving(way.first, way.linde, "eik")
    (left, arrived), alarm = await asyncio.gather(
        ended_twice(way, placement, both=True),
        way.linde.ask("PATCH", site, json={"compromised": "threat"}),
    )
    assert (left in {200, 409}, arrived, alarm.status_code) == (True, 200, 200)
    leaves = [kind for kind, _placement in await way.leaves()]
    assert leaves == ["arrival", "departure", "arrival"]
    assert (await way.where.intake.get(f"/referrals/{way.first['referralId']}"))[
        "status"
    ] == "ended"
    claims = await country.rows("SELECT placement_id::text FROM claims WHERE kind IS NOT NULL")
    assert [row.placement_id for row in claims] == [placement["id"]]


async def test_without_its_guard_a_place_that_was_left_ends_again(country: Country) -> None:
    way = await route(country)
    placement = await way.leaving(way.first, way.linde, "eik")
    await country.rows("DROP INDEX leaves_once_key")
    function = await country.value(
        "SELECT pg_get_functiondef('leave_previous(uuid, timestamptz)'::regprocedure)"
    )
    guard = "AND p.status = 'arrived'"
    assert guard in function
    async with country.owner.transaction() as tx:
        await tx.connection.execute(function.replace(guard, ""))
    assert await ended_twice(way, placement, both=False) == [200, 200]
    # The ledger has one leaf for an end: the second is told as a correction of it.
    assert "correction" in [kind for kind, _placement in await way.leaves()]
