"""Pages that a device keeps for when there is no connection.

It keeps two pages for a day at most, and only if its user chose so.
"""

import re
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest
from playwright.async_api import Page, expect

from app.web.access import PAGES
from tests.country import shelter
from tests.web.browser import LiveService, look_at
from tests.web.line import CuttableLine, line_to

KEPT, NOTHING = "/country/kept", "/country/nothing-kept"
STATIC = re.compile(r"/static/[0-9a-f]{12}/(plek\.css|plek\.svg|leave\.js|kept\.js)")
KEYS = """async () => {
  const found = [];
  for (const name of await caches.keys()) {
    for (const request of await (await caches.open(name)).keys()) found.push(new URL(request.url).pathname);
  }
  return found.sort();
}"""
WORKERS = "async () => (await navigator.serviceWorker.getRegistrations()).length"
AGE = """async (hours) => {
  const cache = await caches.open("plek-kept");
  const page = await cache.match("/country/kept");
  const headers = new Headers(page.headers);
  headers.set("x-plek-kept-at", String(Date.now() - hours * 3600 * 1000));
  await cache.put("/country/kept", new Response(await page.text(), { headers }));
}"""
"""Make the kept page some hours older."""


@pytest.fixture
async def wire(site: LiveService) -> AsyncGenerator[CuttableLine]:
    """Lay a line to the service that can be cut."""
    async with line_to(site.base) as line:
        yield line


async def kept_paths(page: Page) -> list[str]:
    """Return the paths of everything that the browser keeps, by itself or for a worker."""
    found: list[str] = await page.evaluate(KEYS)
    return found


async def keeper(site: LiveService) -> Page:
    """Open the window of a coordinator who chose to keep the country on this device."""
    await shelter(site.country, places=5)
    await site.country.step()
    page = await site.person("coordinator", "intake_worker", provider="linde")
    await page.goto("/country")
    await page.get_by_role("button", name="Bewaar op dit apparaat").click()
    await expect(page.get_by_role("button", name="Wis van dit apparaat")).to_be_focused()
    return page


NO_PAGES = {
    *("/live", "/service-worker.js", "/static/{version}/{name}"),
    *("/share/ledger/export", "/share/figures/download"),
}
"""Paths that a browser does not show as a page: files to load, and downloads."""


async def walk(page: Page) -> None:
    """Look at every page there is."""
    for method, path in sorted(PAGES):
        if method == "GET" and path not in NO_PAGES:
            await page.goto(path.replace("{language}", "nl").replace("{id}", "made-up"))


async def wait_until_empty(page: Page) -> None:
    """Wait until the browser keeps nothing, and has no worker."""
    await page.wait_for_function(
        f"async () => !(await ({KEYS})()).length && !(await ({WORKERS})())"
    )


async def test_who_did_not_choose_keeps_nothing_whatever_they_look_at(site: LiveService) -> None:
    page = await site.person("coordinator", "intake_worker", "administrator", provider="linde")

    await walk(page)

    await page.goto("/country")
    await expect(
        page.get_by_text("Op dit apparaat wordt niets bewaard.", exact=True)
    ).to_be_visible()
    assert await kept_paths(page) == []
    assert await page.evaluate(WORKERS) == 0


async def test_who_chose_has_the_country_in_bands_and_the_numbers_without_a_connection_and_nothing_else(
    site: LiveService, wire: CuttableLine
) -> None:
    page = await keeper(replace(site, base=wire.base))
    await walk(page)
    await page.goto("/country")
    await page.goto(KEPT)

    found = await kept_paths(page)
    assert [path for path in found if not STATIC.fullmatch(path)] == [KEPT, NOTHING]
    assert len(found) == 6

    await wire.cut()
    await page.goto("/providers")

    await expect(page).to_have_url(re.compile(f"{KEPT}$"))
    await expect(page.locator(".plek-age__when")).to_contain_text(
        re.compile(r"Stand van .*: \d minu")
    )
    await expect(page.get_by_role("link", name="000-555 01 01")).to_be_visible()
    await expect(page.locator(".plek-bands tbody tr").filter(has_text="Zwolle")).to_contain_text(
        "3 of meer vrij van 5"
    )
    assert "van uzelf" not in await page.content()
    assert "csrf" not in (await page.content()).lower()
    await look_at(page, "country-kept")

    await wire.mend()
    await page.get_by_role("link", name="Probeer het opnieuw met verbinding").click()
    await expect(page.get_by_role("heading", level=1, name="Het land", exact=True)).to_be_visible()


async def test_after_a_day_it_is_gone_and_the_page_says_so(
    site: LiveService, wire: CuttableLine
) -> None:
    page = await keeper(replace(site, base=wire.base))
    await page.goto(KEPT)
    await wire.cut()

    await page.evaluate(AGE, 23.9)
    await page.goto("/country")
    await expect(page).to_have_url(re.compile(f"{KEPT}$"))
    await page.evaluate(AGE, 24)
    await page.goto("/country")

    await expect(page).to_have_url(re.compile(f"{NOTHING}$"))
    assert KEPT not in await kept_paths(page)
    await look_at(page, "country-nothing-kept")


async def test_a_page_that_lies_open_goes_after_a_day_as_well(site: LiveService) -> None:
    page = await keeper(site)
    await page.clock.install()
    await page.goto(KEPT)
    await expect(page.locator(".plek-bands")).to_be_visible()

    await page.clock.fast_forward("24:01:00")

    await expect(page).to_have_url(re.compile(f"{NOTHING}$"))


@pytest.mark.parametrize("how", ["switch", "sign-out", "leave", "ended elsewhere"])
async def test_all_of_it_goes_at_once(site: LiveService, how: str) -> None:
    page = await keeper(site)
    beside = await page.context.new_page()
    await beside.goto("/static/0/plek.svg")
    assert await kept_paths(beside)

    match how:
        case "switch":
            await page.get_by_role("button", name="Wis van dit apparaat").click()
            await expect(
                page.get_by_text("Op dit apparaat wordt niets bewaard.", exact=True)
            ).to_be_visible()
        case "sign-out":
            await page.get_by_role("button", name="Uitloggen").click()
        case "leave":
            await page.locator("[data-leave]").click()
            await page.wait_for_url("https://www.knmi.nl/")
        case _:
            await site.country.rows("UPDATE tokens SET revoked_at = clock_timestamp()")
            await page.evaluate(
                "async () => (await navigator.serviceWorker.ready).active.postMessage('keep')"
            )

    await wait_until_empty(beside)
