"""Danger zones that ended count nowhere; without a live zone nothing was assessed."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.casework import Desk, clocks_of, day_from_now, desk, end_zones, fresh, problem, wish_for
from tests.country import HERE, THERE, Client, Country, referral_body, shelter

NEAR = "GM0503"
"""Delft: next to Den Haag, so unsafe for its households while nobody assessed the danger."""


def zone(**changes: Any) -> dict[str, Any]:
    return {"municipality": HERE, "radiusKm": 50, "cause": "home", "until": None} | changes


async def change(intake: Client, referral_id: str, *, expect: int = 200, **changes: Any) -> Any:
    path = f"/referrals/{referral_id}"
    tag = (await intake.ask("GET", path)).headers["ETag"]
    return await intake.patch(path, changes, headers={"If-Match": tag}, expect=expect)


def pointers(refused: dict[str, Any]) -> list[str]:
    assert refused["code"] == "invalid_input"
    return [fault["pointer"] for fault in refused["errors"]]


@pytest.mark.parametrize("east", [False, True])
async def test_a_zone_whose_last_local_day_has_passed_is_not_taken_in(
    country: Country, *, east: bool
) -> None:
    """Where it is one day and another in UTC: the clocks of the country decide."""
    # Ahead of UTC by 14 hours it is tomorrow from ten in the morning on, behind it by 12 yesterday
    # until noon.
    early = datetime.now(UTC).hour < 12
    clock = (
        ("Pacific/Kiritimati" if not early else "Europe/Amsterdam")
        if east
        else ("Etc/GMT+12" if early else "UTC")
    )
    where = await desk(country)
    with clocks_of(clock):
        past, last = zone(cause="work", until=day_from_now(-1)), zone(until=day_from_now(0))
        refused = await where.intake.post(
            "/referrals",
            referral_body(dangerZones=[last, past, past | {"cause": "family"}]),
            expect=400,
        )
        assert pointers(refused) == ["/dangerZones/1/until", "/dangerZones/2/until"]
        made = await where.intake.post("/referrals", referral_body(dangerZones=[last]))
        refused = await change(where.intake, made["id"], dangerZones=[past, last], expect=400)
        assert pointers(refused) == ["/dangerZones/0/until"]
        moved = last | {"until": day_from_now(-1)}
        assert pointers(
            await change(where.intake, made["id"], dangerZones=[moved], expect=400)
        ) == ["/dangerZones/0/until"]
        kept = await change(
            where.intake, made["id"], dangerZones=[last | {"until": day_from_now(1)}]
        )
        assert kept["dangerZones"][0]["until"] == day_from_now(1)
        ranking = await where.intake.post(f"/referrals/{made['id']}/rankings")
        assert ranking["safetyAssessed"] is True


async def test_a_zone_that_ended_since_may_stay_as_it_is_and_is_no_zone_any_more(
    country: Country,
) -> None:
    where = await desk(country)
    made = await where.intake.post("/referrals", referral_body())
    await end_zones(country, made["id"])
    ended = (await where.intake.get(f"/referrals/{made['id']}"))["dangerZones"]

    changed = await change(
        where.intake, made["id"], dangerAssessment="assessed", dangerZones=ended, languages=["nl"]
    )
    assert changed["dangerZones"] == ended
    assert (await change(where.intake, made["id"], languages=["ar"]))["languages"] == ["ar"]
    wider = [ended[0] | {"radiusKm": 60}]
    assert pointers(await change(where.intake, made["id"], dangerZones=wider, expect=400)) == [
        "/dangerZones/0/until"
    ]
    assert (await change(where.intake, made["id"], dangerZones=[*ended, zone(cause="work")]))[
        "id"
    ] == made["id"]


async def test_what_ran_out_while_she_waits_has_to_be_assessed_again(country: Country) -> None:
    where = await desk(country)
    await shelter(country, "eik", site={"municipality": NEAR})
    made = await where.intake.post(
        "/referrals", referral_body(dangerZones=[zone(municipality=NEAR)])
    )
    await end_zones(country, made["id"])

    ranking = await where.intake.post(f"/referrals/{made['id']}/rankings")

    assert ranking["safetyAssessed"] is False
    assert [offer["provider"]["id"] for offer in ranking["offers"]] == [
        str(country.providers["linde"])
    ]
    assert ranking["offers"][0]["safety"]["en"].startswith("Safety not assessed")
    assert {excluded["rule"] for excluded in ranking["excluded"]} == {"danger"}
    (missing,) = ranking["missing"]
    assert (missing["fact"], missing["offers"]) == ("danger_assessment", "1-4")
    assert missing["text"]["en"].startswith("All unsafe areas have ended: assess the danger again.")
    replayed = await where.intake.post(f"/rankings/{ranking['id']}/replays", expect=200)
    assert replayed["identical"] is True
    why = await where.intake.get(f"/rankings/{ranking['id']}/obstacles", params={"region": NEAR})
    assert [obstacle["rule"] for obstacle in why["obstacles"]] == ["danger"]


async def near(country: Country) -> tuple[Desk, str, dict[str, Any]]:
    """Hold a place near home for a household whose zone elsewhere ends before an answer."""
    there = await shelter(country, site={"municipality": NEAR})
    where = Desk(await country.client("intake_worker", provider="haven"), there)
    made = await where.intake.post(
        "/referrals", referral_body(dangerZones=[zone(municipality=THERE)])
    )
    held = await where.intake.post("/holds", await wish_for(where.intake, made["id"]), key=fresh())
    return where, made["id"], held


async def test_a_place_near_home_is_not_confirmed_once_nothing_is_known_of_the_danger(
    country: Country,
) -> None:
    where, referral_id, held = await near(country)
    await where.receiver.post(f"/holds/{held['id']}/acceptance", {"by": "person"}, expect=200)
    await end_zones(country, referral_id)
    assert (
        await problem(where.intake, "/placements", {"holdId": held["id"]}, status=409, key=fresh())
        == "no_longer_safe"
    )
    await change(where.intake, referral_id, languages=["nl"])
    assert (await where.intake.get(f"/holds/{held['id']}"))["unsafeSince"] is not None
    await change(where.intake, referral_id, dangerAssessment="none_known")
    assert (await where.intake.get(f"/holds/{held['id']}"))["unsafeSince"] is None
    await where.intake.post("/placements", {"holdId": held["id"]}, key=fresh())
