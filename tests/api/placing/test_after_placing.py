"""Changes while a household has a place.

Site, danger, blockers and the day of return.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from tests.casework import Desk, day_from_now, desk, fresh, pass_days, problem, wish
from tests.country import (
    FAR,
    HERE,
    THERE,
    Client,
    Country,
    approve,
    let_work,
    move_site,
    referral_body,
    shelter,
)
from tests.dues import live, ring
from tests.ledger_stays import local_today

NEAR = {"municipality": THERE, "radiusKm": 10, "cause": "family", "until": None}
HOME = {"municipality": HERE, "radiusKm": 50, "cause": "home", "until": None}
TOLD = (
    "SELECT count(*) FROM outbox WHERE kind = :kind AND subject = :id AND cardinality(audience) = 2"
)


async def know(intake: Client, referral_id: str, **changes: Any) -> dict[str, Any]:
    """Change what is known of a referral."""
    path = f"/referrals/{referral_id}"
    tag = (await intake.ask("GET", path)).headers["ETag"]
    return await intake.patch(path, changes, headers={"If-Match": tag})


async def both(where: Desk, thing: dict[str, Any], *, of: str) -> list[Any]:
    """Return what both providers see of a hold or a placement."""
    return [await client.get(f"/{of}/{thing['id']}") for client in (where.intake, where.receiver)]


async def test_a_compromised_site_turns_away_who_is_not_there_and_calls_on_those_who_have_people_there(
    country: Country,
) -> None:
    where = await desk(country, places=4)
    there, coming, held = await where.arrived(), await where.underway(), await where.accepted()
    eik = await shelter(country, "eik", site={"municipality": FAR})
    site = f"/sites/{where.there.site_id}"

    await where.receiver.patch(site, {"compromised": "perpetrator_seen"})
    turned = await where.intake.get(f"/holds/{held['id']}")
    assert (turned["status"], turned["reason"]) == ("declined", "site_unsafe")
    for placement in (there, coming):
        assert [seen["replace"] for seen in await both(where, placement, of="placements")] == [
            True,
            True,
        ]
        assert await country.value(TOLD, kind="alarm", id=placement["id"]) == 1
    assert await country.value("SELECT count(*) FROM outbox WHERE kind = 'alarm'") == 2
    again = await where.intake.post("/referrals", referral_body())
    ranking = await where.intake.post(f"/referrals/{again['id']}/rankings")
    assert [offer["provider"]["id"] for offer in ranking["offers"]] == [
        str(country.providers["eik"])
    ]
    assert {excluded["rule"] for excluded in ranking["excluded"]} == {"admission"}

    offer = {
        "referralId": again["id"],
        "rankingId": ranking["id"],
        "offerId": ranking["offers"][0]["offerId"],
    }
    hold = await where.intake.post("/holds", offer, key=fresh())
    await eik.coordinator.post(f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=200)
    body = {"holdId": hold["id"], "previousPlacementId": there["id"]}
    moved = await where.intake.post("/placements", body, key=fresh())
    kept = await where.receiver.get(f"/placements/{there['id']}")
    assert (kept["status"], kept["replace"], moved["replace"]) == ("arrived", True, False)
    await eik.coordinator.post(f"/placements/{moved['id']}/arrival", expect=200)
    assert (await where.receiver.get(f"/placements/{there['id']}"))["replace"] is False

    assert (await where.receiver.patch(site, {"compromised": None}))["compromisedSince"] is None
    assert [seen["replace"] for seen in await both(where, coming, of="placements")] == [
        False,
        False,
    ]
    assert await country.value(TOLD, kind="alarm", id=coming["id"]) == 2


async def test_the_alarm_reaches_a_shielded_household_of_which_the_coordinator_sees_nothing(
    country: Country,
) -> None:
    there = await shelter(country)
    desk_at_home = await country.client("intake_worker", provider="linde")
    wanted = await wish(desk_at_home)
    await desk_at_home.ask(
        "PUT", f"/referrals/{wanted['referralId']}/shield", json={"colleagues": []}, expect=200
    )
    hold = await desk_at_home.post("/holds", wanted, key=fresh())
    placement = await desk_at_home.post("/placements", {"holdId": hold["id"]}, key=fresh())
    await there.coordinator.patch(f"/sites/{there.site_id}", {"compromised": "address_exposed"})
    await there.coordinator.get(f"/placements/{placement['id']}", expect=404)
    assert (await desk_at_home.get(f"/placements/{placement['id']}"))["replace"] is True
    alarms = await country.rows("SELECT subject, audience FROM outbox WHERE kind = 'alarm'")
    assert [(row.subject, len(row.audience)) for row in alarms] == [(placement["id"], 2)]


async def test_a_hold_that_was_taken_as_the_site_was_given_up_is_never_confirmed(
    country: Country,
) -> None:
    where = await desk(country)
    held = await where.accepted()
    await country.rows(
        "UPDATE sites SET compromised_because = 'threat', compromised_since = clock_timestamp()"
    )
    body = {"holdId": held["id"]}
    assert (
        await problem(where.intake, "/placements", body, status=409, key=fresh())
        == "no_longer_safe"
    )


async def test_a_danger_that_reaches_a_hold_or_a_stay_alerts_both_providers_and_says_no_more(
    country: Country,
) -> None:
    where = await desk(country, places=2)
    held, there = await where.accepted(), await where.arrived()
    for thing, of in ((held, "holds"), (there, "placements")):
        referral_id = thing["referralId"]
        await know(where.intake, referral_id, languages=["nl"])
        assert [seen["unsafeSince"] for seen in await both(where, thing, of=of)] == [None, None]
        await know(
            where.intake, referral_id, dangerZones=[HOME, NEAR | {"until": f"{local_today()}"}]
        )
        seen = await both(where, thing, of=of)
        assert None not in {one["unsafeSince"] for one in seen}
        await know(where.intake, referral_id, dangerZones=[HOME, NEAR])
        assert await country.value(TOLD, kind="alarm", id=thing["id"]) == 1
        await know(where.intake, referral_id, dangerZones=[HOME])
        assert [seen["unsafeSince"] for seen in await both(where, thing, of=of)] == [None, None]
        assert await country.value(TOLD, kind="alarm", id=thing["id"]) == 2
    assert "dangerZones" not in await where.receiver.get(f"/placements/{there['id']}")


async def test_a_site_that_moves_or_becomes_known_is_compared_with_everybody_there(
    country: Country,
) -> None:
    where = await desk(country, places=2)
    held, there = await where.accepted(threatLevel=3), await where.arrived()
    site = f"/sites/{where.there.site_id}"
    await let_work(country, HERE, THERE)
    await move_site(country, where.receiver, where.there.site_id, addressSecrecy="known")
    assert (await where.receiver.get(f"/holds/{held['id']}"))["unsafeSince"] is not None
    assert (await where.receiver.get(f"/placements/{there['id']}"))["unsafeSince"] is None
    await where.receiver.patch(site, {"addressSecrecy": "confidential", "municipality": HERE})
    assert (await where.intake.get(f"/placements/{there['id']}"))["unsafeSince"] is None
    await approve(country, where.there.site_id)
    assert (await where.intake.get(f"/placements/{there['id']}"))["unsafeSince"] is not None
    body = {"holdId": held["id"]}
    refused = await where.intake.post("/placements", body, expect=409, key=fresh())
    assert (refused["code"], refused["rules"]) == ("no_longer_safe", ["danger"])


async def test_confirming_names_every_rule_that_stands_in_the_way_by_now(country: Country) -> None:
    where = await desk(country)
    held = await where.accepted()
    family = {
        "adults": [{"gender": "female", "age": 31}],
        "children": [{"age": 4, "gender": "female"}] * 4,
    }
    await know(
        where.intake, held["referralId"], household=family, needs=["wheelchair"], urgency="planned"
    )
    refused = await where.intake.post(
        "/placements", {"holdId": held["id"]}, expect=409, key="once more"
    )
    assert (refused["code"], refused["rules"]) == ("no_longer_lawful", ["kind", "size", "features"])
    await know(
        where.intake,
        held["referralId"],
        urgency="urgent",
        household=family | {"children": []},
        needs=[],
    )
    await where.intake.post("/placements", {"holdId": held["id"]}, key="once more")


async def test_blockers_and_readiness_are_kept_while_they_last_and_close_with_the_departure(
    country: Country,
) -> None:
    where = await desk(country)
    there = await where.arrived()
    path = f"/placements/{there['id']}"
    for codes in (["housing"], ["debt", "housing"], ["debt"], ["debt", "housing"]):
        seen = await where.receiver.patch(path, {"blockers": codes})
        assert [blocker["code"] for blocker in seen["currentBlockers"]] == codes
    await pass_days(country, 9)
    before, later = day_from_now(-8), day_from_now(-2)
    for day in (before, before, None, later):
        await where.receiver.patch(path, {"readyToLeaveSince": day})
    assert (await where.intake.get(path))["currentBlockers"] == seen["currentBlockers"]
    blocked = "SELECT code, until IS NULL AS open FROM blocker_periods ORDER BY code, since"
    assert [tuple(row) for row in await country.rows(blocked)] == [
        ("debt", True),
        ("housing", False),
        ("housing", True),
    ]
    readied = (
        "SELECT since::text AS day, until IS NULL AS open FROM ready_periods ORDER BY noted_at"
    )
    assert [tuple(row) for row in await country.rows(readied)] == [
        (before, False),
        (later, True),
    ]
    auditor = await country.hashed("auditor", region=THERE)
    async with country.parts.database.transaction(auditor) as tx:
        assert await tx.run(text("SELECT 1 FROM blocker_periods")) == 0

    left = await where.receiver.post(
        f"{path}/departure", {"destination": "new_home", "blockers": ["debt"]}, expect=200
    )
    assert (left["blockers"], left["currentBlockers"]) == (["debt"], [])
    open_ones = (
        "SELECT (SELECT count(*) FROM blocker_periods WHERE until IS NULL) + count(*) FROM "
        "ready_periods"
    )
    assert await country.value(f"{open_ones} WHERE until IS NULL") == 0


async def test_who_left_for_want_of_room_goes_back_by_a_day_that_rings_for_both_once(
    country: Country,
) -> None:
    where = await desk(country, places=2)
    safe = await where.accepted()
    body = {"holdId": safe["id"], "returnBy": f"{local_today() + timedelta(days=90)}"}
    refused: Any = await where.intake.post("/placements", body, expect=400, key=fresh())
    assert [fault["pointer"] for fault in refused["errors"]] == ["/returnBy"]
    placement = await where.arrived(
        reason="capacity", dangerAssessment="none_known", dangerZones=[]
    )
    path = f"/placements/{placement['id']}"
    assert (placement["returnBy"], placement["returnAgreement"]) == (None, "missing")
    yesterday = f"{local_today() - timedelta(days=1)}"
    agreed = await where.intake.patch(path, {"returnBy": yesterday})
    assert (agreed["returnBy"], agreed["returnAgreement"]) == (yesterday, "agreed")
    await where.intake.patch(path, {"returnBy": yesterday, "blockers": []}, expect=404)

    due = [("planned_return", placement["id"], whose) for whose in ("haven", "linde")]
    assert [sorted(await ring(country)), await ring(country)] == [due, []]
    await where.receiver.patch(path, {"returnBy": "2026-01-01"})
    assert sorted(await ring(country)) == due
    await where.receiver.patch(path, {"returnBy": None})
    assert await live(country, "planned_return") == set()
