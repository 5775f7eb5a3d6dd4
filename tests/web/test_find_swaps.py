"""A swap from the page of whoever waits: searched for, proposed, and the own household's yes; shields hold too."""

from tests.casework import fresh, wish_for
from tests.country import Country
from tests.shielding import shield
from tests.swapping import chain
from tests.web.finding import worker_of


async def test_a_swap_is_found_proposed_and_agreed_to_for_the_own_household(country: Country) -> None:
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

    refused = await worker.send(form.action, [*form.fields, ("reason", "household_would_rather_not")])

    assert "Swap: proposed" not in refused.text
    assert (await it.at.desk.get("/swaps"))["items"][0]["status"] == "refused"


async def test_what_a_colleague_has_shielded_is_nowhere_on_the_pages_of_others(country: Country) -> None:
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


REFERRAL = {
    "originMunicipality": "GM0014",
    "household": {"adults": [{"gender": "female"}]},
    "dangerAssessment": "none_known",
}
