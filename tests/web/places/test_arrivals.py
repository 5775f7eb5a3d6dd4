"""Arrivals and missing households in a real browser, on the board and at the desk."""

import datetime as dt
from zoneinfo import ZoneInfo

from playwright.async_api import Page, expect

from app.database.transaction import WORKER
from app.dues import dues
from tests.country import Country
from tests.web.browser import PHONE, LiveService, look_at
from tests.web.places.board_scene import FAMILY, small

LATE = "UPDATE placements SET expected_at = clock_timestamp() - interval '3 hours'"
KNOWN = {
    "household": {**FAMILY, "pregnant": True},
    "languages": ["ti"],
    "callBack": "000-555 02 02",
    "urgency": "acute",
}


async def ring(country: Country) -> None:
    """Ring what is due, as the worker does every second."""
    async with country.parts.database.transaction(actor=WORKER) as tx:
        await dues.ring_dues(tx)


async def open_board(site: LiveService, path: str, role: str, provider: str) -> Page:
    page = await site.person(role, provider=provider)
    await page.goto(path)
    await expect(page.locator("html")).to_have_attribute("data-live", "yes")
    return page


async def test_the_night_shift_sees_who_will_stand_at_the_door(site: LiveService) -> None:
    scene = await small(site.country)
    placement = await scene.set_out(**KNOWN)
    page = await open_board(site, "/places", "coordinator", "linde")
    await page.set_viewport_size(PHONE)  # pyright: ignore[reportArgumentType]
    card = page.locator(f"#a-{placement['id']}")

    for words in (
        "3 personen",
        "vrouw (31)",
        "2 kinderen",
        "jongen 4 jaar",
        "meisje 9 jaar",
        "zwanger",
        "acuut",
    ):
        await expect(card).to_contain_text(words)
    for words in ("Tigrinya", "babybedjes", "000-555 02 02", "000-555 01 01"):
        await expect(card).to_contain_text(words)
    await look_at(page, "places-coming")

    alone = {"adults": FAMILY["adults"], "children": []}
    path = f"/referrals/{placement['referralId']}"
    tag = (await scene.haven.ask("GET", path)).headers["ETag"]
    await scene.haven.patch(path, {"household": alone}, headers={"If-Match": tag})
    await expect(card).to_contain_text("1 persoon")

    await card.get_by_role("button", name="Aangekomen").click()
    await page.locator("#sites").get_by_role("link", name="Vertrek…").click()
    await expect(page.get_by_role("dialog")).to_contain_text("1 persoon")


async def test_both_sides_see_that_somebody_is_missed_until_one_of_them_acts(
    site: LiveService,
) -> None:
    scene = await small(site.country)
    placement = await scene.set_out(**KNOWN)
    board = await open_board(site, "/places", "coordinator", "linde")
    desk = await open_board(site, f"/find/{placement['referralId']}", "intake_worker", "haven")
    listed = await open_board(site, "/find", "intake_worker", "haven")
    card = board.locator(f"#a-{placement['id']}")
    await expect(card).to_be_visible()

    await site.country.rows(LATE)
    await ring(site.country)

    await expect(card.locator(".plek-loud")).to_contain_text("en niet hier. Bel nu.")
    await expect(desk.locator("#case .utrecht-alert--error")).to_contain_text("en niet daar")
    await expect(desk.locator("#case .utrecht-alert--error")).to_contain_text("000-555 01 01")
    await expect(listed.get_by_text("niet daar: bel de opvang")).to_be_visible()
    await look_at(board, "places-missed")
    await look_at(desk, "find-missed")

    later = dt.datetime.now(ZoneInfo("Europe/Amsterdam")) + dt.timedelta(hours=1)
    await desk.get_by_text("Ze komen op een ander moment").click()
    await desk.locator("#expected_again").fill(later.strftime("%Y-%m-%dT%H:%M"))
    await desk.get_by_role("button", name="Laat het de opvang weten").click()
    await expect(desk.locator("#case .utrecht-alert--error")).to_have_count(0)
    await expect(card.locator(".plek-loud")).to_have_count(0)

    await card.get_by_role("button", name="Zij kwamen niet").click()
    await expect(desk.get_by_text("Ga nu na of ze veilig zijn")).to_be_visible()
    await look_at(board, "places-no-show")
    await card.get_by_role("button", name="Zij kwamen toch").click()
    await expect(
        desk.get_by_role("heading", name="Ze zijn aangekomen bij Stichting Linde")
    ).to_be_visible()
    await expect(card).to_have_count(0)
