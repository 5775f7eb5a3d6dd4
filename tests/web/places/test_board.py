"""My places in a real browser: live, by keyboard alone, on a phone, after a lost line."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.web.browser import PHONE, LiveService, look_at
from tests.web.figures import Stopwatch
from tests.web.line import line_to
from tests.web.places.board_scene import busy, small

REPEATS = 10
PATIENCE_MS = 60_000
"""The time in which a browser comes back after a loss."""


async def open_board(site: LiveService, **options: Any) -> Page:
    page = await site.person("coordinator", provider="linde", **options)
    await page.goto("/places")
    await expect(page.locator("html")).to_have_attribute("data-live", "yes")
    return page


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until an element of this name has the focus."""
    for _ in range(200):
        await page.keyboard.press("Tab")
        if await page.evaluate(
            "name => document.activeElement.textContent.trim().startsWith(name)", name
        ):
            return
    pytest.fail(f"{name} cannot be reached")


async def test_a_busy_board_can_be_read_in_every_size_and_light(site: LiveService) -> None:
    scene = await busy(site.country)
    page = await open_board(site)
    await look_at(page, "places-board")

    await page.get_by_role("link", name="2A").first.click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await look_at(page, "places-place")
    await page.keyboard.press("Escape")
    await (
        page.locator(f"#s-{scene.sites['Linde']}").get_by_role("link", name="Vertrek…").last.click()
    )
    await expect(page.get_by_role("dialog").get_by_role("heading", level=2)).to_contain_text(
        "Linde"
    )
    await look_at(page, "places-stay")

    await scene.linde.patch(f"/sites/{scene.sites['Linde']}", {"municipality": "GM0014"})
    await page.goto("/approvals")
    await look_at(page, "approvals")


async def test_the_sheets_can_be_read_in_every_size_and_light(site: LiveService) -> None:
    scene = await small(site.country)
    await scene.hold()
    page = await open_board(site)
    await page.get_by_text("Afwijzen").click()
    await look_at(page, "places-decline")
    await page.get_by_text("Welke gemeenten?").click()
    await page.get_by_role("button", name="netwerk van de pleger").click()
    await expect(page.get_by_role("dialog")).to_contain_text("s-Gravenhage")
    await look_at(page, "places-danger-look")
    await page.keyboard.press("Escape")
    await page.get_by_role("link", name="Locatie toevoegen").click()
    await page.get_by_role("dialog").get_by_role("button", name="Toevoegen").click()
    await look_at(page, "places-site-new")
    await page.keyboard.press("Escape")

    await page.get_by_role("link", name="Meer over Linde").click()
    await page.get_by_text("Hier is niemand meer veilig").click()
    await look_at(page, "places-site")
    await page.get_by_role("button", name="er is gedreigd").click()
    await expect(page.locator("#sites .plek-loud")).to_contain_text("Niet veilig sinds")
    await look_at(page, "places-alarm")


async def test_a_hold_appears_on_the_open_board_and_its_sender_sees_the_answer(
    site: LiveService,
) -> None:
    scene = await small(site.country, places=2)
    page = await open_board(site)
    watch = Stopwatch("a hold made elsewhere shows on the open board")
    for _ in range(REPEATS):
        hold = await scene.hold()
        with watch:
            await expect(page.locator(f"#h-{hold['id']}")).to_be_visible()
        await page.get_by_text("Afwijzen").click()
        await page.get_by_role("button", name="te weinig personeel").click()
        await expect(page.locator(f"#h-{hold['id']}")).to_have_count(0)
        declined = await scene.haven.get(f"/holds/{hold['id']}")
        assert (declined["status"], declined["reason"]) == ("declined", "staffing")
    watch.report()

    hold = await scene.hold()
    await expect(page.get_by_role("status").filter(has_text="Nieuw bericht")).to_have_text(
        "Nieuw bericht"
    )
    await page.get_by_role("button", name="Accepteren").click()

    await expect(page.locator(f"#h-{hold['id']}")).to_contain_text("Geaccepteerd")
    assert (await scene.haven.get(f"/holds/{hold['id']}"))["status"] == "accepted"


async def test_a_choice_that_was_begun_and_where_somebody_is_survive_what_comes_in(
    site: LiveService,
) -> None:
    scene = await small(site.country)
    first = await scene.hold()
    page = await open_board(site)
    await page.get_by_text("Afwijzen").click()
    await page.get_by_role("button", name="te weinig personeel").focus()

    second = await scene.hold()
    await expect(page.locator(f"#h-{second['id']}")).to_be_visible()

    await expect(page.get_by_role("button", name="te weinig personeel")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator(f"#h-{first['id']}")).to_have_count(0)
    assert (await scene.haven.get(f"/holds/{second['id']}"))["status"] == "pending"


async def test_a_day_is_done_by_keyboard_alone(site: LiveService) -> None:
    scene = await small(site.country)
    placement = await scene.set_out()
    await scene.grow_old("Linde", 30)
    page = await open_board(site)

    await tab_to(page, "Aangekomen")
    await page.keyboard.press("Enter")
    await expect(page.locator("#said")).to_contain_text("Zij zijn aangekomen")
    await tab_to(page, "Alles klopt nog")
    await page.keyboard.press("Enter")
    await expect(page.locator(".plek-warning")).to_have_count(0)
    await tab_to(page, "Nu bezet")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-is=occupied]")).to_have_count(1)
    await tab_to(page, "Ongedaan maken")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-is=occupied]")).to_have_count(0)

    await page.locator("h1").click()
    await tab_to(page, "Vertrek…")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await tab_to(page, "Zij zijn vertrokken: de plek is vrij")
    await page.keyboard.press("Enter")

    await expect(page.locator("[data-is=free]")).to_have_count(3)
    assert (await scene.haven.get(f"/placements/{placement['id']}"))["destination"] == "own_home"


async def test_presses_in_quick_succession_all_count(site: LiveService) -> None:
    scene = await small(site.country, places=6)
    page = await open_board(site)

    await page.evaluate(
        "[...document.querySelectorAll('button[formaction$=occupied]')].forEach((button) => "
        "button.click())"
    )

    await expect(page.locator("[data-is=occupied]")).to_have_count(6)
    assert {place["status"] for place in (await scene.linde.get("/places"))["items"]} == {
        "occupied"
    }


async def test_what_cannot_be_taken_back_is_said_honestly(site: LiveService) -> None:
    scene = await small(site.country, places=1)
    await scene.declare("Linde", 0, "occupied")
    page = await open_board(site, viewport=PHONE)
    await page.clock.set_fixed_time(dt.datetime.now(dt.UTC))
    await page.get_by_role("button", name="Nu vrij").click()
    await expect(page.locator("[data-undo]")).to_be_visible()
    await look_at(page, "places-undo")

    await scene.hold()
    await page.get_by_role("button", name="Ongedaan maken").click()

    await expect(page.locator("#said")).to_contain_text("terugzetten kan niet meer")
    await look_at(page, "places-not-undone")


async def test_a_file_with_faults_is_shown_by_line_and_one_without_is_taken_in(
    site: LiveService,
) -> None:
    await small(site.country, places=1)
    page = await open_board(site)
    await page.get_by_role("link", name="Bestand inlezen").click()
    head = "provider,site,label,kind,bed_spaces,sharing,genders,sons_up_to_age\n"
    good = f"{head}linde,Linde,7A,crisis,4,own_unit,female,17\n"
    bad = f"{good}linde,Nergens,7B,kasteel,4,own_unit,female,17\nlinde,Linde,7A,crisis,veel,own_unit,female,17\n"

    await _choose(page, bad)
    await expect(page.get_by_role("row")).to_have_count(4)
    await look_at(page, "places-import-faults")
    await _choose(page, good)
    await look_at(page, "places-import")
    await page.get_by_role("button", name="Nu inlezen").click()

    await page.get_by_role("link", name="Naar mijn plekken", exact=True).click()
    await expect(page.get_by_role("link", name="7A")).to_be_visible()


async def _choose(page: Page, content: str) -> None:
    file = {"name": "own.csv", "mimeType": "text/csv", "buffer": content.encode()}
    await page.get_by_label("Bestand", exact=True).set_input_files(file)  # pyright: ignore[reportArgumentType]
    await page.get_by_role("button", name="Eerst bekijken").click()
    await expect(page.locator("#found h2")).to_be_visible()


TONES = """
const made = AudioContext.prototype.createOscillator;
window.tones = 0;
AudioContext.prototype.createOscillator = function () {
  window.tones += 1;
  return made.call(this);
};
"""
"""Count the tones that a page makes, in the browser's own audio."""


async def test_the_board_sounds_when_somebody_wants_to_come_where_that_is_wanted_and_the_wish_is_kept(
    site: LiveService,
) -> None:
    scene = await small(site.country)
    page = await site.person("coordinator", provider="linde")
    await page.add_init_script(TONES)
    await page.goto("/places")
    sound = page.get_by_role("button", name="Geluid als iemand wil komen")
    first = await scene.hold()
    await expect(page.locator(f"#h-{first['id']}")).to_be_visible()
    assert await page.evaluate("tones") == 0

    await sound.click()
    await expect(sound).to_have_attribute("aria-pressed", "true")
    assert await page.evaluate("tones") == 2
    await page.reload()
    await expect(sound).to_have_attribute("aria-pressed", "true")
    await expect(page.locator("html")).to_have_attribute("data-live", "yes")
    await page.keyboard.press("Tab")
    second = await scene.hold()
    await expect(page.locator(f"#h-{second['id']}")).to_be_visible()

    assert await page.evaluate("tones") == 2
    assert await page.evaluate("localStorage.getItem('plek-sound')") == "yes"


async def test_after_a_lost_line_the_board_has_what_came_meanwhile(site: LiveService) -> None:
    scene = await small(site.country)
    async with line_to(site.base) as line:
        page = await open_board(replace(site, base=line.base))
        await line.cut()
        await expect(page.get_by_text("Niet live")).to_be_visible()

        hold = await scene.hold()
        await line.mend()

        await expect(page.locator(f"#h-{hold['id']}")).to_be_visible(timeout=PATIENCE_MS)
        await expect(page.get_by_text("Niet live")).to_be_hidden(timeout=PATIENCE_MS)
        later = await scene.hold()
        await expect(page.locator(f"#h-{later['id']}")).to_be_visible()
        await page.close()
    site.failures.clear()  # the requests on the cut line, which this test is about
