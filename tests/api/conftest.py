"""A world shared by a module's tests.

For requests that are refused and change nothing.
"""

from collections.abc import AsyncGenerator

import pytest_asyncio

from tests.api.calls import World, world
from tests.conftest import Server, country_among
from tests.spares import Spares


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def kept(spares: Spares, embedded: Server) -> AsyncGenerator[World]:
    """Make one thing of each kind, once a module."""
    async with country_among(spares, embedded) as country:
        yield await world(country)
