"""Referrals that are closed for a reason, and opened again where that was a slip."""

from tests.casework import desk, problem
from tests.country import Country, referral_body

LATER = "UPDATE referrals SET closed_at = closed_at - interval '{}' WHERE id = :id RETURNING 1"


async def test_a_referral_is_closed_for_a_reason_that_is_known(country: Country) -> None:
    where = await desk(country)
    referral = await where.intake.post("/referrals", referral_body())
    path = f"/referrals/{referral['id']}"
    assert (referral["closedBecause"], referral["closedAt"]) == (None, None)
    for body in (None, {}, {"reason": None}, {"reason": "bored"}):
        assert await problem(where.intake, f"{path}/withdrawal", body, status=400) == (
            "invalid_input"
        )
    assert (await where.intake.get(path))["status"] == "open"

    closed = await where.intake.post(f"{path}/withdrawal", {"reason": "stayed_home"}, expect=200)
    assert (closed["status"], closed["closedBecause"]) == ("withdrawn", "stayed_home")
    assert closed["closedAt"]
    # Closed again, it keeps the reason for which it was.
    again = await where.intake.post(f"{path}/withdrawal", {"reason": "mistake"}, expect=200)
    assert again == closed


async def test_a_closed_referral_is_opened_again_within_the_policys_days(
    country: Country,
) -> None:
    where = await desk(country)
    hold = await where.hold(shield={"colleagues": []})
    id_ = hold["referralId"]
    path = f"/referrals/{id_}"
    hotel = {"kind": "hotel", "responsibleProviderId": str(country.providers["linde"])}
    alternative = await where.intake.post(f"{path}/alternatives", hotel)
    before = await where.intake.get(path)
    await where.intake.post(f"{path}/withdrawal", {"reason": "mistake"}, expect=200)

    await (await country.client("intake_worker", provider="third")).post(
        f"{path}/reopening", expect=404
    )
    opened = await where.intake.post(f"{path}/reopening", expect=200)
    assert (opened["status"], opened["closedBecause"], opened["closedAt"]) == ("open", None, None)
    # It is who waited as long as it did, in the hotel where it was; the place it held is gone.
    assert (opened["createdAt"], opened["household"]) == (before["createdAt"], before["household"])
    assert opened["alternative"]["id"] == alternative["id"]
    assert opened["holdId"] is None
    assert (await where.intake.post(f"{path}/reopening", expect=200))["status"] == "open"
    waiting = (await where.intake.get("/waiting-list"))["items"]
    assert [item["referralId"] for item in waiting] == [id_]

    # What ended long ago does not begin again by itself.
    await where.intake.post(f"{path}/withdrawal", {"reason": "contact_lost"}, expect=200)
    await country.rows(LATER.format("29 days"), id=id_)
    await country.rows(
        "UPDATE alternatives SET ended_at = ended_at - interval '29 days' RETURNING 1"
    )
    assert (await where.intake.post(f"{path}/reopening", expect=200))["alternative"] is None

    await where.intake.post(f"{path}/withdrawal", {"reason": "returned"}, expect=200)
    await country.rows(LATER.format("31 days"), id=id_)
    assert await problem(where.intake, f"{path}/reopening", status=409) == "closed_too_long"


async def test_only_what_was_closed_is_opened(country: Country) -> None:
    where = await desk(country)
    placement = await where.underway()
    path = f"/referrals/{placement['referralId']}/reopening"
    assert await problem(where.intake, path, status=409) == "referral_not_closed"
    await where.receiver.post(f"/placements/{placement['id']}/arrival", expect=200)
    left = {"destination": "own_home"}
    await where.receiver.post(f"/placements/{placement['id']}/departure", left, expect=200)
    assert await problem(where.intake, path, status=409) == "referral_not_closed"
