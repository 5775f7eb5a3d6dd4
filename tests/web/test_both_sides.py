"""The main job with both people in their browsers: each sees what the other does."""

from playwright.async_api import Page, expect

from tests.casework import desk
from tests.web.browser import LiveService
from tests.web.figures import Stopwatch


async def test_from_the_hold_to_the_arrival_each_sees_what_the_other_did(site: LiveService) -> None:
    await desk(site.country)
    worker = await site.person("intake_worker", provider="haven")
    board = await site.person("coordinator", provider="linde")
    await board.goto("/places")
    await open_offers(worker)
    steps = (
        (worker, "Deze plek reserveren", board.get_by_role("button", name="Accepteren")),
        (
            board,
            "Accepteren",
            worker.get_by_role("heading", name="Stichting Linde heeft een plek voor hen"),
        ),
        (worker, "Ze zijn onderweg", board.get_by_role("button", name="Aangekomen")),
        (
            board,
            "Aangekomen",
            worker.get_by_role("heading", name="Ze zijn aangekomen bij Stichting Linde"),
        ),
    )

    live = Stopwatch("what one side does shows on the other's page")

    for page, name, shown in steps:
        await page.get_by_role("button", name=name).click()
        with live:
            await expect(shown).to_be_visible()

    live.report()
    (placement,) = await site.country.rows("SELECT status FROM placements")
    assert placement.status == "arrived"


async def open_offers(page: Page) -> None:
    """Fill in the least that is enough, and have the places ranked."""
    await page.goto("/find/new")
    await page.get_by_label("acuut: vandaag nog").check()
    await page.get_by_label("vrouw", exact=True).check()
    await page.get_by_label("Uit welke gemeente komen ze?").fill("Den Haag")
    await page.get_by_role("button", name="Zoek plekken").last.click()
    await page.wait_for_url("**/find/*?ranking=*")
