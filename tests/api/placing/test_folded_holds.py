"""Holds of an offer that stands for several places, and of an openly known address."""

from typing import Any

from tests.casework import Desk, desk, fresh, problem
from tests.country import FAR, Client, Country, place_body, referral_body, shelter, standing_site

ALONE = {"household": {"adults": [{"gender": "female", "age": 31}], "children": []}}
KNOWN = {"addressSecrecy": "known"}


async def ranked(intake: Client, **referral: Any) -> Any:
    made = await intake.post("/referrals", referral_body(**referral))
    return await intake.post(f"/referrals/{made['id']}/rankings")


def wish(ranking: Any, offer: Any, **more: Any) -> dict[str, Any]:
    wanted = {
        "referralId": ranking["referralId"],
        "rankingId": ranking["id"],
        "offerId": offer["offerId"],
    }
    return wanted | ({"overrideReason": "transport"} if offer["rank"] > 1 else {}) | more


async def other_site(country: Country, where: Desk, *, beds: int, **site: Any) -> str:
    """Make another site of the same provider in the same region, with one place."""
    id_ = (await standing_site(country, "linde", name=f"With {beds} beds", **site))["id"]
    await where.receiver.post("/places", place_body(id_, bedSpaces=beds))
    await where.receiver.post(f"/sites/{id_}/confirmations")
    return id_


async def beds_held(country: Country) -> list[int]:
    """Return the bed spaces of the places that were held, the first first."""
    held = await country.rows(
        "SELECT g.bed_spaces FROM holds AS h JOIN places AS p ON p.id = h.place_id"
        " JOIN place_groups AS g ON g.id = p.group_id ORDER BY h.created_at"
    )
    return [row.bed_spaces for row in held]


async def test_one_offer_stands_for_all_that_are_alike_and_its_best_fitting_place_is_taken_first(
    country: Country,
) -> None:
    where = await desk(country, bedSpaces=4)
    await other_site(country, where, beds=2)
    await other_site(country, where, beds=6, features=["cots"])
    await where.receiver.post("/places", place_body(where.there.site_id, bedSpaces=1))
    rankings = [await ranked(where.intake) for _ in range(4)]

    for ranking in rankings:
        (offer,) = ranking["offers"]
        assert {"bedSpaces", "free"} & offer.keys() == set()
        assert (offer["rank"], offer["supervision"], offer["needsAnswer"]) == (1, "24h", [])
        assert offer["features"] == []  # not all of them have cots
        assert offer["score"] == sum(line["points"] for line in offer["points"])
        (fit,) = (line for line in offer["points"] if line["factor"] == "fit")
        assert fit["points"] == 150 - 4 * 15  # of the six beds
        assert "1 bed" not in str(offer)
    three = [await where.intake.post("/holds", wish(r, r["offers"][0]), key=fresh())
             for r in rankings[:3]]  # fmt: skip

    assert [held["providerId"] for held in three] == [str(await country.provider("linde"))] * 3
    assert await beds_held(country) == [2, 4, 6]
    # One bed is less than what was shown: it is free, and not given.
    last = wish(rankings[3], rankings[3]["offers"][0])
    assert await problem(where.intake, "/holds", last, status=409, key=fresh()) == "offer_gone"
    again = await where.intake.post(f"/referrals/{last['referralId']}/rankings")
    assert (again["offers"], {out["rule"] for out in again["excluded"]}) == ([], {"size", "free"})


async def test_a_site_behind_an_offer_that_changed_or_declined_is_passed_over(
    country: Country,
) -> None:
    where = await desk(country, bedSpaces=2)
    second = await other_site(country, where, beds=4)
    await other_site(country, where, beds=6)
    ranking = await ranked(where.intake)
    (offer,) = ranking["offers"]
    await where.receiver.patch(f"/sites/{where.there.site_id}", {"admission": "paused"})

    held = await where.intake.post("/holds", wish(ranking, offer), key=fresh())
    assert await beds_held(country) == [4]
    await where.receiver.post(f"/holds/{held['id']}/decline", {"reason": "staffing"}, expect=200)
    await where.intake.post("/holds", wish(ranking, offer), key=fresh())
    assert await beds_held(country) == [4, 6]
    assert second


async def test_the_id_of_an_offer_is_as_long_whatever_is_behind_it(country: Country) -> None:
    where = await desk(country, bedSpaces=2)
    one = await ranked(where.intake)
    for beds in range(3, 9):
        await where.receiver.post("/places", place_body(where.there.site_id, bedSpaces=beds))
    many = await ranked(where.intake)
    assert len(many["offers"]) == 1
    assert len(one["offers"][0]["offerId"]) == len(many["offers"][0]["offerId"]) <= 200


async def test_an_openly_known_address_comes_last_and_is_held_with_the_answer_that_it_asks(
    country: Country,
) -> None:
    where = await desk(country, site=KNOWN, bedSpaces=1, kind="crisis")
    far = await shelter(country, "eik", site={"municipality": FAR}, bedSpaces=6, kind="emergency")
    ranking = await ranked(where.intake, **ALONE)
    first, known = ranking["offers"]
    assert (first["needsAnswer"], known["needsAnswer"]) == ([], ["threatLevel"])
    assert first["score"] < known["score"]  # only the question keeps it below
    path = f"/referrals/{ranking['referralId']}"

    refused = await where.intake.ask(
        "POST", "/holds", json=wish(ranking, known), key=fresh(), expect=400
    )
    assert refused.json()["code"] == "threat_level_required"
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/answers/threatLevel"]
    for answers in ({"threatLevel": 4}, {"threatLevel": "1"}, {"threat": 1}):
        bad = wish(ranking, known, answers=answers)
        assert await problem(where.intake, "/holds", bad, status=400, key=fresh())

    key, wanted = fresh(), wish(ranking, known, answers={"threatLevel": 2})
    held = await where.intake.post("/holds", wanted, key=key)
    referral = await where.intake.get(path)
    assert (referral["threatLevel"], referral["status"]) == (2, "held")
    assert (await where.intake.post("/holds", wanted, key=key))["id"] == held["id"]
    await where.receiver.post(f"/holds/{held['id']}/decline", {"reason": "staffing"}, expect=200)
    # The answer outdates nothing: the same ranking goes on.
    await where.intake.post("/holds", wish(ranking, first), key=fresh())
    assert far.place_ids


async def test_at_the_highest_threat_an_open_address_is_refused_and_the_answer_stays(
    country: Country,
) -> None:
    where = await desk(country, site=KNOWN)
    await shelter(country, "eik", site={"municipality": FAR}, kind="emergency")
    ranking = await ranked(where.intake)
    first, known = ranking["offers"]
    path = f"/referrals/{ranking['referralId']}"
    for _ in range(2):
        wanted = wish(ranking, known, answers={"threatLevel": 3})
        refused = await where.intake.ask("POST", "/holds", json=wanted, key=fresh(), expect=409)
        assert (refused.json()["code"], refused.json()["rules"]) == ("no_longer_safe", ["secrecy"])
        referral = await where.intake.get(path)
        assert (referral["threatLevel"], referral["status"]) == (3, "open")
    changes = await country.rows(
        "SELECT outcome FROM access_log WHERE action = 'change' AND object_id = :id",
        id=ranking["referralId"],
    )
    assert [row.outcome for row in changes] == ["granted"]
    outdated = wish(ranking, first)
    assert (
        await problem(where.intake, "/holds", outdated, status=409, key=fresh())
        == "ranking_outdated"
    )
    (left,) = (await where.intake.post(f"{path}/rankings"))["offers"]
    assert (left["addressSecrecy"], left["needsAnswer"]) == ("confidential", [])

    # The answer given with a confidential place holds that, and closes the open one.
    other = await ranked(where.intake)
    confidential, openly_known = other["offers"]
    body = wish(other, confidential, answers={"threatLevel": 3})
    held = await where.intake.post("/holds", body, key=fresh())
    await where.intake.ask("DELETE", f"/holds/{held['id']}", expect=204)
    late = wish(other, openly_known)
    assert await problem(where.intake, "/holds", late, status=409, key=fresh()) == "no_longer_safe"


async def test_a_threat_that_rises_with_a_hold_closes_what_was_ranked_below_it(
    country: Country,
) -> None:
    where = await desk(country, site=KNOWN)
    await shelter(country, "eik", site={"municipality": FAR}, kind="emergency")
    for secrecy, code in (("known", "no_longer_safe"), ("confidential", "ranking_outdated")):
        ranking = await ranked(where.intake, threatLevel=1)
        offers = {offer["addressSecrecy"]: offer for offer in ranking["offers"]}
        assert all(offer["needsAnswer"] == [] for offer in offers.values())
        body = wish(ranking, offers[secrecy], answers={"threatLevel": 3})
        assert await problem(where.intake, "/holds", body, status=409, key=fresh()) == code
        referral = await where.intake.get(f"/referrals/{ranking['referralId']}")
        assert (referral["threatLevel"], referral["status"]) == (3, "open")
        late = wish(ranking, offers["known"])
        found = await problem(where.intake, "/holds", late, status=409, key=fresh())
        assert found == "ranking_outdated"


async def test_an_answer_with_a_hold_that_is_refused_for_another_reason_is_taken_back(
    country: Country,
) -> None:
    where = await desk(country, site=KNOWN)
    mine, other = await ranked(where.intake), await ranked(where.intake)
    body = wish(other, other["offers"][0], answers={"threatLevel": 1})
    await where.intake.post("/holds", body, key=fresh())
    late = wish(mine, mine["offers"][0], answers={"threatLevel": 1})
    assert await problem(where.intake, "/holds", late, status=409, key=fresh()) == "offer_gone"
    referral = await where.intake.get(f"/referrals/{mine['referralId']}")
    assert referral["threatLevel"] is None
    stranger = await country.client("intake_worker", provider="third")
    await stranger.post("/holds", late, expect=404, key=fresh())


async def test_a_dog_is_named_as_what_stands_in_the_way_and_its_places_in_a_band(
    country: Country,
) -> None:
    where = await desk(country, places=3)
    dog = referral_body()["household"] | {"pets": 1}
    ranking = await ranked(where.intake, household=dog, needs=["wheelchair"])
    assert (ranking["offers"], ranking["trades"]) == ([], [])  # each alone opens nothing
    ranking = await ranked(where.intake, household=dog)
    assert ranking["trades"] == [{"without": {"pets": True}, "places": "1-4"}]
    ranking = await ranked(where.intake, needs=["wheelchair", "supervision_24h"])
    assert ranking["trades"] == [{"without": {"need": "wheelchair"}, "places": "1-4"}]
