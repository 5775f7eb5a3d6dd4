"""Sign-in in a real browser: invitations, the demo's people, idle screens, sign-out."""

import re
from base64 import b32decode
from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import Page, expect
from starlette.routing import Mount

from app.accounts import second_factor
from app.demo import demo, people
from tests.country import HERE, Country
from tests.people import PASSWORD, Person, invited, person
from tests.web.browser import LiveService, look_at

ROLES = {
    "intake_worker": {"provider": "linde"},
    "coordinator": {"provider": "linde"},
    "auditor": {"region": HERE},
    "administrator": {},
}


async def sign_in(page: Page, worker: Person) -> None:
    """Sign in by labels and the keyboard alone."""
    await page.goto("/sign-in")
    await page.get_by_label("Naam").focus()
    await page.keyboard.type(worker.name)
    await page.keyboard.press("Tab")
    await page.keyboard.type(worker.password)
    await page.keyboard.press("Tab")
    await page.keyboard.type(await worker.next_code())
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile("^(?!.*sign-in)"))


@pytest.mark.parametrize("role", ROLES)
async def test_somebody_of_each_role_signs_in_by_keyboard_alone(
    site: LiveService, role: str
) -> None:
    worker = await person(site.country, role, **ROLES[role])
    page = await site.visitor()

    await sign_in(page, worker)

    await expect(page.get_by_role("button", name="Uitloggen", exact=True)).to_be_visible()
    await expect(page.get_by_role("heading", level=1)).to_be_visible()


async def test_an_invitation_is_accepted_in_a_few_steps_and_its_code_leaves_the_address(
    site: LiveService,
) -> None:
    made = await invited(site.country, "nieuw@linde.example", "administrator")
    page = await site.visitor()
    await page.goto(f"/invitation#{made.code}")
    await expect(page.get_by_label("Code van de uitnodiging")).to_have_value(made.code)
    assert made.code not in page.url
    await look_at(page, "invitation")

    await page.get_by_role("button", name="Verder").click()
    await look_at(page, "invitation-choice")
    spelled = (await page.locator(".plek-spelled").inner_text()).replace(" ", "")
    await page.get_by_label("Nieuw wachtwoord").fill("kort en goed")
    await page.get_by_label("Code die de app toont").fill("000000")
    await page.get_by_role("button", name="Opslaan en inloggen").click()
    await expect(page.get_by_text("Dat is niet de code van dit moment.")).to_be_visible()
    await look_at(page, "invitation-faults")
    assert (await page.locator(".plek-spelled").inner_text()).replace(" ", "") == spelled

    await page.get_by_label("Nieuw wachtwoord").fill(PASSWORD)
    at = await site.country.value("SELECT clock_timestamp()")
    await page.get_by_label("Code die de app toont").fill(
        second_factor.code_at(b32decode(spelled), at)
    )
    await page.get_by_role("button", name="Opslaan en inloggen").click()

    await expect(page.locator(".plek-codes li")).to_have_count(10)
    await look_at(page, "recovery-codes")
    await page.get_by_role("link", name="Ik heb ze bewaard: verder").click()
    await expect(page.get_by_role("button", name="Uitloggen", exact=True)).to_be_visible()


async def test_the_pages_of_signing_in_can_be_read_in_every_size_and_light(
    site: LiveService,
) -> None:
    worker = await person(site.country, "auditor", region=HERE)
    page = await site.visitor()
    await page.goto("/sign-in")
    await look_at(page, "sign-in")
    await page.get_by_label("Naam").fill(worker.name)
    await page.get_by_label("Wachtwoord").fill("x")
    await page.get_by_label("Code", exact=True).fill("000000")
    await page.get_by_role("button", name="Inloggen").click()
    await expect(page.get_by_role("alert")).to_contain_text("Dat klopt niet")
    await look_at(page, "sign-in-refused")

    await sign_in(page, worker)
    await page.goto("/session")
    await expect(page.get_by_role("row")).to_have_count(3)
    await look_at(page, "sessions")
    await page.get_by_role("link", name="Verander uw wachtwoord").click()
    await page.locator("#password-password").fill(worker.password)
    await page.locator("#password-code").fill(await worker.next_code())
    await page.get_by_label("Nieuw wachtwoord").fill("kort")
    await page.get_by_text("Een andere tweede factor").click()
    await page.get_by_role("button", name="Verander het wachtwoord").click()
    await expect(page.get_by_text("Kies er een van 12 tot 200 tekens.")).to_be_visible()
    await page.get_by_text("Een andere tweede factor").click()
    await look_at(page, "credential")


async def test_signing_out_everywhere_closes_the_page_in_the_other_browser(
    site: LiveService,
) -> None:
    worker = await person(site.country, "auditor", region=HERE)
    one, other = await site.visitor(), await site.visitor()
    for page in (one, other):
        await sign_in(page, worker)
        await page.goto("/session")

    await one.get_by_role("button", name="Overal uitloggen").click()
    await one.wait_for_url(re.compile("/$"))

    await other.get_by_role("link", name="Uw sessies").click()
    await other.wait_for_url(re.compile("/sign-in"))


async def serve_demo(country: Country) -> None:
    """Serve the demo country, as `plek serve --demo` does."""
    async with country.owner.transaction() as tx:
        await demo.fill(tx)
        await people.make_ready(tx)
    parts = replace(country.parts, settings=replace(country.parts.settings, demo=True))
    within: list[Any] = [route.app for route in country.app.routes if isinstance(route, Mount)]
    for one in (country.app, *within):
        one.state.parts = parts


async def test_in_the_demo_one_press_signs_in_as_each_of_its_people(site: LiveService) -> None:
    await serve_demo(site.country)
    page = await site.visitor()
    await page.goto("/")
    await look_at(page, "start-demo")
    for name in (
        "Intakemedewerker",
        "Coördinator opvang",
        "Controller centrumgemeente",
        "Beheerder",
    ):
        await page.goto("/")

        await page.get_by_role("button", name=name).click()

        await expect(page.get_by_role("button", name="Uitloggen", exact=True)).to_be_visible()
        await page.get_by_role("button", name="Uitloggen", exact=True).click()
        await page.wait_for_url(re.compile("/$"))


async def pass_minutes(page: Page, minutes: int) -> None:
    """Let some minutes pass on a page that is left alone."""
    await page.clock.fast_forward(minutes * 60_000)


async def test_a_screen_that_nobody_touches_is_covered_and_a_key_brings_it_back(
    site: LiveService,
) -> None:
    worker = await person(site.country, "auditor", region=HERE)
    page = await site.visitor()
    await page.clock.install()
    await sign_in(page, worker)
    await page.goto("/session")

    await pass_minutes(page, 4)
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await pass_minutes(page, 2)

    await expect(page.get_by_role("heading", name="Uw sessies")).to_be_hidden()
    await expect(page.locator("#cover")).to_be_visible()
    await look_at(page, "covered")
    await page.keyboard.press("a")
    await expect(page.get_by_role("heading", name="Uw sessies")).to_be_visible()


async def test_after_the_end_of_a_session_the_same_person_goes_on_where_they_were(
    site: LiveService,
) -> None:
    worker = await person(site.country, "administrator")
    page = await site.visitor()
    await page.clock.install()
    await sign_in(page, worker)
    await page.goto("/session")
    await page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<input id=half "
        "aria-label=half>')"
    )
    await page.locator("#half").fill("half filled in")
    before = await page.locator("input[name=csrf]").first.input_value()
    await site.country.rows("UPDATE tokens SET expires_at = clock_timestamp()")

    await pass_minutes(page, 6)
    await page.keyboard.press("a")
    await expect(page.get_by_role("heading", name="Opnieuw inloggen")).to_be_visible()
    await look_at(page, "sign-in-again")
    cover = page.locator("#cover")
    await cover.get_by_label("Naam").fill(worker.name)
    await cover.get_by_label("Wachtwoord").fill("x")
    await cover.get_by_label("Code", exact=True).fill("000000")
    await page.keyboard.press("Enter")
    await expect(cover.get_by_role("alert")).to_be_visible()
    await cover.get_by_label("Wachtwoord").fill(worker.password)
    await cover.get_by_label("Code", exact=True).fill(await worker.next_code())
    await page.keyboard.press("Enter")

    await expect(cover).to_be_hidden()
    await expect(page.locator("#half")).to_have_value("half filled in")
    assert await page.locator("input[name=csrf]").first.input_value() != before
    await page.get_by_role("button", name="Overal uitloggen").click()
    await page.wait_for_url(re.compile("/$"))
    kept = await page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert "half filled in" not in kept


async def test_another_person_does_not_see_the_page_that_was_left(site: LiveService) -> None:
    worker = await person(site.country, "auditor", region=HERE)
    other = await person(site.country, "auditor", name="other@linde.example", region=HERE)
    page = await site.visitor()
    await page.clock.install()
    await sign_in(page, worker)
    await page.goto("/session?left")
    await site.country.rows("UPDATE tokens SET expires_at = clock_timestamp()")

    await pass_minutes(page, 6)
    await page.keyboard.press("a")
    cover = page.locator("#cover")
    await cover.get_by_label("Naam").fill(other.name)
    await cover.get_by_label("Wachtwoord").fill(other.password)
    await cover.get_by_label("Code", exact=True).fill(await other.next_code())
    await page.keyboard.press("Enter")

    await page.wait_for_url(re.compile("/share$"))
