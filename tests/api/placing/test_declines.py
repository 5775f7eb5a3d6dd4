"""Declines that lapse, and slips that are taken back: a site is not barred for ever."""

from typing import Any

import pytest

from tests.casework import Desk, desk, fresh, lapse, problem, wish_for
from tests.country import Country
from tests.unguarded import weaken

LATER = "UPDATE holds SET resolved_at = resolved_at - interval '{}' WHERE id = :id"


async def decline(where: Desk, hold: dict[str, Any], *, reason: str) -> None:
    await where.receiver.post(f"/holds/{hold['id']}/decline", {"reason": reason}, expect=200)


async def offered(where: Desk, referral_id: str) -> bool:
    """Whether the one site is offered, by a ranking that can be held from."""
    ranking = await where.intake.post(f"/referrals/{referral_id}/rankings")
    barred = ["declined"] if not ranking["offers"] else []
    assert [left["rule"] for left in ranking["excluded"]] == barred
    return bool(ranking["offers"])


@pytest.mark.parametrize("reason", ["staffing", "no_capacity_after_all"])
async def test_a_decline_for_want_of_staff_or_places_lapses_by_itself(
    country: Country, reason: str
) -> None:
    where = await desk(country, places=2)
    await country.rows("UPDATE sites SET confirmed_at = now() - interval '3 days' RETURNING 1")
    hold = await where.hold()
    id_ = hold["referralId"]
    await decline(where, hold, reason=reason)
    await country.rows(LATER.format("23 hours 50 minutes"), id=hold["id"])
    assert not await offered(where, id_)

    await country.rows(LATER.format("20 minutes"), id=hold["id"])
    assert await offered(where, id_)
    again = await where.intake.post("/holds", await wish_for(where.intake, id_), key=fresh())

    # And when the site says that all there is true as of now.
    await decline(where, again, reason=reason)
    assert not await offered(where, id_)
    await where.receiver.post(f"/sites/{where.there.site_id}/confirmations")
    assert await offered(where, id_)
    await where.intake.post("/holds", await wish_for(where.intake, id_), key=fresh())


async def test_a_decline_for_any_other_reason_stays_until_it_is_taken_back(
    country: Country,
) -> None:
    where = await desk(country, places=2)
    wanted = await where.wish(shield={"colleagues": []})
    hold = await where.intake.post("/holds", wanted, key=fresh())
    path = f"/holds/{hold['id']}/decline-withdrawal"
    assert await problem(where.receiver, path, status=409) == "not_declined"
    await decline(where, hold, reason="unsafe_for_residents")
    await country.rows(LATER.format("9 days"), id=hold["id"])
    await where.receiver.post(f"/sites/{where.there.site_id}/confirmations")
    assert not await offered(where, hold["referralId"])

    # Not by who asked, and not by anybody else.
    third = await country.client("coordinator", provider="third")
    for client in (where.intake, third):
        assert await problem(client, path, status=404) == "not_found"
    events = "SELECT count(*) FROM outbox WHERE kind = 'hold' AND subject = :id"
    told = await country.value(events, id=hold["id"])
    for _ in range(2):
        taken_back = await where.receiver.post(path, expect=200)
        assert (taken_back["status"], taken_back["reason"]) == ("declined", "unsafe_for_residents")
        assert taken_back["declineWithdrawnAt"]
        assert taken_back["coming"] is None
    assert await country.value(events, id=hold["id"]) == told + 1
    assert (await where.intake.get(f"/holds/{hold['id']}"))["declineWithdrawnAt"]

    assert await offered(where, hold["referralId"])
    again = await where.intake.post("/holds", wanted, key=fresh())
    # While it is held elsewhere, or over, nothing is taken back; once it ran out they look again.
    assert await problem(where.receiver, path, status=409) == "referral_not_open"
    await lapse(country, again["id"])
    await where.receiver.post(path, expect=200)
    await where.intake.post(
        f"/referrals/{hold['referralId']}/withdrawal", {"reason": "mistake"}, expect=200
    )
    assert await problem(where.receiver, path, status=409) == "referral_not_open"


async def test_a_site_that_is_safe_again_is_offered_to_whom_it_turned_away(
    country: Country,
) -> None:
    where = await desk(country)
    hold = await where.hold()
    site = f"/sites/{where.there.site_id}"
    await where.receiver.patch(site, {"compromised": "damage"})
    assert (await where.intake.get(f"/holds/{hold['id']}"))["reason"] == "site_unsafe"
    await where.receiver.patch(site, {"compromised": None})
    assert await offered(where, hold["referralId"])


async def test_without_what_lapses_a_site_would_be_barred_for_ever(country: Country) -> None:
    where = await desk(country)
    hold = await where.hold()
    await decline(where, hold, reason="staffing")
    await country.rows(LATER.format("99 days"), id=hold["id"])
    assert await offered(where, hold["referralId"])
    await weaken(country, "decline_bars", ("withdrawn_at IS NULL AND CASE", "true OR CASE"))
    assert not await offered(where, hold["referralId"])
