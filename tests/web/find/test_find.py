"""Finding a place in a real browser: the main job, a race, the keyboard, lost connections."""

import pytest
from playwright.async_api import Page, Route, expect

from tests.casework import desk
from tests.country import shelter
from tests.web.browser import LiveService, look_at


async def fill_in(page: Page) -> None:
    """Fill in the least that is enough to begin."""
    await page.goto("/find/new")
    await page.get_by_label("acuut: vandaag nog").check()
    await page.get_by_label("vrouw", exact=True).check()
    await page.get_by_label("Uit welke gemeente komen ze?").fill("Den Haag")


async def test_the_main_job_from_the_form_to_the_arrival_with_the_other_side_acting_meanwhile(
    site: LiveService,
) -> None:
    there = await desk(site.country, features=["cots"], sonsUpToAge=12)
    await shelter(site.country, "berk", kind="regular", bedSpaces=6)
    page = await site.person("intake_worker", provider="haven")
    await page.goto("/find")
    await look_at(page, "find-empty")

    await open_offers(page)
    await page.get_by_text("De moeite waard om te vragen").click()
    await page.locator("#answer-1").fill("9")
    await page.locator("form[action$='/answers'] button").click()
    await expect(page.locator("#outcome")).to_contain_text("opnieuw gemaakt")
    await page.get_by_role("button", name="Deze plek reserveren").click()
    await expect(
        page.get_by_role("heading", name="Stichting Linde moet nog antwoorden")
    ).to_be_visible()
    await expect(page.locator("#outcome")).to_be_focused()
    await look_at(page, "find-held")
    await page.get_by_text("Contact opschrijven").click()
    await page.locator("#contact-note").fill("belt straks terug")
    (hold,) = (await there.receiver.get("/holds"))["items"]
    await there.receiver.post(f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=200)
    await expect(
        page.get_by_role("heading", name="Stichting Linde heeft een plek voor hen")
    ).to_be_visible()
    await expect(page.locator("#contact-note")).to_have_value("belt straks terug")
    await look_at(page, "find-accepted")
    await set_out(page)
    (placement,) = (await there.receiver.get("/placements"))["items"]
    await there.receiver.post(f"/placements/{placement['id']}/arrival", expect=200)

    await expect(
        page.get_by_role("heading", name="Ze zijn aangekomen bij Stichting Linde")
    ).to_be_visible()
    assert await page.title() == "Plek"


async def open_offers(page: Page) -> None:
    """Fill in a son of unknown age and an unsafe area, and have the places ranked."""
    await fill_in(page)
    await page.get_by_role("button", name="+ kind").click()
    await expect(page.locator("#child-0-age")).to_be_focused()
    await page.get_by_role("group", name="Kind 1").get_by_label("jongen").check()
    await page.get_by_role("button", name="+ onveilig gebied").click()
    await page.locator("#zone-0-municipality").fill("den haag")
    await page.locator("#zone-0-radius").select_option("30")
    await expect(page.locator("#beside .plek-map__zone title").first).to_contain_text("30 km")
    await look_at(page, "find-form")
    await page.get_by_role("button", name="Zoek plekken").last.click()
    await page.wait_for_url("**/find/*?ranking=*")
    await page.locator("#points-1 summary").click()
    await look_at(page, "find-offers")


async def set_out(page: Page) -> None:
    """Confirm that they are on their way, and ask for the address, which no page keeps."""
    under_way = page.get_by_role("heading", name="Onderweg naar Stichting Linde")
    await page.get_by_role("button", name="Ze zijn onderweg").click()
    await expect(under_way).to_be_visible()
    await page.get_by_text("Het adres opvragen").click()
    await page.get_by_role("button", name="warme overdracht").click()
    await expect(page.locator("#address")).to_contain_text("Voorbeeldstraat 1")
    await page.reload()
    await expect(under_way).to_be_visible()
    await expect(page.locator("main")).not_to_contain_text("Voorbeeldstraat")
    await look_at(page, "find-under-way")


async def test_of_two_who_want_one_place_one_has_it_and_the_other_is_told_what_is_next(
    site: LiveService,
) -> None:
    await desk(site.country)
    pages = [await site.person("intake_worker", provider=name) for name in ("haven", "duin")]
    for page in pages:
        await fill_in(page)
        await page.get_by_role("button", name="Zoek plekken").last.click()
        await page.wait_for_url("**/find/*?ranking=*")
    await shelter(site.country, "berk", kind="regular")

    for page in pages:  # neither waits for the answer to the other
        await page.get_by_role("button", name="Deze plek reserveren").click(no_wait_after=True)

    outcomes = [page.locator("#outcome") for page in pages]
    for outcome in outcomes:
        await expect(outcome).to_be_visible(timeout=30_000)
    told = [await outcome.inner_text() for outcome in outcomes]
    lost = next(index for index, words in enumerate(told) if "net weg" in words)
    won = 1 - lost
    assert "gereserveerd" in told[won]
    await look_at(pages[lost], "find-gone")
    await pages[lost].get_by_role("button", name="Deze plek reserveren").click()
    await expect(
        pages[lost].get_by_role("heading", name="Stichting Berk moet nog antwoorden")
    ).to_be_visible()
    assert await site.country.value("SELECT count(*) FROM holds WHERE resolved_at IS NULL") == 2


async def test_the_keyboard_alone_leads_to_a_hold(site: LiveService) -> None:
    await desk(site.country)
    page = await site.person("intake_worker", provider="haven")
    await page.goto("/find")

    await tab_to(page, "a[href='/find/new']")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/find/new")
    await expect(page.locator("input[name=urgency]").first).to_be_focused()
    await page.keyboard.press("Space")
    await tab_to(page, "input[name=adult-0-gender]")
    await page.keyboard.press("Space")
    await tab_to(page, "#origin")
    await page.keyboard.type("Den Haag")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/find/*?ranking=*")
    await tab_to(page, "form[action$='/holds'] button")
    await page.keyboard.press("Enter")

    await expect(
        page.get_by_role("heading", name="Stichting Linde moet nog antwoorden")
    ).to_be_visible()
    await expect(page.locator("#outcome")).to_be_focused()


async def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(80):
        await page.keyboard.press("Tab")
        if await page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            return
    pytest.fail(f"the keyboard does not reach {wanted}")


async def test_what_was_filled_in_survives_a_lost_connection_and_a_new_sign_in(
    site: LiveService,
) -> None:
    await desk(site.country)
    page = await site.person("intake_worker", provider="haven")
    await fill_in(page)
    send = page.get_by_role("button", name="Zoek plekken").last

    await page.context.set_offline(True)
    await send.click()
    await expect(page.locator("#notice")).to_contain_text(
        "Geen verbinding. Wat u invulde staat er nog"
    )
    await look_at(page, "find-offline")
    await page.context.set_offline(False)
    await site.country.rows("UPDATE tokens SET expires_at = clock_timestamp()")
    await send.click()
    await expect(page.locator("#notice")).to_contain_text("U bent niet meer ingelogd")
    await look_at(page, "find-signed-out")
    await site.sign_in_again(page)
    await send.click()
    await expect(page.locator("#notice")).to_contain_text("U bent intussen opnieuw ingelogd")
    assert await page.get_by_label("Uit welke gemeente komen ze?").input_value() == "Den Haag"
    await send.click()

    await page.wait_for_url("**/find/*?ranking=*")
    assert await site.country.value("SELECT count(*) FROM referrals") == 1
    kept = await page.evaluate("[...Object.values(localStorage), ...Object.values(sessionStorage)]")
    assert [
        one for one in kept if not one.startswith("/find/")
    ] == []  # where the tab is, by htmx: an opaque id at most
    site.forget_failures("htmx:", "[object Event]")


async def test_an_answer_that_was_lost_on_its_way_makes_nothing_twice(site: LiveService) -> None:
    await desk(site.country)
    page = await site.person("intake_worker", provider="haven")
    await fill_in(page)
    send = page.get_by_role("button", name="Zoek plekken").last

    async def lose(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await page.route("**/find/new", lose)
    await send.click()
    await expect(page.locator("#notice")).to_contain_text("Geen verbinding")
    await page.unroute("**/find/new")
    await send.click()

    await page.wait_for_url("**/find/*?ranking=*")
    assert await site.country.value("SELECT count(*) FROM referrals") == 1
    # On a slow machine the stream of the session that ended is asked for again before the new one
    # is there.
    site.forget_failures("htmx:", "[object Event]", "EventSource's response")


async def test_nothing_fits_in_english_with_what_can_be_done_meanwhile(site: LiveService) -> None:
    await desk(site.country, kind="move_on")
    page = await site.person("intake_worker", provider="haven")
    await page.goto("/language/en")
    await page.goto("/find/new")
    await page.get_by_role("button", name="Find places").last.click()
    await expect(page.get_by_role("alert")).to_contain_text("things have to be put right")
    await expect(page.get_by_role("alert")).to_be_focused()
    await look_at(page, "find-faults")
    await page.get_by_label("acute: today").check()
    await page.get_by_label("female", exact=True).check()
    await page.get_by_label("Which municipality do they come from?").fill("GM0518")
    await page.get_by_role("button", name="Find places").last.click()
    await page.wait_for_url("**/find/*?ranking=*")

    await expect(page.get_by_role("heading", name="Nothing fits and is free now")).to_be_visible()
    await page.locator("#region").select_option("GM0193")
    await page.get_by_role("button", name="Why not there?").click()
    await expect(page.locator("#why")).to_contain_text("not the kind of place that is needed now")
    await look_at(page, "find-nothing")
    await page.get_by_label("hotel").check()
    await page.get_by_role("button", name="Arrange this").click()
    await expect(page.get_by_role("heading", name="Meanwhile: hotel")).to_be_visible()
    await page.get_by_role("button", name="not reached").click()
    await expect(page.get_by_text("Find out now how they are:")).to_be_visible()
    await look_at(page, "find-meanwhile")
    await page.goto("/find")
    await expect(page.get_by_text("make sure that they are well")).to_be_visible()
    await look_at(page, "find-list")
    # The page was renewing itself when the next one was opened.
    site.forget_failures("htmx:")
