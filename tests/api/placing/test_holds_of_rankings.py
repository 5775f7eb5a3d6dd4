"""A hold's demands on its ranking: an offer of its own, recent, and not outdated."""

import pytest

from tests.casework import desk, fresh, lapse, problem, wish_for
from tests.country import FAR, HERE, THERE, Country, approve, place_body, referral_body, shelter

ZONE = {"municipality": HERE, "radiusKm": 50, "cause": "home", "until": None}


async def test_a_zone_added_after_the_ranking_outdates_it(country: Country) -> None:
    where = await desk(country)
    wanted = await where.wish()
    path = f"/referrals/{wanted['referralId']}"
    tag = (await where.intake.ask("GET", path)).headers["ETag"]
    zones = [ZONE, ZONE | {"municipality": "GM0344", "radiusKm": 10}]
    await where.intake.patch(path, {"dangerZones": zones}, headers={"If-Match": tag})
    assert (
        await problem(where.intake, "/holds", wanted, status=409, key=fresh()) == "ranking_outdated"
    )
    await where.intake.post(
        "/holds", await wish_for(where.intake, wanted["referralId"]), key=fresh()
    )


async def test_a_change_that_changes_nothing_outdates_nothing(country: Country) -> None:
    where = await desk(country)
    wanted = await where.wish()
    path = f"/referrals/{wanted['referralId']}"
    tag = (await where.intake.ask("GET", path)).headers["ETag"]
    await where.intake.patch(path, {"urgency": "acute"}, headers={"If-Match": tag})
    await where.intake.post("/holds", wanted, key=fresh())


@pytest.mark.parametrize(
    "change", [{"admission": "paused"}, {"features": ["cots"]}, {"municipality": "GM0148"}]
)
async def test_a_site_revised_after_the_ranking_outdates_it(
    country: Country, change: dict[str, object]
) -> None:
    where = await desk(country)
    wanted = await where.wish()
    await where.receiver.patch(f"/sites/{where.there.site_id}", change)
    if "municipality" in change:
        await approve(country, where.there.site_id)
    assert (
        await problem(where.intake, "/holds", wanted, status=409, key=fresh()) == "ranking_outdated"
    )


async def test_another_site_and_a_confirmation_outdate_nothing(country: Country) -> None:
    where = await desk(country)
    other = await shelter(country, "eik", site={"municipality": FAR}, kind="regular")
    wanted = await where.wish()
    await other.coordinator.patch(f"/sites/{other.site_id}", {"admission": "paused"})
    await where.receiver.post(f"/sites/{where.there.site_id}/confirmations")
    await where.intake.post("/holds", wanted, key=fresh())


async def test_a_ranking_older_than_the_policys_minutes_is_outdated(country: Country) -> None:
    where = await desk(country, places=2)
    late, early = await where.wish(), await where.wish()
    age = "UPDATE rankings SET as_of = as_of - make_interval(mins => 15, secs => :s) WHERE id = :id"
    await country.rows(age, s=1.0, id=late["rankingId"])
    await country.rows(age, s=-60.0, id=early["rankingId"])
    assert (
        await problem(where.intake, "/holds", late, status=409, key=fresh()) == "ranking_outdated"
    )
    await where.intake.post("/holds", early, key=fresh())


async def test_a_site_that_declined_is_not_offered_again_and_cannot_be_held_by_the_old_ranking(
    country: Country,
) -> None:
    where = await desk(country, places=2)
    wanted = await where.wish()
    hold = await where.intake.post("/holds", wanted, key=fresh())
    await where.receiver.post(
        f"/holds/{hold['id']}/decline", {"reason": "too_near_perpetrator"}, expect=200
    )
    assert (
        await problem(where.intake, "/holds", wanted, status=409, key=fresh()) == "ranking_outdated"
    )
    ranking = await where.intake.post(f"/referrals/{wanted['referralId']}/rankings")
    assert ranking["offers"] == []
    assert [(left["rule"], left["region"], left["places"]) for left in ranking["excluded"]] == [
        ("declined", THERE, "1-4")
    ]
    await where.hold()


async def test_a_site_that_did_not_answer_may_be_held_again(country: Country) -> None:
    where = await desk(country)
    wanted = await where.wish()
    hold = await where.intake.post("/holds", wanted, key=fresh())
    await lapse(country, hold["id"])
    again = await where.intake.post("/holds", wanted, key=fresh())
    seen = [(await where.intake.get(f"/holds/{held['id']}"))["status"] for held in (hold, again)]
    assert seen == ["no_answer", "pending"]


async def test_an_offer_belongs_to_its_ranking_and_a_ranking_to_its_referral(
    country: Country,
) -> None:
    where = await desk(country)
    one, other = await where.wish(), await where.wish()
    mixed = one | {"offerId": other["offerId"]}
    refused = await where.intake.ask("POST", "/holds", json=mixed, key=fresh(), expect=400)
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/offerId"]
    foreign = other | {"referralId": one["referralId"]}
    assert (
        await problem(where.intake, "/holds", foreign, status=409, key=fresh())
        == "ranking_outdated"
    )
    assert await country.value("SELECT count(*) FROM holds") == 0


async def test_another_providers_referral_is_missing_whatever_else_is_right(
    country: Country,
) -> None:
    where = await desk(country)
    wanted = await where.wish()
    stranger = await country.client("intake_worker", provider="third")
    for body in (wanted, wanted | {"offerId": "AAAA"}):
        assert await problem(stranger, "/holds", body, status=404, key=fresh()) == "not_found"
    own = await stranger.post("/referrals", referral_body())
    assert (
        await problem(
            stranger, "/holds", wanted | {"referralId": own["id"]}, status=409, key=fresh()
        )
        == "ranking_outdated"
    )


async def test_a_place_that_moved_to_other_attributes_is_not_held_by_the_old_offer(
    country: Country,
) -> None:
    where = await desk(country)
    wanted = await where.wish()
    await where.receiver.patch(f"/places/{where.there.place_ids[0]}", {"bedSpaces": 2})
    code = await problem(where.intake, "/holds", wanted, status=409, key=fresh())
    assert code in {"offer_gone", "ranking_outdated"}
    await where.receiver.post("/places", place_body(where.there.site_id))
    await where.intake.post(
        "/holds", await wish_for(where.intake, wanted["referralId"]), key=fresh()
    )
