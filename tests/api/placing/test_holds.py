"""Holds over HTTP: what each side sees and may say, and every refusal."""

from typing import Any

import pytest

from tests.casework import desk, fresh, lapse, problem, wish, wish_for
from tests.country import FAR, Country, referral_body, shelter

REFUSED = {"reason": "staffing"}
RELEASED = {"reason": "found_elsewhere"}
PERSON = {"by": "person"}


async def test_an_own_place_is_accepted_at_once(country: Country) -> None:
    there = await shelter(country)
    hold = await there.coordinator.post("/holds", await wish(there.coordinator), key=fresh())
    assert (hold["status"], hold["acceptedBy"], hold["senderId"]) == (
        "accepted",
        "owner",
        hold["providerId"],
    )
    await there.coordinator.post("/placements", {"holdId": hold["id"]}, key=fresh())


async def test_a_known_site_with_automatic_acceptance_accepts_at_once(country: Country) -> None:
    where = await desk(country, site={"addressSecrecy": "known", "automaticAcceptance": True})
    hold = await where.hold()
    assert (hold["status"], hold["acceptedBy"]) == ("accepted", "automatic")


async def test_a_pending_hold_waits_for_a_person_and_is_kept_longer_once_accepted(
    country: Country,
) -> None:
    where = await desk(country)
    hold = await where.hold()
    assert (hold["status"], hold["acceptedBy"], hold["renewalsLeft"]) == ("pending", None, 2)
    accepted = await where.receiver.post(f"/holds/{hold['id']}/acceptance", PERSON, expect=200)
    assert (accepted["status"], accepted["acceptedBy"]) == ("accepted", "person")
    assert accepted["expiresAt"] > hold["expiresAt"]
    path = f"/holds/{hold['id']}/acceptance"
    assert await problem(where.receiver, path, PERSON, status=409) == "hold_resolved"
    assert await problem(where.receiver, path, {"by": "machine"}, status=400) == "invalid_input"


async def test_a_hold_is_renewed_as_often_as_the_policy_allows(country: Country) -> None:
    where = await desk(country)
    hold = await where.hold()
    left = [
        (await where.intake.post(f"/holds/{hold['id']}/renewals", expect=200))["renewalsLeft"]
        for _ in range(2)
    ]
    assert left == [1, 0]
    assert (
        await problem(where.intake, f"/holds/{hold['id']}/renewals", status=409) == "renewals_spent"
    )


async def test_the_receiver_sees_who_is_coming_only_while_the_hold_lives(country: Country) -> None:
    where = await desk(country)
    known = {"needs": ["cots"], "callBack": "000-555 01 99", "threatLevel": 2, "languages": ["nl"]}
    hold = await where.hold(**known | {"needs": []})
    seen = (await where.receiver.get(f"/holds/{hold['id']}"))["coming"]
    assert seen["household"]["adults"] == [{"gender": "female", "age": 31}]
    assert (seen["threatLevel"], seen["languages"]) == (2, ["nl"])
    assert seen["danger"] == [{"region": "GM0518", "cause": "home"}]
    hidden = {"barredProviders", "nearMunicipality", "callBack", "dangerZones"}
    assert hidden & seen.keys() == set()
    listed = (await where.receiver.get("/holds"))["items"]
    assert [item["coming"] for item in listed] == [seen]

    await lapse(country, hold["id"])
    over = await where.receiver.get(f"/holds/{hold['id']}")
    assert (over["status"], over["coming"]) == ("no_answer", None)
    assert [item["coming"] for item in (await where.receiver.get("/holds"))["items"]] == [None]


@pytest.mark.parametrize("act,body", [("release", RELEASED), ("decline", REFUSED)])
async def test_the_receiver_no_longer_sees_who_was_coming_when_it_is_over(
    country: Country, act: str, body: dict[str, str]
) -> None:
    where = await desk(country)
    hold = await where.accepted()
    assert (await where.receiver.get(f"/holds/{hold['id']}"))["coming"] is not None
    client = where.intake if act == "release" else where.receiver
    ended = await client.post(f"/holds/{hold['id']}/{act}", body, expect=200)
    assert (ended["reason"], ended["coming"]) == (body["reason"], None)
    assert (await where.receiver.get(f"/holds/{hold['id']}"))["coming"] is None


async def test_the_sender_never_sees_the_label_and_the_receiver_never_the_rank(
    country: Country,
) -> None:
    where = await desk(country)
    hold = await where.hold()
    sent, received = [
        await client.get(f"/holds/{hold['id']}") for client in (where.intake, where.receiver)
    ]
    assert (sent["rank"], received["rank"]) == (1, None)
    assert sent["coming"] is None
    assert sent.keys() == received.keys()
    assert (sent["siteId"], sent["placeId"]) == (None, None)  # nobody has accepted
    assert not {"label", "address"} & sent.keys()


async def test_a_third_provider_finds_nothing(country: Country) -> None:
    where = await desk(country)
    hold = await where.hold()
    third = await country.client("intake_worker", "coordinator", provider="third")
    await third.get(f"/holds/{hold['id']}", expect=404)
    assert (await third.get("/holds"))["items"] == []
    await third.ask("DELETE", f"/holds/{hold['id']}", expect=404)
    calls: dict[str, Any] = {
        "renewals": None,
        "release": RELEASED,
        "decline": REFUSED,
        "acceptance": PERSON,
    }
    for act, body in calls.items():
        assert await problem(third, f"/holds/{hold['id']}/{act}", body, status=404) == "not_found"
    assert (
        await problem(third, "/placements", {"holdId": hold["id"]}, status=404, key=fresh())
        == "not_found"
    )


async def test_each_side_may_say_only_its_own_part(country: Country) -> None:
    where = await desk(country)
    hold = await where.hold()
    path = f"/holds/{hold['id']}"
    assert await problem(where.intake, f"{path}/acceptance", PERSON, status=404) == "not_found"
    assert await problem(where.intake, f"{path}/decline", REFUSED, status=404) == "not_found"
    assert await problem(where.receiver, f"{path}/release", RELEASED, status=404) == "not_found"
    assert await problem(where.receiver, f"{path}/renewals", status=404) == "not_found"
    await where.receiver.ask("DELETE", path, expect=404)


async def test_deleting_twice_changes_nothing_the_second_time(country: Country) -> None:
    where = await desk(country)
    hold = await where.hold()
    await where.intake.ask("DELETE", f"/holds/{hold['id']}", expect=204)
    notices = await country.value("SELECT count(*) FROM outbox")
    await where.intake.ask("DELETE", f"/holds/{hold['id']}", expect=204)
    assert await country.value("SELECT count(*) FROM outbox") == notices
    assert (await where.intake.get(f"/holds/{hold['id']}"))["status"] == "released"
    assert (await where.intake.get(f"/referrals/{hold['referralId']}"))["status"] == "open"


async def test_a_hold_that_ran_out_may_be_deleted_and_one_that_was_placed_may_not(
    country: Country,
) -> None:
    where = await desk(country, places=2)
    late, placed = await where.hold(), await where.accepted()
    await lapse(country, late["id"])
    await where.intake.ask("DELETE", f"/holds/{late['id']}", expect=204)
    await where.intake.post("/placements", {"holdId": placed["id"]}, key=fresh())
    response = await where.intake.ask("DELETE", f"/holds/{placed['id']}", expect=409)
    assert response.json()["code"] == "already_placed"


@pytest.mark.parametrize("act,body", [("release", RELEASED), ("renewals", None)])
async def test_what_is_over_is_neither_released_nor_renewed(
    country: Country, act: str, body: object
) -> None:
    where = await desk(country, places=2)
    late, released = await where.accepted(), await where.hold()
    await lapse(country, late["id"])
    await where.intake.post(f"/holds/{released['id']}/release", RELEASED, expect=200)
    assert (
        await problem(where.intake, f"/holds/{late['id']}/{act}", body, status=409)
        == "hold_expired"
    )
    assert (
        await problem(where.intake, f"/holds/{released['id']}/{act}", body, status=409)
        == "hold_resolved"
    )


async def test_an_offer_below_the_first_needs_a_reason_and_the_first_keeps_none(
    country: Country,
) -> None:
    where = await desk(country)
    await shelter(country, "eik", site={"municipality": FAR})
    referral = await where.intake.post("/referrals", referral_body())
    ranking = await where.intake.post(f"/referrals/{referral['id']}/rankings")
    second = {
        "referralId": referral["id"],
        "rankingId": ranking["id"],
        "offerId": ranking["offers"][1]["offerId"],
    }
    refused = await where.intake.ask("POST", "/holds", json=second, key="k", expect=400)
    assert refused.json()["code"] == "override_reason_required"
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/overrideReason"]
    unknown = second | {"overrideReason": "because"}
    assert await problem(where.intake, "/holds", unknown, status=400, key="k") == "invalid_input"
    hold = await where.intake.post("/holds", second | {"overrideReason": "transport"}, key="k")
    seen = await where.intake.get(f"/holds/{hold['id']}")
    assert (seen["rank"], seen["overrideReason"]) == (2, "transport")

    await where.intake.ask("DELETE", f"/holds/{hold['id']}", expect=204)
    first = second | {"offerId": ranking["offers"][0]["offerId"], "overrideReason": "transport"}
    assert (await where.intake.post("/holds", first, key=fresh()))["overrideReason"] is None


async def test_a_hold_needs_a_key(country: Country) -> None:
    where = await desk(country)
    assert (
        await problem(where.intake, "/holds", await where.wish(), status=400)
        == "idempotency_key_required"
    )


async def test_when_the_last_place_is_held_the_offer_is_gone(country: Country) -> None:
    where = await desk(country)
    late = await where.wish()
    await where.hold()
    assert await problem(where.intake, "/holds", late, status=409, key=fresh()) == "offer_gone"
    referral = await where.intake.get(f"/referrals/{late['referralId']}")
    assert (referral["status"], referral["holdId"]) == ("open", None)


async def test_a_referral_that_is_held_placed_ended_or_withdrawn_is_not_open(
    country: Country,
) -> None:
    where = await desk(country, places=3)
    referral = await where.intake.post("/referrals", referral_body())
    wanted = await wish_for(where.intake, referral["id"])
    again = await wish_for(where.intake, referral["id"])
    hold = await where.intake.post("/holds", wanted, key=fresh())
    assert (
        await problem(where.intake, "/holds", again, status=409, key=fresh()) == "referral_not_open"
    )
    await where.receiver.post(f"/holds/{hold['id']}/acceptance", PERSON, expect=200)
    placement = await where.intake.post("/placements", {"holdId": hold["id"]}, key=fresh())
    assert (
        await problem(where.intake, "/holds", again, status=409, key=fresh()) == "referral_not_open"
    )
    await where.receiver.post(f"/placements/{placement['id']}/arrival", expect=200)
    await where.receiver.post(
        f"/placements/{placement['id']}/departure", {"destination": "own_home"}, expect=200
    )
    assert (
        await problem(where.intake, "/holds", again, status=409, key=fresh()) == "referral_not_open"
    )
    withdrawn = await where.wish()
    await where.intake.post(
        f"/referrals/{withdrawn['referralId']}/withdrawal", {"reason": "mistake"}, expect=200
    )
    assert (
        await problem(where.intake, "/holds", withdrawn, status=409, key=fresh())
        == "referral_not_open"
    )
