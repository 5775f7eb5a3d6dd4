"""Locked out at night, and refusing an administrator, in a browser: steps are counted."""

from playwright.async_api import expect

from app.accounts import staff
from app.accounts.sessions import session_hash
from app.accounts.staff import AccountWanted
from tests.people import person
from tests.web.accounts.test_sign_in import sign_in
from tests.web.browser import LiveService, look_at


async def test_who_is_locked_out_is_at_work_after_one_press_of_a_colleague_and_four_steps(
    site: LiveService,
) -> None:
    country = site.country
    night = await person(country, "intake_worker", name="night@linde.example", provider="linde")
    await country.rows(
        "UPDATE accounts SET name = 'Nachtdienst' WHERE id = :id RETURNING 1", id=night.account_id
    )
    colleague = await person(country, "intake_worker", name="day@linde.example", provider="linde")
    theirs = await site.visitor()
    await sign_in(theirs, colleague)
    await theirs.get_by_role("link", name="Collega's").click()
    await look_at(theirs, "colleagues")
    await theirs.get_by_role("button", name="Instaan voor Nachtdienst").click()
    code = (await theirs.locator("#vouched-code").inner_text()).strip()
    await look_at(theirs, "vouched")

    page = await site.visitor()
    await page.goto("/sign-in")
    await page.get_by_role("link", name="Buitengesloten tijdens de dienst?").click()
    await look_at(page, "locked-out")
    await page.get_by_label("Naam").fill(night.name)
    await page.get_by_label("Code").fill(code)
    await page.get_by_role("button", name="Binnenkomen").click()
    await expect(page.get_by_role("link", name="Nieuwe aanmelding")).to_be_visible()

    await theirs.goto("/colleagues")
    await theirs.get_by_role("button", name="Nu beëindigen").click()
    await page.goto("/find")
    await expect(page.get_by_label("Wachtwoord")).to_be_visible()


async def test_what_an_administrator_asks_is_refused_by_one_press(site: LiveService) -> None:
    country = site.country
    worker = await person(country, "intake_worker", name="w@linde.example", provider="linde")
    chief = await person(country, "administrator", name="chief@plek.example")
    wanted = AccountWanted(
        frozenset({"coordinator"}), await country.provider("linde"), None, "Meneer X"
    )
    async with country.parts.database.transaction(session_hash(chief.opened.cookie)) as tx:
        await staff.invite(tx, wanted, sign_in_name="x@plek.example", embedded=True)
    page = await site.visitor()
    await sign_in(page, worker)
    await page.get_by_role("link", name="Collega's").click()
    await expect(page.get_by_text("Meneer X uitnodigen")).to_be_visible()
    await look_at(page, "asked")
    await page.get_by_role("button", name="Weigeren").click()
    await expect(page.get_by_text("geweigerd op")).to_be_visible()
    await expect(page.get_by_role("button", name="Weigeren")).to_have_count(0)
