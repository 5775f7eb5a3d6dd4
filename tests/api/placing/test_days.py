"""Days of one household: in order wherever it was, each in one region, as in the ledger."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.api.placing.test_moving_on import MOVING, Route, route
from tests.casework import day_from_now, desk, pass_days
from tests.country import (
    FAR,
    FIRST_LEAF,
    THERE,
    Client,
    Country,
    let_work,
    move_site,
    place_body,
    standing_site,
)
from tests.ledger_stays import day_of
from tests.ledger_words import said

LEFT = {"destination": "new_home"}


def ago(days: int) -> str:
    """A moment some days ago."""
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


async def correct(
    client: Client, placement: dict[str, Any], code: str, days: int, *, expect: int = 201
) -> Any:
    """Correct a day to one so many days ago."""
    path = f"/placements/{placement['id']}/corrections"
    return await client.post(path, {"code": code, "at": ago(days)}, expect=expect)


async def test_days_of_one_household_lie_in_order_at_whatever_provider_and_whoever_corrects_them(
    country: Country,
) -> None:
    way = await route(country)
    eik = way.eik.coordinator
    await pass_days(country, 31)
    second = await way.leaving(way.first, way.linde, "eik")
    await way.arrive(second, "eik")
    await pass_days(country, 20)
    before = len(await said(country))

    fault = {
        "pointer": "/at",
        "message": "must lie between what came before it and what came after",
    }
    for client, placement, code, days in (
        (way.linde, way.first, "departed_other_day", 1),
        (way.linde, way.first, "departed_other_day", 19),
        (eik, second, "arrived_other_day", 21),
    ):
        # They were elsewhere then.
        refused = await correct(client, placement, code, days, expect=400)
        assert refused["errors"] == [fault]
    assert len(await said(country)) == before

    await country.rows("UPDATE placements SET created_at = created_at - interval '15 days'")
    await correct(way.linde, way.first, "departed_other_day", 25)
    await correct(eik, second, "arrived_other_day", 24)
    await correct(way.linde, way.first, "departed_other_day", 23, expect=400)
    left = await eik.post(f"/placements/{second['id']}/departure", LEFT, expect=200)
    nights = (await said(country))[-3:]
    assert [leaf["date"] for leaf in nights] == [
        *(day_of(ago(days)) for days in (25, 24)),
        day_of(left["departedAt"]),
    ]


async def moved_inside_to(way: Route, country: Country, municipality: str) -> dict[str, Any]:
    """Let the household of linde move to a regular place of linde's in some municipality."""
    site = await standing_site(country, "linde", name="Es", municipality=municipality)
    await way.linde.post(f"/sites/{site['id']}/confirmations")
    await way.linde.post("/places", place_body(site["id"], kind="regular"))
    moving = await way.leaving(way.first, way.linde, "linde", region=municipality)
    return await way.arrive(moving, "linde")


async def test_who_moves_inside_a_provider_to_another_region_leaves_one_and_comes_to_the_other(
    country: Country,
) -> None:
    way = await route(country)
    await let_work(country, THERE, FAR)

    second = await moved_inside_to(way, country, FAR)

    assert (second["receiving"], second["ledgerLeaf"]) == (FAR, FIRST_LEAF + 2)
    left = await way.linde.post(f"/placements/{second['id']}/departure", LEFT, expect=200)
    assert left["ledgerLeaf"] == FIRST_LEAF + 3
    leaves = [(leaf["type"], leaf["receiving"]) for leaf in await said(country)]
    assert leaves == [
        ("arrival", THERE),
        ("departure", THERE),
        ("arrival", FAR),
        ("departure", FAR),
    ]
    # Each is a time of its own: its days are corrected with a leaf of its own.
    await pass_days(country, 9)
    earlier = "UPDATE placements SET arrived_at = arrived_at - interval '9 days' WHERE id = :id"
    await country.rows(earlier, id=way.first["id"])
    corrected = await correct(way.linde, way.first, "departed_other_day", 15)
    assert corrected["ledgerLeaf"] == FIRST_LEAF + 4


async def test_the_region_is_that_of_the_site_when_they_arrive(country: Country) -> None:
    where = await desk(country)
    placement = await where.underway()
    await let_work(country, THERE, FAR)
    await move_site(country, where.receiver, where.there.site_id, municipality=FAR)

    arrived = await where.receiver.post(f"/placements/{placement['id']}/arrival", expect=200)

    assert (arrived["receiving"], arrived["crossRegional"]) == (FAR, True)
    assert [leaf["receiving"] for leaf in await said(country)] == [FAR]


async def test_where_they_came_from_and_why_is_as_known_when_they_arrive(country: Country) -> None:
    where = await desk(country)
    placement = await where.underway()
    path = f"/referrals/{placement['referralId']}"
    tag = (await where.intake.ask("GET", path)).headers["ETag"]
    right = {"originMunicipality": FAR, "reason": "capacity"}
    await where.intake.patch(path, right, headers={"If-Match": tag})

    arrived = await where.receiver.post(f"/placements/{placement['id']}/arrival", expect=200)

    assert arrived["origin"] == FAR
    (leaf,) = await said(country)
    assert (leaf["origin"], leaf["reason"]) == (FAR, "capacity")


async def test_since_when_they_are_ready_lies_between_their_arrival_and_today(
    country: Country,
) -> None:
    where = await desk(country)
    underway = await where.underway()
    path = f"/placements/{underway['id']}"
    ready = {"pointer": "/readyToLeaveSince", "message": "must lie between the arrival and today"}
    leaving = {"pointer": "/expectedDeparture", "message": "must not lie before the arrival"}

    async def faults(**plans: str) -> list[dict[str, str]]:
        return (await where.receiver.patch(path, plans, expect=400))["errors"]

    assert await faults(readyToLeaveSince=day_from_now(0)) == [ready]
    assert await faults(expectedDeparture=day_from_now(-1)) == [leaving]
    await where.receiver.post(f"{path}/arrival", expect=200)
    await pass_days(country, 5)
    assert await faults(readyToLeaveSince=day_from_now(-6)) == [ready]
    assert await faults(readyToLeaveSince=day_from_now(1), expectedDeparture=day_from_now(-6)) == [
        ready,
        leaving,
    ]
    assert len(await said(country)) == 1
    await where.receiver.patch(
        path, {"readyToLeaveSince": day_from_now(-5), "expectedDeparture": day_from_now(-5)}
    )
    assert [leaf["ready_since"] for leaf in await said(country)] == [None, day_from_now(-5)]


async def test_who_was_ready_still_is_after_a_move_inside_and_the_ledger_says_the_same(
    country: Country,
) -> None:
    way = await route(country)
    await pass_days(country, 9)
    first = f"/placements/{way.first['id']}"
    await way.linde.patch(first, {"readyToLeaveSince": day_from_now(-8)})
    second = await way.leaving(way.first, way.linde, "linde", **MOVING)

    inside = await way.arrive(second, "linde")

    path = f"/placements/{second['id']}"
    assert (inside["readyToLeaveSince"], inside["ledgerLeaf"]) == (day_from_now(-8), None)
    open_ones = "SELECT since::text FROM ready_periods WHERE until IS NULL"
    assert [row.since for row in await country.rows(open_ones)] == [day_from_now(-8)]
    # The day of before stands on the form of today: it is no fault, and one more leaf is none.
    await way.linde.patch(path, {"readyToLeaveSince": day_from_now(-8), "blockers": ["debt"]})
    await way.linde.patch(path, {"readyToLeaveSince": day_from_now(-9)})
    await way.linde.patch(path, {"readyToLeaveSince": None})
    since = [leaf["ready_since"] for leaf in await said(country)]
    assert since == [None, day_from_now(-8), day_from_now(-9), None]


async def test_who_moves_to_another_provider_is_not_ready_there_before_it_is_noted(
    country: Country,
) -> None:
    way = await route(country)
    await way.linde.patch(f"/placements/{way.first['id']}", {"readyToLeaveSince": day_from_now(0)})
    second = await way.leaving(way.first, way.linde, "eik")
    there = await way.arrive(second, "eik")
    assert there["readyToLeaveSince"] is None
    assert (await said(country))[-1]["ready_since"] is None
