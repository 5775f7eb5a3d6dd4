"""What a receiver learns before a person there accepts, and who hears of a look at more."""

from typing import Any

import pytest

from tests.casework import desk, fresh, problem
from tests.country import HERE, THERE, Country, shelter

FEARED = "GM0453"
"""Velsen, in the region of Haarlem: feared for work; Den Haag is its own region."""
SECRETS = {
    "dangerZones": [
        {"municipality": HERE, "radiusKm": 50, "cause": "home"},
        {"municipality": FEARED, "radiusKm": 30, "cause": "work"},
    ],
    "perpetratorWhereabouts": "known",
    "threatLevel": 2,
    "callBack": "000-555 02 02",
    "languages": ["ti"],
    "targetGroups": ["honour_based_abuse"],
}
HIDDEN = (HERE, FEARED, "radiusKm", "perpetratorWhereabouts", "callBack", "000-555 02 02")


async def test_a_pending_hold_shows_what_an_acceptance_is_about_and_the_rest_comes_after_it(
    country: Country,
) -> None:
    where = await desk(country)
    hold = await where.hold(**SECRETS, dangerAssessment="assessed")
    path = f"/holds/{hold['id']}"

    listed = (await where.receiver.get("/holds"))["items"][0]["coming"]
    coming = (await where.receiver.get(path))["coming"]
    assert listed == coming
    # The code of a region is that of its lead municipality, which tells no more than the region.
    assert coming["originRegion"] == HERE
    assert coming["danger"] == [
        {"region": "GM0392", "cause": "work"},
        {"region": HERE, "cause": "home"},
    ]
    assert coming["clearance"] in {"ample", "sufficient"}
    assert (coming["threatLevel"], coming["languages"]) == (2, ["ti"])
    assert (coming["targetGroups"], coming["switchboard"]) == (
        ["honour_based_abuse"],
        "000-555 01 01",
    )
    kept = {name: one for name, one in coming.items() if name not in {"originRegion", "danger"}}
    assert [word for word in HIDDEN if word in str(kept)] == []
    assert (await where.intake.get(path))["coming"] is None

    await where.receiver.post(f"{path}/acceptance", {"by": "person"}, expect=200)
    whole = (await where.receiver.get(path))["coming"]
    assert [zone["municipality"] for zone in whole["dangerZones"]] == [HERE, FEARED]
    assert (whole["perpetratorWhereabouts"], whole["callBack"]) == ("known", "000-555 02 02")


async def test_a_look_at_the_municipalities_is_logged_first_and_the_sender_is_told(
    country: Country,
) -> None:
    where = await desk(country)
    hold = await where.hold(**SECRETS, dangerAssessment="assessed")
    path = f"/holds/{hold['id']}/danger-looks"
    newest = await country.value("SELECT max(id) FROM outbox")

    assert await problem(where.receiver, path, {"reason": "curious"}, status=400)
    looked = await where.receiver.ask("POST", path, json={"reason": "network"}, expect=200)

    assert looked.headers["cache-control"] == "no-store"
    assert looked.json() == {
        "originMunicipality": HERE,
        "dangerZones": [
            {"municipality": HERE, "cause": "home"},
            {"municipality": FEARED, "cause": "work"},
        ],
    }
    accesses = (await where.intake.get(f"/referrals/{hold['referralId']}/accesses"))["items"]
    assert [
        (one["action"], one["purpose"]) for one in accesses if one["action"] == "danger_look"
    ] == [("danger_look", "network")]
    boss = await country.client("coordinator", provider="haven")
    (notice,) = (await boss.get("/access-notices"))["items"]
    assert (notice["action"], notice["holdId"], notice["purpose"]) == (
        "danger_look",
        hold["id"],
        "network",
    )
    told = await country.rows(
        "SELECT subject, audience FROM outbox WHERE id > :id AND kind = 'access'", id=newest
    )
    assert [(row.subject, row.audience) for row in told] == [
        (notice["eventId"], [country.providers["haven"]])
    ]
    third = await country.client("coordinator", provider="third")
    assert (await third.get("/access-notices"))["items"] == []
    for stranger in (third, where.intake):
        await stranger.post(path, {"reason": "network"}, expect=404)
    await where.receiver.post(f"/holds/{hold['id']}/decline", {"reason": "staffing"}, expect=200)
    await where.receiver.post(path, {"reason": "network"}, expect=404)


async def test_without_an_entry_in_the_log_nothing_is_shown(country: Country) -> None:
    where = await desk(country)
    hold = await where.hold()
    await country.rows("REVOKE INSERT ON access_log FROM plek_app")
    path = f"/holds/{hold['id']}/danger-looks"
    refused = await where.receiver.ask("POST", path, json={"reason": "near_here"})
    await country.rows("GRANT INSERT ON access_log TO plek_app")
    assert (refused.status_code, HERE in refused.text) == (503, False)


@pytest.mark.parametrize(
    "danger, clearance",
    [
        ({"dangerAssessment": "not_asked", "dangerZones": []}, "not_assessed"),
        ({"dangerAssessment": "none_known", "dangerZones": []}, "ample"),
    ],
)
async def test_how_much_room_there_is_is_said_in_one_word(
    country: Country, danger: dict[str, Any], clearance: str
) -> None:
    where = await desk(country)
    hold = await where.hold(**danger)
    coming = (await where.receiver.get(f"/holds/{hold['id']}"))["coming"]
    assert (coming["clearance"], coming["danger"]) == (clearance, [])


async def test_an_acceptance_may_be_declined_for_the_policys_minutes_and_as_long_as_it_is_unsafe(
    country: Country,
) -> None:
    where = await desk(country, places=2)
    earlier = "UPDATE holds SET accepted_at = accepted_at - interval '31 minutes' WHERE id = :id"
    first, second = await where.accepted(), await where.accepted()
    decline = {"reason": "too_near_perpetrator"}

    await where.receiver.post(f"/holds/{first['id']}/decline", decline, expect=200)
    await country.rows(earlier, id=second["id"])
    path = f"/holds/{second['id']}/decline"
    assert await problem(where.receiver, path, decline, status=409) == "acceptance_stands"
    referral = f"/referrals/{second['referralId']}"
    tag = (await where.intake.ask("GET", referral)).headers["ETag"]
    near = {"dangerZones": [{"municipality": THERE, "radiusKm": 10, "cause": "family"}]}
    await where.intake.ask("PATCH", referral, json=near, headers={"If-Match": tag}, expect=200)
    await where.receiver.post(path, decline, expect=200)


async def test_a_place_that_accepts_by_itself_shows_no_more_before_they_are_on_their_way(
    country: Country,
) -> None:
    site = {"name": "Es", "addressSecrecy": "known", "automaticAcceptance": True}
    where = await desk(country)
    await where.receiver.patch(f"/sites/{where.there.site_id}", {"admission": "paused"})
    await shelter(country, site=site)
    hold = await where.hold()
    assert (hold["status"], hold["acceptedBy"]) == ("accepted", "automatic")
    path = f"/holds/{hold['id']}"
    assert "originRegion" in (await where.receiver.get(path))["coming"]
    await where.intake.post("/placements", {"holdId": hold["id"]}, key=fresh())
    assert "dangerZones" in (await where.receiver.get(path))["coming"]
