"""The administrator's pages in a real browser, in every size and light and by keyboard."""

import json
import re

from playwright.async_api import expect

from app.demo import demo, people
from tests.people import person
from tests.web.accounts.test_sign_in import sign_in
from tests.web.browser import LiveService, look_at


async def test_the_administrators_pages_can_be_read_in_every_size_and_light(
    site: LiveService,
) -> None:
    country = site.country
    async with country.owner.transaction() as tx:
        await demo.fill(tx)
        await people.make_ready(tx)
    await country.rows(
        """WITH week AS (INSERT INTO review_weeks (first_day, accounts)
                         VALUES ('2026-03-02', 31) RETURNING first_day)
           INSERT INTO review_findings (id, week, account_id, provider_id, points, facts)
           SELECT gen_random_uuid(), first_day, a.id, a.provider_id, 300,
                  '[{"signal": "reveals", "count": 6, "usual": 0}]'
           FROM accounts AS a, week WHERE 'coordinator' = ANY (a.roles) LIMIT 3"""
    )
    await country.rows(
        """INSERT INTO discrepancies (code, subject)
           SELECT 'departure_missing', gen_random_uuid() FROM generate_series(1, 2)"""
    )
    chief = await person(country, "administrator", name="chief@plek.example")
    page = await site.visitor()
    await sign_in(page, chief)
    await page.wait_for_url(re.compile("/accounts$"))
    await look_at(page, "accounts")
    for name in ("providers", "weights", "policies", "records", "access-reviews"):
        await page.locator(f"a[href='/{name}']").first.click()
        await expect(page.locator("h1")).to_be_visible()
        await look_at(page, name)
    stated = json.loads(json.dumps(await country.value("SELECT document FROM policies")))
    stated |= {
        "version": "next",
        "valid_from": "2099-01-01",
        "hold_minutes": 90,
        "blank_minutes": 3,
    }
    stated["points"]["nearness"]["most"] = 140
    await page.goto("/policies")
    await page.get_by_label("Of de tekst ervan").fill("{")
    await page.get_by_role("button", name="Publiceren").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await look_at(page, "policies-faults")
    await page.get_by_label("Of de tekst ervan").fill(json.dumps(stated))
    await page.get_by_role("button", name="Publiceren").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Beleid next")
    await look_at(page, "policy")
    await page.goto("/policies")
    await page.get_by_role("button", name="Vergelijken").click()
    await expect(page.get_by_role("row")).to_have_count(6)
    await look_at(page, "policy-differences")


async def test_an_administrator_invites_changes_and_disables_by_keyboard(site: LiveService) -> None:
    country = site.country
    await country.provider("linde")
    chief = await person(country, "administrator", name="chief@plek.example")
    page = await site.visitor()
    await sign_in(page, chief)
    await page.get_by_role("link", name="Iemand uitnodigen").focus()
    await page.keyboard.press("Enter")
    await page.get_by_label("Naam om mee in te loggen").focus()
    await page.keyboard.type("a@linde.example")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await look_at(page, "account-new")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("kies die.").first).to_be_visible()
    await look_at(page, "account-new-faults")
    await page.get_by_label("Vrouwenopvangorganisatie").focus()
    await page.keyboard.press("ArrowDown")
    await page.get_by_role("button", name="Uitnodiging maken").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("pre")).to_contain_text("/invitation#")
    await look_at(page, "account-invited")

    await page.get_by_role("link", name="Naar het account").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("a@linde.example")
    await look_at(page, "account")
    await page.get_by_role("button", name="Uitschakelen").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("uitgeschakeld sinds")).to_be_visible()
    await page.goto(f"/accounts/{chief.account_id}")
    await look_at(page, "account-own")
