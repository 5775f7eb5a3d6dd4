"""Swaps and shields from the page of a household that waits."""

import re

from app.database.transaction import WORKER
from app.ranking import vacancies
from tests.casework import desk, fresh, wish_for
from tests.country import Country, referral_body
from tests.shields import shield
from tests.swaps import chain
from tests.web.find.intake import worker_of


async def test_a_swap_is_found_proposed_and_agreed_to_for_the_own_household(
    country: Country,
) -> None:
    it = await chain(country)
    worker = await worker_of(country)
    page = await worker.get(f"/find/{it.waiting}")

    found = await worker.press(page, "/swap-searches")
    proposed = await worker.press(found, "/swaps")
    agreed = await worker.press(proposed, "/consents")
    (swap,) = (await it.at.desk.get("/swaps"))["items"]
    await it.at.consent(swap["id"])
    reserved = await worker.get(f"/find/{it.waiting}")

    assert "2 households move." in found.text
    assert "To be asked: Stichting Eik, Stichting Linde" in found.text
    assert "Your household would go to Stichting Linde, region Zwolle." in proposed.text
    assert "They said yes. The others are being asked." in agreed.text
    assert "On their way to Stichting Linde" in reserved.text


async def test_a_swap_that_cannot_be_is_refused_with_a_reason(country: Country) -> None:
    it = await chain(country)
    worker = await worker_of(country)
    found = await worker.press(await worker.get(f"/find/{it.waiting}"), "/swap-searches")
    proposed = await worker.press(found, "/swaps")
    form = proposed.form("/refusals")

    refused = await worker.send(
        form.action, [*form.fields, ("reason", "household_would_rather_not")]
    )

    assert "Swap: proposed" not in refused.text
    assert (await it.at.desk.get("/swaps"))["items"][0]["status"] == "refused"


async def test_what_a_colleague_has_shielded_is_nowhere_on_the_pages_of_others(
    country: Country,
) -> None:
    it = await chain(country)
    held = await it.at.desk.post("/referrals", {**REFERRAL, "urgency": "planned"})
    await shield(it.at.desk, it.waiting)
    await shield(it.at.desk, held["id"])
    await it.at.open("berk", "GM0193", kind="regular")
    await it.at.desk.post("/holds", await wish_for(it.at.desk, held["id"]), key=fresh())
    other = await worker_of(country)

    listed = await other.get("/find")

    assert "plek-reference" not in listed.text
    for referral_id in (it.waiting, held["id"]):
        assert (await other.get(f"/find/{referral_id}")).status == 404
        assert (await other.get(f"/find/{referral_id}/now")).status == 404


async def test_a_referral_is_shielded_and_opened_again_with_one_press(country: Country) -> None:
    there = await desk(country)
    made = await there.intake.post("/referrals", referral_body())
    worker, other = await worker_of(country), await worker_of(country)
    page = await worker.get(f"/find/{made['id']}")

    mine = await worker.press(page, "/shield")
    hidden = await other.get(f"/find/{made['id']}")
    await worker.press(mine, "/shield")

    assert "1 colleague sees this referral" in mine.text
    assert hidden.status == 404
    assert (await other.get(f"/find/{made['id']}")).status == 200


async def test_what_came_free_for_whoever_waits_is_one_press_away(country: Country) -> None:
    there = await desk(country)
    await there.hold()
    waits = await there.intake.post("/referrals", referral_body())
    worker = await worker_of(country)
    page = await worker.get(f"/find/{waits['id']}")
    (hold,) = (await there.receiver.get("/holds"))["items"]
    await there.receiver.post(f"/holds/{hold['id']}/decline", {"reason": "staffing"}, expect=200)
    async with country.parts.database.transaction(actor=WORKER) as tx:
        assert await vacancies.rank_next_waiting(tx)

    told = await worker.get(f"/find/{waits['id']}")
    address = re.search(rf"/find/{waits['id']}\?ranking=[0-9a-f-]+", told.text)
    assert address
    offers = await worker.get(address[0])

    assert "Something came free" not in page.text
    assert "Something came free since: number 1 for them." in told.text
    assert "Hold this place" in offers.text


REFERRAL = {
    "originMunicipality": "GM0014",
    "household": {"adults": [{"gender": "female"}]},
    "dangerAssessment": "none_known",
}
