"""The application on a real port, and a reader of its event stream."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp

from app.api.events import seal_position
from tests.country import Country

PATIENCE_S = 10
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients that speak no TLS: by default each reads all the certificates that it could trust."""


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncGenerator[str]:
    """Serve an application as it is served in earnest, with its worker.

    Yield its address.
    """
    config = uvicorn.Config(
        app,
        port=0,
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            assert not serving.done(), "the server did not start"
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


@dataclass(frozen=True)
class Told:
    """An event as a browser would dispatch it."""

    id: str
    kind: str
    data: Any


class Follower:
    """An open event stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()
        self.position = ""
        """What a browser would send as Last-Event-ID."""

    async def next(self) -> Told | None:
        """Return the next event; None at the end of the stream."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._next()

    async def opened(self) -> "Follower":
        """Wait for the stream's position."""
        async with asyncio.timeout(PATIENCE_S):
            while not self.position:
                await self._block()
        return self

    async def _next(self) -> Told | None:
        while (block := await self._block()) is not None:
            if "data" in block:
                return Told(self.position, block.get("event", "message"), json.loads(block["data"]))
        return None

    async def _block(self) -> dict[str, str] | None:
        block: dict[str, str] = {}
        async for line in self._lines:
            if not line:
                self.position = block.get("id", self.position)
                return block
            name, _, value = line.partition(":")
            block[name] = value.removeprefix(" ")
        return None


async def beginning(country: Country, token: str) -> str:
    """Return the position before the first event, as an account would have been given it."""
    [row] = await country.rows(
        "SELECT account_id FROM tokens WHERE hash = sha256(CAST(:token AS bytea))",
        token=token.encode(),
    )
    return seal_position(country.parts.keyring, 0, account_id=row.account_id)


@asynccontextmanager
async def following(base: str, token: str, *, after: str | None = None) -> AsyncGenerator[Follower]:
    """Open an event stream; past its opening where it begins with one."""
    headers = {"Authorization": f"Bearer {token}"} | (
        {} if after is None else {"Last-Event-ID": after}
    )
    async with (
        httpx.AsyncClient(base_url=base, timeout=PATIENCE_S, verify=PLAIN) as http,
        http.stream("GET", "/v1/events", headers=headers) as response,
    ):
        assert response.status_code == 200, await response.aread()
        yield await Follower(response).opened()
