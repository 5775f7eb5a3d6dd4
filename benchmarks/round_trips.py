"""Counts an act's round trips to PostgreSQL on the wire.

A proxy that reads along what the application sends.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from app import logs
from app.config import Settings
from app.main import create_app, join
from benchmarks import cases
from benchmarks.cases import Desk
from benchmarks.ground import Ground
from benchmarks.wire import END

SOCKET = ".s.PGSQL.5432"
WARM, COUNTED = 40, 10
WORDS = 3
ENDS = b"SHQ"
"""Sync, Flush and Query: after each of these the client waits for the server."""


@dataclass(slots=True)
class Reader:
    """Takes apart what one client sends.

    The first message of a connection has no type.
    """

    trips: list[str]
    rest: bytearray = field(default_factory=bytearray)
    begun: bool = False
    prepared: dict[bytes, str] = field(default_factory=dict[bytes, str])
    said: str = ""

    def read(self, data: bytes) -> None:
        """Read some bytes, and note each message that the server has to answer first."""
        self.rest += data
        while True:
            skip = 1 if self.begun else 0
            if len(self.rest) < skip + 4:
                return
            length = skip + int.from_bytes(self.rest[skip : skip + 4])
            if len(self.rest) < length:
                return
            message = bytes(self.rest[:length])
            del self.rest[:length]
            if self.begun:
                self._note(message[:1], message[5:])
            self.begun = True

    def _note(self, kind: bytes, content: bytes) -> None:
        if kind == b"P":
            name, statement, *_ = content.split(b"\0")
            self.said = self.prepared[name] = _first_words(statement)
        elif kind == b"B":
            self.said = self.prepared.get(content.split(b"\0")[1], "?")
        elif kind == b"Q":
            self.said = _first_words(content.rstrip(b"\0"))
        if kind in ENDS:
            self.trips.append(self.said)


def _first_words(statement: bytes) -> str:
    return " ".join(statement.decode().split()[:WORDS]).rstrip(";")


async def _pass_on(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, reader: Reader | None
) -> None:
    while data := await source.read(65_536):
        if reader is not None:
            reader.read(data)
        target.write(data)
        await target.drain()
    target.close()


async def _proxied(folder: Path, to: Path, trips: list[str]) -> asyncio.Server:
    async def connected(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        far_source, far_target = await asyncio.open_unix_connection(to)
        await asyncio.gather(
            _pass_on(source, far_target, Reader(trips)),
            _pass_on(far_source, target, None),
            return_exceptions=True,
        )

    return await asyncio.start_unix_server(connected, folder / SOCKET)


def of_a_hold(ground: Ground, desks: Sequence[Desk]) -> list[str]:
    """Return the first words of each statement that a prepared hold waits for."""
    requests = cases.hold_requests(
        ground, cases.add_cases(ground, desks, count=WARM + COUNTED, seed=0)
    )
    trips = asyncio.run(_counted(ground, requests))
    once = trips[: len(trips) // COUNTED]
    if once * COUNTED != trips:
        message = f"holds differ in their round trips: {trips}"
        raise AssertionError(message)
    return once


async def _counted(ground: Ground, requests: Sequence[bytes]) -> list[str]:
    logs.configure("warning")
    url, _, query = ground.installation.database_url.partition("?")
    there = Path(dict(part.split("=", 1) for part in query.split("&"))["host"])
    trips: list[str] = []
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="plek-")))
        server = await stack.enter_async_context(await _proxied(folder, there / SOCKET, trips))
        del server
        async with ground.installation.owner() as database, database.transaction() as tx:
            key = await ground.installation.key(tx)
        settings = replace(Settings(rate_limit=0), pool_size=1)
        parts = join(
            settings,
            database_url=f"{url}?host={folder}&port=5432",
            redis_url=ground.installation.redis_url,
            key=key,
        )
        stack.push_async_callback(parts.link.close)
        stack.push_async_callback(parts.database.close)
        transport = httpx.ASGITransport(create_app(parts))
        http = await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://plek.test")
        )
        for done, request in enumerate(requests):
            if done == WARM:
                trips.clear()
            await _send(http, request)
    return trips


async def _send(http: httpx.AsyncClient, request: bytes) -> None:
    head, _, body = request.partition(END)
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split()
    headers = dict(line.split(": ", 1) for line in lines)
    response = await http.request(method, path, headers=headers, content=body)
    response.raise_for_status()
