"""What is due, on the first page of each role: seen, taken on, and led to."""

from playwright.async_api import expect

from app.database.transaction import WORKER
from app.dues import dues
from tests.casework import desk
from tests.country import FAR, Country, site_body
from tests.dues import come
from tests.web.browser import LiveService, look_at
from tests.web.visitor import PARTIAL, visitor


async def ring(country: Country) -> None:
    """Ring what is due, as the worker does every second."""
    async with country.parts.database.transaction(actor=WORKER) as tx:
        await dues.ring_dues(tx)


async def test_what_is_due_shows_by_itself_is_taken_on_and_leads_to_what_it_is_about(
    site: LiveService,
) -> None:
    country = site.country
    where = await desk(country)
    board = await site.person("coordinator", provider="linde")
    colleague = await site.person("coordinator", provider="linde")
    for page in (board, colleague):
        await page.goto("/places")
        await expect(page.locator("html")).to_have_attribute("data-live", "yes")
    hold = await where.hold()
    await ring(country)

    for page in (board, colleague):
        await expect(page.locator("#dues")).to_contain_text("antwoorden op een aanvraag")
        await expect(page.locator("#dues")).to_contain_text("door niemand gezien")
    await look_at(board, "places-dues")
    await board.locator("#dues").get_by_role("button", name="Ik pak dit op").first.focus()
    await board.keyboard.press("Enter")
    await expect(board.locator("#dues")).to_contain_text("u pakt dit op, tot")
    await expect(colleague.locator("#dues")).to_contain_text("pakt dit op")
    assert await board.evaluate("document.activeElement.textContent.trim()") == "Ik pak dit op"

    await colleague.locator("#dues").get_by_role("link", name="antwoorden").click()
    await colleague.wait_for_url(f"**/places#h-{hold['id']}")
    await colleague.get_by_role("button", name="Accepteren").click()
    await expect(board.locator("#dues")).not_to_contain_text("antwoorden op een aanvraag")
    sights = (
        "SELECT count(*) FROM due_sights JOIN dues AS d ON d.id = due_id WHERE subject_id = :id"
    )
    assert await country.value(sights, id=hold["id"]) == 2


async def test_the_desk_and_the_national_desk_have_the_same_list(site: LiveService) -> None:
    country = site.country
    where = await desk(country)
    placement = await where.underway()
    await country.client("coordinator", provider="linde")
    proposer = await country.client("coordinator", provider="linde")
    await proposer.post("/sites", site_body(name="Eik", municipality=FAR))
    for kind in ("expected_arrival", "site_to_approve"):
        await come(country, kind)
    await ring(country)

    listed = await site.person("intake_worker", provider="haven")
    await listed.goto("/find")
    await expect(listed.locator("#dues")).to_contain_text("niet aangekomen: bellen")
    await look_at(listed, "find-dues")
    await listed.goto("/language/en?back=/find")
    await expect(listed.locator("#dues")).to_contain_text("not arrived: telephone")
    await expect(listed.locator("#dues")).to_contain_text("not seen by anybody")
    await look_at(listed, "find-dues-english")
    await listed.get_by_role("link", name="not arrived: telephone").click()
    await listed.wait_for_url(f"**/find/{placement['referralId']}")

    chief = await site.person("administrator")
    await chief.goto("/accounts")
    await expect(chief.locator("#dues")).to_contain_text("een locatie beoordelen")
    await look_at(chief, "accounts-dues")
    await chief.get_by_role("button", name="Ik pak dit op").click()
    await expect(chief.locator("#dues")).to_contain_text("u pakt dit op, tot")
    await chief.get_by_role("link", name="een locatie beoordelen").click()
    await chief.wait_for_url("**/approvals")


async def test_without_a_script_it_is_taken_on_and_opened_as_well_and_by_nobody_else(
    country: Country,
) -> None:
    where = await desk(country)
    hold = await where.hold()
    person = await visitor(country, "coordinator", provider="linde")
    stranger = await visitor(country, "coordinator", provider="eik")
    page = await person.get("/places")
    taken = await person.press(page, "/taking")
    due = await country.value("SELECT id::text FROM dues WHERE subject_id = :id", id=hold["id"])

    assert "not seen by anybody" in page.text
    assert "you see to it until" in taken.text
    for one, path in ((stranger, f"/dues/{due}"), (person, f"/dues/{hold['id']}")):
        assert (await one.get(path)).status == 404
    opened = await person.http.get(f"/dues/{due}")
    assert opened.headers["location"] == f"/places#h-{hold['id']}"
    renewed = await person.http.get("/dues", headers=PARTIAL)
    assert "answer a request" in renewed.text
    assert "<html" not in renewed.text
    assert (await person.http.get("/dues")).headers["location"] == "/places"

    # What is over leads there as well, and is seen by nobody any more.
    await where.intake.post(f"/holds/{hold['id']}/release", {"reason": "mistake"}, expect=200)
    assert (await person.http.get(f"/dues/{due}")).status_code == 303
    gone = await person.post(f"/dues/{due}/taking", expect=409)
    assert "This was done already" in gone.text
