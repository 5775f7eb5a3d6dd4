"""Departures that never were, and arrivals that are recorded late."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.allocation.ledger.openings import parse_opening
from app.allocation.shares.nights import StayBook
from tests.api.placing.test_corrections import said
from tests.casework import desk, fresh, lapse, problem
from tests.country import FIRST_LEAF, Country
from tests.ledger_stays import day_of
from tests.unguarded import weaken

LEFT = {"destination": "new_home", "blockers": ["housing"]}
SLIP = {"code": "not_departed"}


def ago(**span: float) -> str:
    """A moment some time ago."""
    return (datetime.now(UTC) - timedelta(**span)).isoformat()


async def stays(country: Country) -> list[Any]:
    """Return the stays that the ledger's openings tell of."""
    book = StayBook()
    indexes = await country.rows("SELECT index FROM openings ORDER BY index")
    for row, opening in zip(indexes, await said(country), strict=True):
        book.take(row.index, parse_opening(opening))
    return list(book.stays())


async def test_who_did_not_leave_lives_there_again_and_leaves_once_more(country: Country) -> None:
    where = await desk(country)
    placement = await where.arrived(shield={"colleagues": []})
    path, place = f"/placements/{placement['id']}", f"/places/{where.there.place_ids[0]}"
    await where.receiver.patch(
        path, {"blockers": ["debt"], "readyToLeaveSince": day_of(ago(days=0))}
    )
    before = await where.receiver.get(path)
    assert await problem(where.receiver, f"{path}/corrections", SLIP, status=409) == (
        "placement_status"
    )
    await where.receiver.post(f"{path}/departure", LEFT, expect=200)
    assert await problem(where.intake, f"{path}/corrections", SLIP, status=404) == "not_found"
    at_all = SLIP | {"at": ago(hours=1)}
    assert await problem(where.receiver, f"{path}/corrections", at_all, status=400) == (
        "invalid_input"
    )

    back = await where.receiver.post(f"{path}/corrections", SLIP)
    assert (back["status"], back["departedAt"], back["destination"]) == ("arrived", None, None)
    assert (await where.receiver.get(place))["status"] == "occupied"
    assert await where.receiver.get(path) == before
    referral = await where.intake.get(f"/referrals/{placement['referralId']}")
    assert referral["status"] == "placed"
    taken_back = (await said(country))[-1]
    assert (taken_back["code"], back["ledgerLeaf"]) == ("not_departed", FIRST_LEAF + 3)
    assert (taken_back["corrects"], taken_back["arrival"]) == (FIRST_LEAF + 2, FIRST_LEAF)
    assert [stay.departed_on for stay in await stays(country)] == [None]

    # They do leave: one end, which corrects what was taken back.
    gone = await where.receiver.post(f"{path}/departure", LEFT, expect=200)
    after_all = (await said(country))[-1]
    assert (after_all["type"], after_all["code"]) == ("correction", "departed_after_all")
    assert (after_all["corrects"], gone["ledgerLeaf"]) == (FIRST_LEAF + 2, FIRST_LEAF + 4)
    assert [str(stay.departed_on) for stay in await stays(country)] == [day_of(ago(days=0))]
    departures = "SELECT count(*) FROM leaves WHERE type = 'departure'"
    assert await country.value(departures) == 1


async def test_nobody_comes_back_to_a_place_that_others_rely_on(country: Country) -> None:
    where = await desk(country)
    placement = await where.arrived()
    path, place = f"/placements/{placement['id']}", f"/places/{where.there.place_ids[0]}"
    await where.receiver.post(f"{path}/departure", LEFT, expect=200)

    async def refused() -> bool:
        answer = await where.receiver.ask("POST", f"{path}/corrections", json=SLIP)
        assert answer.status_code in {201, 409}
        return answer.status_code == 409 and answer.json()["code"] == "claimed"

    await where.receiver.patch(place, {"status": "occupied"})
    assert await refused()
    await where.receiver.patch(place, {"status": "free"})
    hold = await where.hold()
    assert await refused()
    await lapse(country, hold["id"])
    assert not await refused()
    await where.receiver.post(f"{path}/departure", LEFT, expect=200)

    # Nor once another household has lived there meanwhile, though the place is free by now.
    await country.rows("UPDATE holds SET expires_at = expires_at RETURNING 1")
    other = await where.arrived()
    await where.receiver.post(f"/placements/{other['id']}/departure", LEFT, expect=200)
    assert await refused()
    await weaken(country, "take_back_departure", ("THEN 'claimed'", "THEN 'back'"))
    assert not await refused()


async def test_a_departure_is_not_dated_into_the_time_of_who_came_after(country: Country) -> None:
    where = await desk(country)
    first = await where.arrived()
    await where.receiver.post(f"/placements/{first['id']}/departure", LEFT, expect=200)
    await country.rows(
        "UPDATE placements SET arrived_at = arrived_at - interval '3 days',"
        " departed_at = departed_at - interval '2 days' RETURNING 1"
    )
    second = await where.arrived()
    await where.receiver.post(f"/placements/{second['id']}/departure", LEFT, expect=200)
    await country.rows(
        "UPDATE placements SET arrived_at = arrived_at - interval '1 day' WHERE id = :id RETURNING 1",
        id=second["id"],
    )
    path = f"/placements/{first['id']}/corrections"
    for hours, status in ((12, 400), (30, 201), (60, 201)):
        body = {"code": "departed_other_day", "at": ago(hours=hours)}
        answer = await where.receiver.ask("POST", path, json=body)
        assert answer.status_code == status, answer.text


async def test_who_went_on_elsewhere_does_not_come_back(country: Country) -> None:
    where = await desk(country, places=2)
    placement = await where.arrived()
    await where.receiver.post(f"/placements/{placement['id']}/departure", LEFT, expect=200)
    other = await where.arrived()
    onward = "UPDATE placements SET stay_id = :stay WHERE id = :id RETURNING 1"
    await country.rows(onward, stay=placement["stayId"], id=other["id"])
    path = f"/placements/{placement['id']}/corrections"
    assert await problem(where.receiver, path, SLIP, status=409) == "moved_on"


@pytest.mark.parametrize("hours", [0, 47])
async def test_an_arrival_is_dated_back_even_before_its_confirmation(
    country: Country, hours: int
) -> None:
    where = await desk(country)
    placement = await where.underway()
    path = f"/placements/{placement['id']}"
    at = ago(hours=hours, seconds=1)

    arrived = await where.receiver.post(f"{path}/arrival", {"arrivedAt": at}, expect=200)

    assert datetime.fromisoformat(arrived["arrivedAt"]) == datetime.fromisoformat(at)
    assert [stay.arrived_on.isoformat() for stay in await stays(country)] == [day_of(at)]


async def test_an_arrival_that_cannot_have_been_is_a_fault(country: Country) -> None:
    where = await desk(country)
    first = await where.underway()
    path = f"/placements/{first['id']}/arrival"
    for at in (ago(hours=-1), ago(hours=49)):
        refused = await where.receiver.post(path, {"arrivedAt": at}, expect=400)
        assert [fault["pointer"] for fault in refused["errors"]] == ["/arrivedAt"]
    await where.receiver.post(path, {"arrivedAt": ago(hours=20)}, expect=200)
    left = LEFT | {"departedAt": ago(hours=10)}
    await where.receiver.post(f"/placements/{first['id']}/departure", left, expect=200)

    second = await where.underway()
    path = f"/placements/{second['id']}"
    overlapping = {"arrivedAt": ago(hours=11)}
    await where.receiver.post(f"{path}/arrival", overlapping, expect=400)
    await where.receiver.post(f"{path}/arrival", {"arrivedAt": ago(hours=9)}, expect=200)
    for hours, status in ((30, 400), (9.9, 400)):
        body = {"code": "arrived_other_day", "at": ago(hours=hours)}
        answer = await where.receiver.ask("POST", f"{path}/corrections", json=body, key=fresh())
        assert answer.status_code == status, hours

    await weaken(country, "could_be_there", ("could := NOT EXISTS", "could := true OR NOT EXISTS"))
    third = {"code": "arrived_other_day", "at": ago(hours=40)}
    await where.receiver.post(f"{path}/corrections", third)
