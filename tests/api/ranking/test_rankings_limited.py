"""Rankings of one referral are limited by the policy.

Many of them would watch others.
"""

from typing import Any

from tests.casework import desk
from tests.country import FAR, Country, referral_body, shelter

AN_HOUR = 30
"""The policy's `rankings_per_hour`."""


async def test_a_referral_is_ranked_as_often_within_the_hour_as_the_policy_allows(
    country: Country,
) -> None:
    where = await desk(country)
    referral, other = [await where.intake.post("/referrals", referral_body()) for _ in range(2)]
    ranked = f"/referrals/{referral['id']}/rankings"
    for _ in range(AN_HOUR):
        await where.intake.post(ranked)
    # The first of them was an hour ago but for a minute: then one more is allowed, and no more.
    await country.rows(
        "UPDATE rankings SET as_of = clock_timestamp() - interval '59 minutes'"
        " WHERE id = (SELECT id FROM rankings ORDER BY as_of LIMIT 1)"
    )

    refused = await where.intake.ask("POST", ranked, expect=429)

    assert refused.json()["code"] == "too_many_requests"
    assert 55 <= int(refused.headers["Retry-After"]) <= 60
    assert (
        await country.value(
            "SELECT count(*) FROM rankings WHERE referral_id = :id", id=referral["id"]
        )
        == AN_HOUR
    )
    logged = "SELECT outcome FROM access_log WHERE action = 'rank' ORDER BY id DESC LIMIT 1"
    assert await country.value(logged) == "refused"
    await where.intake.post(f"/referrals/{other['id']}/rankings")

    await country.rows("UPDATE rankings SET as_of = as_of - interval '2 minutes'")
    await where.intake.post(ranked)
    await where.intake.ask("POST", ranked, expect=429)


async def test_rankings_see_how_shares_stand_once_a_day(country: Country) -> None:
    where = await desk(country, places=2)
    # Another region could have taken them, and has nothing free.
    other = await shelter(country, "wilg", site={"municipality": FAR})
    await other.coordinator.patch(f"/places/{other.place_ids[0]}", {"status": "occupied"})
    await country.step()
    referral = await where.intake.post("/referrals", referral_body())

    async def solidarity() -> list[Any]:
        offers = (await where.intake.post(f"/referrals/{referral['id']}/rankings"))["offers"]
        return [line for line in offers[0]["points"] if line["factor"] == "solidarity"]

    before = await solidarity()
    await where.arrived()
    await country.step()
    assert await solidarity() == before  # nobody can watch them arrive

    await country.rows("UPDATE shares SET shown_on = shown_on - 1")
    await country.step()
    assert (await solidarity())[0]["points"] < before[0]["points"]
