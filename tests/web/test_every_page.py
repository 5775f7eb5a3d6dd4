"""What holds on every page: leaving it, its language, what it may load."""

import pytest
from playwright.async_api import Page, expect

from tests.web.browsing import Site, look_at


async def test_the_start_page_can_be_read_in_every_size_and_light(site: Site) -> None:
    page = await site.visitor()
    await page.goto("/")

    await look_at(page, "start")


@pytest.mark.parametrize("by", ["button", "keys"])
async def test_leaving_blanks_the_page_goes_elsewhere_and_there_is_no_way_back(site: Site, by: str) -> None:
    page = await site.visitor()
    await page.goto("/")
    await page.goto("/?again")

    await _leave(page, by)

    await page.wait_for_url("https://www.knmi.nl/")
    await page.go_back()
    await page.wait_for_url("https://www.knmi.nl/")


async def test_whoever_asks_for_the_start_page_again_may_come_back(site: Site) -> None:
    page = await site.visitor()
    await page.goto("/")
    await _leave(page, "button")
    await page.wait_for_url("https://www.knmi.nl/")

    await page.goto("/")

    await expect(page.get_by_role("heading", level=1)).to_be_visible()


async def test_english_is_one_click_away_and_stays(site: Site) -> None:
    page = await site.visitor()
    await page.goto("/")
    await expect(page.locator("html")).to_have_attribute("lang", "nl")

    await page.get_by_role("link", name="English").click()

    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await page.goto("/")
    await expect(page.locator("html")).to_have_attribute("lang", "en")


async def _leave(page: Page, by: str) -> None:
    if by == "button":
        await page.locator("[data-leave]").click()
    else:
        for _ in range(3):
            await page.keyboard.press("Shift")
