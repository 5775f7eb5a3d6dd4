"""An unsafe place is not accepted, whatever made it unsafe, and can be declined."""

from typing import Any

import pytest

from tests.casework import Desk, desk, end_zones, fresh, problem, wish_for
from tests.country import HERE, THERE, Country, referral_body, shelter

NEAR_HERE = "GM0503"
"""Delft: next to Den Haag."""
ZONE = {"municipality": THERE, "radiusKm": 10, "cause": "family", "until": None}


async def know(where: Desk, hold: dict[str, Any], **changes: Any) -> None:
    path = f"/referrals/{hold['referralId']}"
    tag = (await where.intake.ask("GET", path)).headers["ETag"]
    await where.intake.patch(path, changes, headers={"If-Match": tag})


async def refused(where: Desk, hold: dict[str, Any]) -> Any:
    """Try to accept; return the problem."""
    return await where.receiver.post(
        f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=409
    )


MADE_UNSAFE: dict[str, tuple[str, str]] = {
    "a danger that became known": ("danger", ""),
    "a site that was compromised": (
        "admission",
        "UPDATE sites SET compromised_because = 'threat', compromised_since = clock_timestamp()",
    ),
    "a site that moved": ("danger", "UPDATE sites SET municipality = 'GM0518'"),
    "an address that became known": ("secrecy", "UPDATE sites SET address_secrecy = 'known'"),
    "distances that were corrected": (
        "danger",
        "UPDATE clearances SET km = 1 WHERE zone = 'GM0518'",
    ),
}


@pytest.mark.parametrize("cause", MADE_UNSAFE)
async def test_a_hold_that_is_unsafe_is_not_accepted_and_stays_pending(
    country: Country, cause: str
) -> None:
    """Also where nobody noted it: what the database says now decides."""
    where = await desk(country)
    hold = await where.hold(threatLevel=3)
    rule, behind = MADE_UNSAFE[cause]
    if behind:
        await country.rows(behind)
        await country.rows(
            "UPDATE heads SET value = value + 1 WHERE name IN ('register', 'reference')"
        )
    else:
        await know(where, hold, dangerZones=[ZONE])

    answer = await refused(where, hold)

    assert (answer["code"], answer["rules"]) == ("no_longer_safe", [rule])
    seen = await where.receiver.get(f"/holds/{hold['id']}")
    assert (seen["status"], seen["acceptedBy"]) == ("pending", None)
    assert (seen["unsafeSince"] is not None) == (not behind)
    assert (
        await where.receiver.post(
            f"/holds/{hold['id']}/decline", {"reason": "too_near_perpetrator"}, expect=200
        )
    )["status"] == "declined"


async def test_a_hold_is_not_accepted_by_what_was_known_of_a_danger_that_ended(
    country: Country,
) -> None:
    there = await shelter(country, site={"municipality": NEAR_HERE})
    where = Desk(await country.client("intake_worker", provider="haven"), there)
    made = await where.intake.post("/referrals", referral_body(dangerZones=[ZONE]))
    hold = await where.intake.post("/holds", await wish_for(where.intake, made["id"]), key=fresh())
    await end_zones(country, made["id"])
    assert (await refused(where, hold))["rules"] == ["danger"]
    await know(where, hold, dangerAssessment="none_known")
    accepted = await where.receiver.post(
        f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=200
    )
    assert accepted["status"] == "accepted"


async def test_what_only_the_sender_asks_for_is_no_reason_and_none_that_the_receiver_learns(
    country: Country,
) -> None:
    """A provider that is barred, or lost a feature asked for, is found at confirmation."""
    where = await desk(country)
    hold = await where.hold()
    await know(where, hold, barredProviders=[str(country.providers["linde"])], needs=["wheelchair"])
    await where.receiver.post(f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=200)
    assert (
        await problem(where.intake, "/placements", {"holdId": hold["id"]}, status=409, key=fresh())
        == "no_longer_lawful"
    )


async def test_a_refused_acceptance_can_be_sent_again_once_it_is_safe(country: Country) -> None:
    where = await desk(country)
    hold = await where.hold()
    key = fresh()
    await know(where, hold, dangerZones=[ZONE])
    path, body = f"/holds/{hold['id']}/acceptance", {"by": "person"}
    assert await problem(where.receiver, path, body, status=409, key=key) == "no_longer_safe"
    await know(where, hold, dangerZones=[ZONE | {"municipality": HERE}])
    assert (await where.receiver.post(path, body, expect=200, key=key))["status"] == "accepted"
