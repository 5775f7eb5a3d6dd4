"""The service on a real port with its worker, and a real Chromium, for each test of pages."""

from collections.abc import AsyncGenerator

import pytest

from tests.api.serving import served
from tests.country import Country
from tests.web.browsing import Site, browser


@pytest.fixture
async def site(country: Country) -> AsyncGenerator[Site]:
    """Serve an installation of its own; afterwards no page has asked anybody else for anything, or failed."""
    async with served(country.app) as base, browser() as started:
        opened = Site(country, base, started)
        yield opened
        assert opened.failures == []
        assert [url for url in opened.went_out if not url.startswith("https://www.knmi.nl/")] == []
