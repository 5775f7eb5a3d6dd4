"""A connection to the service that stays open.

One request after another, each timed.
"""

import asyncio
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

from benchmarks.wire import END, answer, request

PATIENCE_S = 30
LARGEST = 65_536


class Unexpected(Exception):
    """The service answered in a way that the replay has no place for."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and how long it took."""

    status: int
    body: Any
    took_ms: float

    @property
    def code(self) -> str:
        """The code of a refusal."""
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - JSON

    def expect(self, *statuses: int) -> "Reply":
        """Return this reply if it has one of these statuses; else raise Unexpected."""
        if self.status not in statuses:
            message = f"expected {statuses}, got {self.status} {self.code}"
            raise Unexpected(message)
        return self


class Connection:
    """One connection; made when it is first needed, and again when the server closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, method: str, path: str, *, token: str, body: object = None, once: bool = False
    ) -> Reply:
        """Send a request; with `once` under an Idempotency-Key of its own."""
        headers = {"Authorization": f"Bearer {token}"}
        if once:
            headers["Idempotency-Key"] = secrets.token_hex(12)
        wanted = request(method, f"/v1{path}", headers=headers, body=body)
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await self._open()
            began = time.perf_counter()
            writer.write(wanted)
            received = await self._receive(reader)
        took_ms = (time.perf_counter() - began) * 1000
        found = answer(received)
        content = bytes(received[received.index(END) + len(END) :])
        return Reply(
            found.status if found else 0, json.loads(content) if content else None, took_ms
        )

    async def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None or self._streams[0].at_eof():
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        return self._streams

    async def _receive(self, reader: asyncio.StreamReader) -> bytearray:
        received = bytearray()
        while answer(received) is None:
            part = await reader.read(LARGEST)
            if not part:
                message = "the service closed the connection"
                raise Unexpected(message)
            received += part
        return received
