"""A controller's day in a real browser: the share, and lines of the ledger, verified."""

import base64
import datetime as dt
import re

import pytest
from playwright.async_api import Page, Route, expect

from app.database.transaction import WORKER
from app.ledger import checkpoints
from tests.country import FAR, THERE, Country
from tests.ledger_stays import newest, seal, stayed
from tests.web.browser import LiveService, look_at

DAY = dt.timedelta(days=1)


@pytest.fixture
async def leaf(country: Country) -> int:
    """Seal three quarters, sign the tree, and return the leaf of an arrival in Zwolle.

    Ask for this before the site, whose worker seals quarters as soon as it starts.
    """
    index = 0
    for before in (2, 1, 0):
        first = newest(before).first
        index = await stayed(
            country,
            first,
            first + (20 + before) * DAY,
            lawful_regions=(FAR, THERE),
            ready_since=first + 18 * DAY,
        )
        await stayed(country, first, first + 30 * DAY, reason="capacity", receiving=THERE)
        await stayed(country, first, first + 14 * DAY, receiving=FAR, lawful_regions=(FAR, THERE))
    await seal(country)
    await sign(country)
    return index


async def sign(country: Country) -> None:
    """Sign the tree, as the worker does."""
    async with country.parts.database.transaction(actor=WORKER) as tx:
        await checkpoints.sign_tree(tx)


async def verify(page: Page, leaf: int) -> list[str]:
    """Let the browser verify a line, and return its words, step by step."""
    line = page.locator(f"#leaf-{leaf}")
    await line.get_by_role("button", name="Controleer in deze browser").click()
    await expect(line.get_by_role("listitem").last).to_contain_text(
        re.compile(r"als is ondertekend|is wat is ondertekend|over een minuut|niet controleren")
    )
    return await line.get_by_role("listitem").all_inner_texts()


async def test_a_controller_reads_the_share_and_checks_a_line_in_the_browser(
    leaf: int, site: LiveService
) -> None:
    page = await site.person("auditor", region=THERE)

    await page.goto("/share")
    await expect(page.locator("#answer")).to_contain_text(re.compile("Ja:|Nee:|Precies"))
    await page.get_by_text("Grafiek van alle regio's").click()
    await look_at(page, "share")
    await page.goto("/share/ledger")
    said = await verify(page, leaf)

    assert [step.split(":")[0] for step in said] == ["Klopt"] * 6, said
    assert "met de sleutel ondertekend" in said[4]
    assert said[5] == "Klopt: deze regel staat zo in de verantwoording als is ondertekend."
    await look_at(page, "share-ledger")


async def other_proof(route: Route) -> None:
    """Change the first hash of a proof."""
    answer = await route.fetch()
    hashes = (await answer.json())["hashes"]
    await route.fulfill(json={"hashes": [base64.b64encode(bytes(32)).decode(), *hashes[1:]]})


async def other_root(route: Route) -> None:
    """Change the root of a checkpoint."""
    answer = await route.fetch()
    origin, size, _, *signatures = (await answer.text()).split("\n")
    root = base64.b64encode(bytes(32)).decode()
    await route.fulfill(
        body="\n".join([origin, size, root, *signatures]), content_type="text/plain"
    )


async def other_origin(route: Route) -> None:
    """Change the first line of a checkpoint, under a signature that is not for it."""
    answer = await route.fetch()
    await route.fulfill(
        body=(await answer.text()).replace("plek.example/nl\n", "plek.example/xx\n", 1)
    )


async def test_the_browser_says_so_when_anything_was_tampered_with(
    leaf: int, site: LiveService
) -> None:
    page = await site.person("auditor", region=THERE)
    await page.goto("/share/ledger")

    for path, tampering, wrong in (
        ("**/share/ledger/proof*", other_proof, "KLOPT NIET: met de controlewaarde"),
        ("**/share/ledger/checkpoint", other_root, "KLOPT NIET: met de controlewaarde"),
        (
            "**/share/ledger/checkpoint",
            other_origin,
            "KLOPT NIET: het controlepunt is niet met deze sleutel",
        ),
    ):
        await page.route(path, tampering)
        said = await verify(page, leaf)
        assert said[-2].startswith(wrong), said
        assert said[-1].startswith("KLOPT NIET: niet is aangetoond"), said
        await page.unroute(path)

    await page.locator("#own-key").fill("plek.example/nl+00000000+AAAA")
    assert (await verify(page, leaf))[-2].startswith("KLOPT NIET: de sleutel is niet te lezen")
    await page.locator("#own-key").fill("")
    # The opening, or the line itself, was changed on its way to the browser.
    for part, other, wrong in (
        ("data-opening", "GM0518", "KLOPT NIET: wat hij zegt, is niet"),
        ("data-bytes", '"version":1', "KLOPT NIET"),
    ):
        await page.locator(f"#leaf-{leaf} [{part}]").evaluate(
            (
                "(element, other) => { element.textContent = element.textContent.replace(other, "
                "'x'); }"
            ),
            other,
        )
        said = await verify(page, leaf)
        assert said[-2].startswith(wrong), said
    await look_at(page, "share-ledger-wrong")


async def test_a_browser_without_ed25519_says_that_it_checked_all_but_the_signature(
    leaf: int, site: LiveService
) -> None:
    page = await site.person("auditor", region=THERE)
    await page.add_init_script(
        "SubtleCrypto.prototype.importKey = () => Promise.reject(new Error('unknown'))"
    )
    await page.goto("/share/ledger")

    said = await verify(page, leaf)

    assert said[-1].startswith("Niet gecontroleerd: de handtekening")
    assert all(step.startswith("Klopt") for step in said[:-1])
