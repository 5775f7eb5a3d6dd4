"""A line between a browser and the service that can be cut and mended."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class CuttableLine:
    """A line that passes bytes on, both ways, to a port of this machine."""

    def __init__(self, base: str) -> None:
        self._there = urlsplit(base).port or 0
        self._port = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()

    @property
    def base(self) -> str:
        """The address of the service at this end of the line."""
        return f"http://127.0.0.1:{self._port}"

    def stall(self) -> None:
        """Let nothing through, and end no connection: what is sent waits in the line."""
        self._flows.clear()

    async def mend(self) -> None:
        """Let connections through, at the same port as before."""
        self._flows.set()
        if self._server is not None:
            return
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """End every connection, and let none through."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there = await asyncio.open_connection("127.0.0.1", self._there)
        both = {writer, there}
        self._open |= both
        await asyncio.gather(self._pass(reader, there), self._pass(there_reader, writer))
        self._open -= both

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while content := await reader.read(65536):
                await self._flows.wait()
                writer.write(content)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def line_to(base: str) -> AsyncGenerator[CuttableLine]:
    """Lay a line, and cut it after."""
    line = CuttableLine(base)
    await line.mend()
    try:
        yield line
    finally:
        await line.cut()
