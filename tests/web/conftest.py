"""The service on a real port with its worker for each test of pages, and a real Chromium for all of them."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.api.serving import served
from tests.conftest import Server, country_on
from tests.country import Country
from tests.web.browsing import Site, browser

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let all tests of pages run in one loop: a browser belongs to the loop that started it, as do the pools."""
    for item in items:
        if HERE in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(loop_scope="session")
async def country(embedded: Server) -> AsyncGenerator[Country]:
    """Open an installation of its own for one test, on the embedded servers."""
    async with country_on(embedded) as opened:
        yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncGenerator[Browser]:
    """Start a Chromium, once a worker; each person of a test has a window that knows of no other."""
    async with browser() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def site(country: Country, chromium: Browser) -> AsyncGenerator[Site]:
    """Serve an installation of its own; afterwards no page has asked anybody else for anything, or failed."""
    async with served(country.app) as base:
        opened = Site(country, base, chromium)
        try:
            yield opened
            assert opened.failures == []
            assert [
                url for url in opened.went_out if not url.startswith("https://www.knmi.nl/")
            ] == []
        finally:
            for context in opened.windows:
                await context.close()
