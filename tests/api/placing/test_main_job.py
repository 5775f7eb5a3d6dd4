"""The main job over HTTP.

From a referral to the departure, as both providers see it.
"""

from typing import Any

from tests.country import FIRST_LEAF, THERE, Country, referral_body, shelter


async def test_a_household_goes_from_referral_to_departure(country: Country) -> None:
    receiving = await shelter(country, "linde", places=2)
    intake = await country.client("intake_worker", provider="haven")

    referral = await intake.post("/referrals", referral_body())
    assert referral["status"] == "open"
    ranking = await intake.post(f"/referrals/{referral['id']}/rankings")
    offer = ranking["offers"][0]
    assert offer["region"]["code"] == THERE
    assert offer["score"] == sum(line["points"] for line in offer["points"])
    assert offer["clearanceKm"] >= 50
    assert ranking["considered"] == 2

    wanted = {"referralId": referral["id"], "rankingId": ranking["id"], "offerId": offer["offerId"]}
    hold = await intake.post("/holds", wanted, key="night-1")
    assert (hold["status"], hold["providerId"]) == ("pending", offer["provider"]["id"])
    assert (await intake.get(f"/referrals/{referral['id']}"))["status"] == "held"

    seen = await receiving.coordinator.get(f"/holds/{hold['id']}")
    assert seen["coming"]["household"]["children"] == [{"age": 4, "gender": "male"}]
    assert (await intake.get(f"/holds/{hold['id']}"))["coming"] is None
    accepted = await receiving.coordinator.post(
        f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=200
    )
    assert accepted["status"] == "accepted"

    placement = await intake.post("/placements", {"holdId": hold["id"]}, key="night-2")
    assert (placement["status"], placement["crossRegional"], placement["receiving"]) == (
        "underway",
        True,
        THERE,
    )
    arrival = await receiving.coordinator.post(f"/placements/{placement['id']}/arrival", expect=200)
    assert (arrival["status"], arrival["ledgerLeaf"]) == ("arrived", FIRST_LEAF)
    departure = await receiving.coordinator.post(
        f"/placements/{placement['id']}/departure",
        {"destination": "new_home", "blockers": ["housing"]},
        expect=200,
    )
    assert (departure["status"], departure["ledgerLeaf"]) == ("ended", FIRST_LEAF + 1)

    statuses = [
        (await receiving.coordinator.get(f"/places/{id_}"))["status"] for id_ in receiving.place_ids
    ]
    assert statuses == ["free", "free"]
    assert (await intake.get(f"/referrals/{referral['id']}"))["status"] == "ended"
    assert (await intake.get(f"/rankings/{ranking['id']}"))["offers"] == ranking["offers"]
    replayed: Any = await intake.post(f"/rankings/{ranking['id']}/replays", expect=200)
    assert replayed["identical"] is True


async def test_a_placement_in_the_own_region_writes_no_leaf(country: Country) -> None:
    await shelter(country, "linde")
    intake = await country.client("intake_worker", provider="linde")
    near = referral_body(
        originMunicipality="GM0150", dangerZones=[{"municipality": "GM0518", "radiusKm": 50}]
    )
    origin = await country.value(
        "SELECT code FROM municipalities WHERE region = 'GM0193' AND code <> 'GM0193' LIMIT 1"
    )
    near["originMunicipality"] = origin
    referral = await intake.post("/referrals", near)
    ranking = await intake.post(f"/referrals/{referral['id']}/rankings")
    wanted = {
        "referralId": referral["id"],
        "rankingId": ranking["id"],
        "offerId": ranking["offers"][0]["offerId"],
    }
    hold = await intake.post("/holds", wanted, key="a")
    assert (hold["status"], hold["acceptedBy"]) == ("accepted", "owner")
    placement = await intake.post("/placements", {"holdId": hold["id"]}, key="b")
    coordinator = await country.client("coordinator", provider="linde")
    arrival = await coordinator.post(f"/placements/{placement['id']}/arrival", expect=200)
    assert (placement["crossRegional"], arrival["ledgerLeaf"]) == (False, None)
    assert await country.value("SELECT count(*) FROM openings") == 0
