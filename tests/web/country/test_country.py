"""The country page in a real browser: free places in bands, and how fresh they are."""

import re

from playwright.async_api import Locator, Page, expect

from app.demo import demo
from tests.country import (
    FAR,
    HERE,
    THERE,
    Country,
    place_body,
    referral_body,
    shelter,
    site_body,
    standing_site,
)
from tests.web.browser import LiveService, look_at


async def fill_demo(country: Country) -> None:
    """Fill the demo country."""
    async with country.owner.transaction() as tx:
        made = await demo.fill(tx, seed=1)
    country.providers.update({provider.slug: provider.id for provider in made.providers})


def row(page: Page, region: str) -> Locator:
    """Return the row of a region."""
    return page.locator(".plek-bands tbody tr").filter(
        has=page.get_by_role("rowheader", name=region, exact=True)
    )


async def test_the_demo_country_can_be_read_in_every_size_and_light(site: LiveService) -> None:
    await fill_demo(site.country)
    page = await site.person(
        "intake_worker", "coordinator", provider=next(iter(site.country.providers))
    )

    await page.goto("/country")
    await expect(row(page, "Zwolle")).to_be_visible()
    await look_at(page, "country")
    await page.get_by_role("link", name="Toon elke soort plek").click()
    await expect(page.get_by_role("columnheader", name="Doorstroomwoning")).to_be_visible()
    await look_at(page, "country-every")
    await page.goto("/providers")
    await look_at(page, "providers")


async def test_bands_say_how_fresh_they_are_first_and_own_places_are_told_exactly(
    site: LiveService,
) -> None:
    country = site.country
    await shelter(country, places=5)
    old = await shelter(country, "eik", site=site_body(municipality=FAR))
    never = await country.client("coordinator", provider="beuk")
    at = await standing_site(country, "beuk", municipality=HERE)
    taken = await never.post("/places", place_body(at["id"]))
    await never.patch(f"/places/{taken['id']}", {"status": "occupied"})
    await country.rows(
        "UPDATE sites SET confirmed_at = confirmed_at - interval '3 days' WHERE id = :id",
        id=old.site_id,
    )
    await country.rows("UPDATE sites SET confirmed_at = NULL WHERE id = :id", id=at["id"])
    await country.step()
    own = await site.person("coordinator", provider="linde")
    other = await site.person("auditor", region=THERE)

    await own.goto("/country")
    await other.goto("/country")

    await expect(row(own, "Zwolle")).to_have_text(
        re.compile(r"actueel\s+3 of meer vrij\s+van 5\s+van uzelf: 5 van 5 vrij")
    )
    await expect(row(other, "Zwolle")).to_have_text(
        re.compile(r"^\s*Zwolle\s*actueel\s+3 of meer vrij\s+van 5\s*$")
    )
    await expect(row(other, "Groningen")).to_have_text(re.compile(r"verouderd\s+1 of 2 vrij"))
    await expect(row(other, "'s-Gravenhage")).to_contain_text("niet bekend: bel eerst")
    await expect(row(other, "Utrecht")).to_contain_text("geen plekken van deze soort")
    await expect(other.get_by_role("img", name="Kaart")).to_have_accessible_name(
        re.compile("1 regio met 3 of meer vrij, 1 met 1 of 2, 0 vol, 1 onbekend")
    )
    await expect(other.locator("#waits")).to_have_count(0)
    await expect(other.get_by_role("button", name="Reken het uit")).to_have_count(0)


async def test_what_changes_shows_by_itself_and_the_focus_stays(site: LiveService) -> None:
    country = site.country
    there = await shelter(country)
    await country.step()
    page = await site.person("intake_worker", provider="haven")
    await page.goto("/country")
    await expect(row(page, "Zwolle")).to_contain_text("1 of 2 vrij")
    await expect(page.locator("html")).to_have_attribute("data-live", "yes")
    await page.get_by_role("link", name="Crisisplek").focus()

    await there.coordinator.patch(f"/places/{there.place_ids[0]}", {"status": "occupied"})
    await country.step()

    await expect(row(page, "Zwolle")).to_contain_text("vol")
    await expect(page.get_by_role("link", name="Crisisplek")).to_be_focused()


async def test_an_intake_worker_sees_how_many_of_their_own_wait_and_no_more(
    site: LiveService,
) -> None:
    for provider, times in (("haven", 2), ("linde", 1)):
        desk = await site.country.client("intake_worker", provider=provider)
        for _ in range(times):
            await desk.post("/referrals", referral_body())
    page = await site.person("intake_worker", provider="haven")

    await page.goto("/country")

    await expect(page.locator("#waits")).to_contain_text(
        "2 aanmeldingen van uw organisatie wachten op een plek."
    )


async def test_an_administrator_asks_for_a_plan_in_counts_and_sees_none_that_is_small(
    site: LiveService,
) -> None:
    desk = await site.country.client("intake_worker", provider="haven")
    for urgency, times in (("acute", 11), ("urgent", 12)):
        for _ in range(times):
            await desk.post("/referrals", referral_body(urgency=urgency))
    page = await site.person("administrator")
    await page.goto("/country")

    await page.get_by_role("button", name="Reken het uit").click()

    table = page.locator("#plan table")
    await expect(table.get_by_role("row", name=re.compile("Dringend"))).to_contain_text("12")
    # With this count a reader could work out that all others are zero.
    await expect(table.get_by_role("row", name=re.compile("Acuut"))).not_to_contain_text("11")
    await look_at(page, "country-plan")
