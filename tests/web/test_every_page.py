"""Claims about every page: leaving it, its language, and its live connection."""

import asyncio
from dataclasses import replace

import pytest
from playwright.async_api import Page, expect

from app.events.bus import BEAT_S
from tests.web.browser import LiveService, look_at
from tests.web.line import line_to


async def test_the_start_page_can_be_read_in_every_size_and_light(site: LiveService) -> None:
    page = await site.visitor()
    await page.goto("/")

    await look_at(page, "start")


@pytest.mark.parametrize("by", ["button", "keys"])
async def test_leaving_blanks_the_page_goes_elsewhere_and_there_is_no_way_back(
    site: LiveService, by: str
) -> None:
    page = await site.visitor()
    await page.goto("/")
    await page.goto("/?again")

    await _leave(page, by)

    await page.wait_for_url("https://www.knmi.nl/")
    await page.go_back()
    await page.wait_for_url("https://www.knmi.nl/")


async def test_whoever_asks_for_the_start_page_again_may_come_back(site: LiveService) -> None:
    page = await site.visitor()
    await page.goto("/")
    await _leave(page, "button")
    await page.wait_for_url("https://www.knmi.nl/")

    await page.goto("/")

    await expect(page.get_by_role("heading", level=1)).to_be_visible()


async def test_english_is_one_click_away_and_stays(site: LiveService) -> None:
    page = await site.visitor()
    await page.goto("/")
    await expect(page.locator("html")).to_have_attribute("lang", "nl")

    await page.get_by_role("link", name="English").click()

    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await page.goto("/")
    await expect(page.locator("html")).to_have_attribute("lang", "en")


async def test_a_line_that_dies_in_silence_is_noticed_and_one_that_says_it_lives_is_not(
    site: LiveService,
) -> None:
    live, bus = ("data-live", "yes"), site.country.parts.bus
    async with line_to(site.base) as line:
        page = await replace(site, base=line.base).person("coordinator", provider="linde")
        await page.clock.install()
        await page.goto("/providers")
        await expect(page.locator("html")).to_have_attribute(*live)

        await page.clock.fast_forward(30_000)
        await asyncio.gather(*(bus.beat() for _ in range(BEAT_S)))
        await page.evaluate("fetch('/session/state')")
        await page.clock.fast_forward(30_000)
        await expect(page.locator("html")).to_have_attribute(*live)
        line.stall()
        await page.clock.fast_forward(40_000)
        await expect(page.get_by_text("Niet live")).to_be_visible()

        await line.mend()
        await expect(page.get_by_text("Niet live")).to_be_hidden()
        await page.close()
    site.forget_failures("htmx:", "[object Event]")


async def _leave(page: Page, by: str) -> None:
    if by == "button":
        await page.locator("[data-leave]").click()
    else:
        for _ in range(3):
            await page.keyboard.press("Shift")
