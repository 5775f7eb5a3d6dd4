"""Placements over HTTP.

Confirming, arriving, not showing up and leaving, and who may say so.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.casework import day_from_now, desk, fresh, lapse, problem
from tests.country import HERE, THERE, Country

LEFT = {"destination": "new_home", "blockers": ["housing", "income"]}


async def test_only_an_accepted_hold_that_lives_is_confirmed(country: Country) -> None:
    where = await desk(country, places=5)
    pending, silent, late, released = [await where.hold() for _ in range(4)]
    await where.receiver.post(f"/holds/{late['id']}/acceptance", {"by": "person"}, expect=200)
    for hold in (silent, late):
        await lapse(country, hold["id"])
    await where.intake.post(f"/holds/{released['id']}/release", {"reason": "mistake"}, expect=200)
    declined = await where.hold()
    await where.receiver.post(f"/holds/{declined['id']}/decline", {"reason": "other"}, expect=200)
    expected = {
        pending["id"]: "not_accepted",
        silent["id"]: "not_accepted",
        declined["id"]: "not_accepted",
        late["id"]: "hold_expired",
        released["id"]: "hold_expired",
    }
    for hold_id, code in expected.items():
        assert (
            await problem(where.intake, "/placements", {"holdId": hold_id}, status=409, key=fresh())
            == code
        )
    assert await country.value("SELECT count(*) FROM placements") == 0
    assert await country.value("SELECT count(*) FROM stays") == 0


async def test_a_hold_is_confirmed_once_and_only_by_the_sender(country: Country) -> None:
    where = await desk(country)
    hold = await where.accepted()
    body = {"holdId": hold["id"]}
    assert (
        await problem(where.receiver, "/placements", body, status=404, key=fresh()) == "not_found"
    )
    assert (
        await problem(where.intake, "/placements", body, status=400) == "idempotency_key_required"
    )
    await where.intake.post("/placements", body, key="once")
    assert (
        await problem(where.intake, "/placements", body, status=409, key=fresh())
        == "already_placed"
    )
    repeat = await where.intake.ask("POST", "/placements", json=body, key="once", expect=201)
    assert repeat.headers["Idempotency-Replayed"] == "true"


async def test_a_zone_that_reaches_the_place_forbids_confirming(country: Country) -> None:
    where = await desk(country)
    hold = await where.accepted()
    path = f"/referrals/{hold['referralId']}"

    async def zones(*municipalities: str) -> None:
        tag = (await where.intake.ask("GET", path)).headers["ETag"]
        known = [
            {"municipality": code, "radiusKm": 10, "cause": "work", "until": None}
            for code in municipalities
        ]
        await where.intake.patch(path, {"dangerZones": known}, headers={"If-Match": tag})

    await zones(HERE, THERE)
    body = {"holdId": hold["id"]}
    assert (
        await problem(where.intake, "/placements", body, status=409, key="go") == "no_longer_safe"
    )
    assert (await where.intake.get(f"/holds/{hold['id']}"))["status"] == "accepted"
    assert await country.value("SELECT count(*) FROM placements") == 0
    await zones(HERE, "GM0344")
    await where.intake.post("/placements", body, key="go")


async def test_both_sides_and_nobody_else_see_a_placement(country: Country) -> None:
    where = await desk(country)
    placement = await where.underway()
    path = f"/placements/{placement['id']}"
    sent, received = await where.intake.get(path), await where.receiver.get(path)
    assert received.pop("coming") is not None
    assert sent.pop("coming") is None
    assert sent == received
    assert [item["id"] for item in (await where.receiver.get("/placements"))["items"]] == [
        placement["id"]
    ]
    third = await country.client("intake_worker", "coordinator", provider="third")
    await third.get(path, expect=404)
    assert (await third.get("/placements"))["items"] == []
    for act, body in (("arrival", None), ("no-show", None), ("departure", LEFT)):
        assert await problem(third, f"{path}/{act}", body, status=404) == "not_found"
    await third.patch(path, {"blockers": []}, expect=404)


async def test_only_the_receiver_says_that_they_arrived_or_left(country: Country) -> None:
    where = await desk(country)
    placement = await where.underway()
    path = f"/placements/{placement['id']}"
    assert await problem(where.intake, f"{path}/arrival", status=404) == "not_found"
    assert (
        await problem(where.receiver, f"{path}/departure", LEFT, status=409) == "placement_status"
    )
    await where.receiver.post(f"{path}/arrival", expect=200)
    assert await problem(where.intake, f"{path}/departure", LEFT, status=404) == "not_found"
    assert await problem(where.receiver, f"{path}/arrival", status=409) == "placement_status"
    assert await problem(where.receiver, f"{path}/no-show", status=409) == "placement_status"


@pytest.mark.parametrize("reporter", ["sender", "receiver"])
async def test_after_a_no_show_the_place_is_kept_until_the_sender_knows_that_they_are_safe(
    country: Country, reporter: str
) -> None:
    where = await desk(country)
    placement = await where.underway()
    path = f"/placements/{placement['id']}"
    first = where.intake if reporter == "sender" else where.receiver
    missing = await first.post(f"{path}/no-show", expect=200)
    assert (missing["status"], missing["safetyChecked"]) == ("no_show", False)
    place = f"/places/{where.there.place_ids[0]}"
    assert (await where.receiver.get(place))["status"] != "free"
    assert (
        await problem(where.receiver, f"{path}/no-show", {"safetyChecked": True}, status=403)
        == "forbidden"
    )
    assert (await where.receiver.get(place))["status"] != "free"

    safe = await where.intake.post(f"{path}/no-show", {"safetyChecked": True}, expect=200)
    assert (safe["status"], safe["safetyChecked"]) == ("no_show", True)
    assert (await where.receiver.get(place))["status"] == "free"
    assert (await where.intake.get(f"/referrals/{placement['referralId']}"))["status"] == "open"
    assert await country.value("SELECT count(*) FROM openings") == 0


async def test_a_no_show_checked_again_leaves_the_next_household_alone(country: Country) -> None:
    where = await desk(country)
    first = await where.underway()
    path = f"/placements/{first['id']}/no-show"
    await where.intake.post(path, {"safetyChecked": True}, expect=200)
    next_one = await where.underway()
    await where.intake.post(path, {"safetyChecked": True}, expect=200)
    await where.receiver.post(f"/placements/{next_one['id']}/arrival", expect=200)
    assert await country.value("SELECT placement_id::text FROM claims") == next_one["id"]


async def test_what_is_known_of_a_departure_to_come_is_noted_by_the_receiver(
    country: Country,
) -> None:
    where = await desk(country)
    placement = await where.arrived()
    path = f"/placements/{placement['id']}"
    noted = {
        "expectedDeparture": day_from_now(90),
        "readyToLeaveSince": day_from_now(0),
        "blockers": ["housing"],
    }
    changed = await where.receiver.patch(path, noted)
    assert {name: changed[name] for name in noted} == noted
    assert (await where.receiver.patch(path, {"expectedDeparture": None}))["blockers"] == [
        "housing"
    ]
    await where.intake.patch(path, noted, expect=404)
    await where.receiver.patch(path, noted, headers={"If-Match": '"old"'}, expect=412)


async def test_a_departure_lies_between_the_arrival_and_now(country: Country) -> None:
    where = await desk(country)
    placement = await where.arrived()
    path = f"/placements/{placement['id']}/departure"
    now = datetime.now(UTC)
    for moment in (now - timedelta(days=1), now + timedelta(days=1)):
        refused: Any = await where.receiver.post(
            path, LEFT | {"departedAt": moment.isoformat()}, expect=400
        )
        assert [fault["pointer"] for fault in refused["errors"]] == ["/departedAt"]
    left = await where.receiver.post(
        path, LEFT | {"departedAt": placement["arrivedAt"]}, expect=200
    )
    assert (left["departedAt"], left["blockers"]) == (placement["arrivedAt"], ["housing", "income"])
    assert await problem(where.receiver, path, LEFT, status=409) == "placement_status"
    assert (await where.receiver.get(f"/places/{where.there.place_ids[0]}"))["status"] == "free"
