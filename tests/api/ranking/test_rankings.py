"""Rankings over HTTP: recorded, replayed, and read by those whom they concern."""

import json
from typing import Any

from tests.casework import desk, fresh, problem
from tests.country import FAR, HERE, THERE, Country, place_body, referral_body, shelter


async def test_a_ranking_replays_identically_after_everything_has_changed(country: Country) -> None:
    where = await desk(country, places=3)
    wanted = await where.wish()
    path = f"/rankings/{wanted['rankingId']}"
    first = await where.intake.get(path)
    await where.hold()
    await where.receiver.post("/places", place_body(where.there.site_id, bedSpaces=2))
    await where.receiver.patch(f"/sites/{where.there.site_id}", {"admission": "paused"})
    tag = {"If-Match": "*"}
    await where.intake.patch(
        f"/referrals/{wanted['referralId']}", {"urgency": "planned"}, headers=tag
    )
    assert await where.intake.get(path) == first
    assert await where.intake.post(f"{path}/replays", expect=200) == {
        "identical": True,
        "offers": None,
        "ownRegion": None,
    }


async def test_a_ranking_that_was_tampered_with_does_not_replay_identically(
    country: Country,
) -> None:
    where = await desk(country)
    wanted = await where.wish()
    await country.rows("UPDATE rankings SET digest = 'sha256:0'")
    replay = await where.intake.post(f"/rankings/{wanted['rankingId']}/replays", expect=200)
    assert replay["identical"] is False


async def test_a_ranking_whose_rules_are_gone_is_not_made_again_by_others(country: Country) -> None:
    where = await desk(country)
    wanted = await where.wish()
    path = f"/rankings/{wanted['rankingId']}"
    await country.rows("UPDATE rankings SET rules_version = '0'")
    assert await problem(where.intake, f"{path}/replays", status=409) == "rules_unknown"
    assert "made by version 0 of the rules" in (await where.intake.get(path, expect=409))["detail"]


async def test_the_limit_counts_providers_in_regions_and_not_offers(country: Country) -> None:
    where = await desk(country)
    for kind, beds in (("crisis", 5), ("crisis", 6), ("regular", 7)):
        there = place_body(where.there.site_id, bedSpaces=beds, kind=kind)
        await where.receiver.post("/places", there)
    await shelter(country, "eik", site={"municipality": FAR}, kind="emergency")
    referral = await where.intake.post("/referrals", referral_body())
    path = f"/referrals/{referral['id']}/rankings"
    shown = await where.intake.post(path, {"limit": 1})
    assert [(offer["rank"], offer["kind"]) for offer in shown["offers"]] == [
        (1, "crisis"),
        (2, "regular"),
    ]
    again = f"/rankings/{shown['id']}"
    assert [offer["rank"] for offer in (await where.intake.get(again))["offers"]] == [1, 2, 3]
    assert (await where.intake.get(f"{again}?limit=1"))["offers"] == shown["offers"]
    for limit in (0, 26, "2", True):
        assert await problem(where.intake, path, {"limit": limit}, status=400) == "invalid_input"
    await where.intake.get(f"{again}?limit=26", expect=400)


async def test_where_nothing_was_asked_every_offer_says_so_and_the_origin_is_a_zone(
    country: Country,
) -> None:
    where = await desk(country)
    near = await shelter(country, "near", site={"municipality": HERE})
    unasked = referral_body(dangerAssessment="not_asked", dangerZones=[])
    referral = await where.intake.post("/referrals", unasked)
    ranking = await where.intake.post(f"/referrals/{referral['id']}/rankings")
    assert ranking["safetyAssessed"] is False
    assert [offer["provider"]["id"] for offer in ranking["offers"]] == [
        str(await country.provider("linde"))
    ]
    assert {left["rule"] for left in ranking["excluded"]} == {"danger"}
    assert near.site_id not in json.dumps(ranking)


async def test_another_provider_finds_no_ranking(country: Country) -> None:
    where = await desk(country)
    wanted = await where.wish()
    await where.receiver.get(f"/rankings/{wanted['rankingId']}", expect=404)
    assert (
        await problem(where.receiver, f"/rankings/{wanted['rankingId']}/replays", status=404)
        == "not_found"
    )


async def test_only_auditors_of_the_regions_concerned_replay_a_ranking(country: Country) -> None:
    where = await desk(country)
    wanted = await where.wish()
    path = f"/rankings/{wanted['rankingId']}/replays"
    origin, receiving, other = [
        await country.client("auditor", region=region) for region in (HERE, THERE, FAR)
    ]
    assert (await origin.post(path, expect=200))["identical"] is True
    assert await problem(other, path, status=404) == "not_found"
    assert await problem(receiving, path, status=404) == "not_found"

    hold = await where.intake.post("/holds", wanted, key=fresh())
    await where.receiver.post(f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=200)
    await where.intake.post("/placements", {"holdId": hold["id"]}, key=fresh())
    assert (await receiving.post(path, expect=200))["identical"] is True
    assert await problem(other, path, status=404) == "not_found"


def names_in(value: Any) -> set[str]:
    """Return every name in a JSON value."""
    if isinstance(value, dict):
        return value.keys() | {name for part in value.values() for name in names_in(part)}
    return {name for part in value for name in names_in(part)} if isinstance(value, list) else set()


async def test_an_auditor_sees_order_regions_and_points_and_nothing_about_danger(
    country: Country,
) -> None:
    where = await desk(country)
    await shelter(country, "eik", site={"municipality": FAR})
    wanted = await where.wish(nearMunicipality="GM0150")
    auditor = await country.client("auditor", region=HERE)
    replay = await auditor.post(f"/rankings/{wanted['rankingId']}/replays", expect=200)
    assert [offer["rank"] for offer in replay["offers"]] == [1, 2]
    assert {offer["region"]["code"] for offer in replay["offers"]} == {THERE, FAR}
    own = await where.intake.get(f"/rankings/{wanted['rankingId']}")
    assert "nearness" in {line["factor"] for line in own["offers"][0]["points"]}
    assert {line["factor"] for offer in replay["offers"] for line in offer["points"]} & {
        "nearness",
        "safety",
    } == set()
    told = {
        "clearanceKm",
        "safety",
        "band",
        "excluded",
        "dangerZones",
        "offerId",
        "provider",
        "referralId",
        "free",
    }
    assert names_in(replay) & told == set()
    assert "danger" not in json.dumps(replay).lower()


async def test_the_score_that_an_auditor_sees_does_not_tell_the_distance_that_is_left_out(
    country: Country,
) -> None:
    where = await desk(country)
    wanted = await where.wish(nearMunicipality="GM0150")
    auditor = await country.client("auditor", region=HERE)
    replay = await auditor.post(f"/rankings/{wanted['rankingId']}/replays", expect=200)
    for offer in replay["offers"]:
        assert offer["score"] == sum(line["points"] for line in offer["points"])
