"""The country's pages without a browser: who opens them, and what each role reads."""

import httpx
import pytest

from app.web.offline import WORKER_POLICY
from tests.country import Country, place_body, shelter, standing_site
from tests.web.visitor import browser_of

WORKED_OUT = "/country/peaks/00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    "roles, of, country_page, plan",
    [
        (("intake_worker",), {"provider": "linde"}, 200, 403),
        (("coordinator",), {"provider": "linde"}, 200, 403),
        (("auditor",), {"region": "GM0193"}, 200, 403),
        (("administrator",), {}, 200, 404),
        (("client_system",), {"provider": "linde"}, 403, 403),
        ((), {}, 303, 303),
    ],
)
async def test_people_see_the_country_and_administrators_alone_what_waits_in_it(
    country: Country, roles: tuple[str, ...], of: dict[str, str], country_page: int, plan: int
) -> None:
    http = await browser_of(country, *roles, **of)

    for path in ("/country", "/country/board", "/country/kept", "/providers"):
        assert (await http.get(path)).status_code == country_page, path
    assert (await http.get(WORKED_OUT)).status_code == plan


async def test_what_is_kept_is_what_everybody_sees_and_not_what_only_the_owner_knows_yet(
    country: Country,
) -> None:
    there = await shelter(country, places=1)
    await country.step()
    new = await standing_site(country, "linde", name="Eik", municipality="GM0014")
    await there.coordinator.post("/places", place_body(new["id"]))
    await there.coordinator.patch(f"/places/{there.place_ids[0]}", {"status": "occupied"})
    http = await browser_of(country, "coordinator", provider="linde")

    shown, kept = (await http.get("/country")).text, (await http.get("/country/kept")).text

    assert "van uzelf: 0 van 1 vrij" in shown
    assert "van uzelf: 1 van 1 vrij" in shown
    assert "van uzelf" not in kept
    assert kept.count("1 of 2 vrij") == 1
    assert kept.count(">vol<") == 0


async def test_a_kept_page_never_looks_fresh(country: Country) -> None:
    await shelter(country, places=1)
    await country.step()
    http = await browser_of(country, "auditor", region="GM0193")

    kept = (await http.get("/country/kept")).text

    assert "<small>toen actueel</small>" in kept
    assert "plek-band--few" not in kept


async def test_the_worker_comes_from_the_root_and_may_only_ask_this_service(
    country: Country,
) -> None:
    http = await browser_of(country)

    answer = await http.get("/service-worker.js")

    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"] == WORKER_POLICY


async def test_the_page_can_be_installed(country: Country) -> None:
    http = await browser_of(country, "auditor", region="GM0193")
    page = (await http.get("/country")).text
    address = page.partition('<link rel="manifest" href="')[2].partition('"')[0]

    answer = await http.get(address)

    assert answer.headers["content-type"] == "application/manifest+json"
    manifest = answer.json()
    assert manifest["start_url"] == "/country"
    for icon in manifest["icons"]:
        drawn = await http.get(httpx.URL(f"https://plek.test{address}").join(icon["src"]))
        assert (drawn.status_code, drawn.headers["content-type"]) == (200, icon["type"])
