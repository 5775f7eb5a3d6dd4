"""The service on a real port with its worker, and a real Chromium, for tests of pages."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.api.live_service import served
from tests.country import Country
from tests.web.browser import LiveService, browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncGenerator[Browser]:
    """Start a Chromium once a worker; each person of a test has a window of their own."""
    async with browser() as started:
        yield started


@pytest.fixture
async def site(country: Country, chromium: Browser) -> AsyncGenerator[LiveService]:
    """Serve an installation of its own; afterwards no page has gone elsewhere or failed."""
    async with served(country.app) as base:
        opened = LiveService(country, base, chromium)
        try:
            yield opened
            assert opened.failures == []
            assert [
                url for url in opened.went_out if not url.startswith("https://www.knmi.nl/")
            ] == []
        finally:
            for context in opened.windows:
                await context.close()
