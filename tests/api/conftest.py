"""A world shared by a module's tests: for requests that are refused and change nothing."""

from collections.abc import AsyncGenerator

import pytest_asyncio

from tests.api.calls import World, world
from tests.conftest import Server, country_on


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def kept(embedded: Server) -> AsyncGenerator[World]:
    """Make one thing of each kind, once a module; its tests run in the module's loop."""
    async with country_on(embedded) as country:
        yield await world(country)
