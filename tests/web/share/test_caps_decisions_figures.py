"""Caps, decisions and figures in a real browser."""

import datetime as dt

import pytest
from playwright.async_api import expect

from app.database.transaction import WORKER
from app.shares import monitor_releases
from tests.api.shares.test_decisions import WAITS
from tests.api.shares.test_monitor import past_of
from tests.casework import desk
from tests.country import FAR, HERE, THERE, Country
from tests.erasures import departed
from tests.ledger_stays import local_today, seal, stayed
from tests.quarters import PAST, release_all
from tests.web.browser import LiveService, look_at

DAY = dt.timedelta(days=1)


async def test_a_controller_sets_a_cap_after_reading_what_it_does(site: LiveService) -> None:
    page = await site.person("auditor", region=THERE)
    await page.goto("/share")
    await look_at(page, "share-not-yet")
    await page.goto("/share/caps")

    await page.get_by_label("Huishoudens uit andere regio's tegelijk, hoogstens").fill("veel")
    await page.get_by_role("button", name="Bekijk wat het zou doen").click()
    await expect(page.get_by_text("Vul een heel getal in")).to_be_visible()
    await look_at(page, "share-caps-faults")
    await page.get_by_label("Huishoudens uit andere regio's tegelijk, hoogstens").fill("3")
    await page.get_by_label("Reden").select_option("own_waiting_list")
    await page.get_by_label("Laatste dag").fill((local_today() + 40 * DAY).isoformat())
    await page.get_by_role("button", name="Bekijk wat het zou doen").click()
    await expect(page.get_by_text("Wie vlucht, wordt altijd toegelaten")).to_be_visible()
    await look_at(page, "share-cap-confirmation")
    await page.get_by_role("button", name="Stel het maximum").click()

    await expect(page.get_by_role("heading", name="Zwolle: hoogstens 3")).to_be_visible()
    await page.get_by_text("Trek dit maximum in").click()
    await look_at(page, "share-caps")


async def test_a_controller_looks_into_decisions(site: LiveService) -> None:
    where = await desk(site.country, places=3)
    await departed(where, **WAITS)
    await departed(where)
    page = await site.person("auditor", region=HERE)

    await page.goto("/share/decisions")
    await look_at(page, "share-decisions")
    await page.get_by_role("rowheader").first.get_by_role("link").click()
    await expect(page.get_by_text("komt er precies dezelfde rangorde uit")).to_be_visible()
    await look_at(page, "share-decision")
    await page.goto("/share/decisions/report")
    await expect(page.get_by_text("Nee. De ene beslissing is gecontroleerd.")).to_be_visible()
    await look_at(page, "share-report")


MORE = """
UPDATE monitor_releases SET figures = jsonb_set(figures, '{counts}', figures -> 'counts' || '{
  "waiting.time.within_hour": 41, "waiting.time.within_day": 70, "waiting.time.within_week": 12,
  "answers.code.accepted": 96, "answers.code.no_capacity_after_all": 14, "answers.code.no_answer": 11}')
WHERE quarter = :quarter AND region = :region
"""


@pytest.fixture
async def released_quarter(country: Country) -> None:
    """Release and seal the quarter that has passed.

    Ask for this before the site, whose worker does so too.
    """
    past, linde, spar = await past_of(country)
    async with country.parts.database.transaction(actor=WORKER) as tx:
        await monitor_releases.count_day(tx)
    for site_id, in_use in ((linde.site_id, 37), (spar.site_id, 31)):
        await country.rows(
            "UPDATE monitor_days SET day = :day, places = 40, in_use = :in_use WHERE region ="
            " (SELECT m.region FROM sites AS s JOIN municipalities AS m ON m.code = s.municipality"
            " WHERE s.id = CAST(:site AS uuid))",
            day=PAST.first,
            in_use=in_use,
            site=site_id,
        )
    for days, count in ((10, 20), (20, 20), (40, 15), (70, 15)):
        for there, origin in ((linde, FAR), (spar, THERE)):
            await past.stays(there, count, arrived=PAST.first, days=days, origin=origin)
    await past.stays(linde, 50, arrived=PAST.first, origin=FAR)
    await release_all(country)
    # These are the counts of a busier region: here all of them are too few to be published.
    await country.rows(MORE, quarter=PAST.first, region=THERE)
    first = PAST.first
    for region in (THERE, FAR):
        await stayed(
            country, first, first + 20 * DAY, receiving=region, lawful_regions=(FAR, THERE)
        )
    await seal(country)


async def test_a_controller_reads_figures_with_charts_in_either_language(
    released_quarter: None,  # noqa: ARG001 - what is looked at
    site: LiveService,
) -> None:
    page = await site.person("auditor", region=THERE)

    await page.goto(f"/share/figures?quarter={PAST}")
    await expect(page.get_by_role("img", name="Verblijfsduur")).to_be_visible()
    await expect(page.get_by_role("row", name="binnen een dag 70")).to_be_visible()
    await look_at(page, "share-figures")
    await page.emulate_media(media="print")
    await expect(page.get_by_role("navigation", name="Ons aandeel")).to_be_hidden()
    await expect(page.get_by_role("button", name="Toon")).to_be_hidden()
    await page.emulate_media(media="screen")
    await page.get_by_role("link", name="English").click()
    await expect(page.get_by_role("heading", name="How full")).to_be_visible()
    await page.goto("/share")
    await look_at(page, "share-english")
