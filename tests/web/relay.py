"""A wire between a browser and the service that can be cut, as a connection is lost in earnest."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

PIECE = 65_536


@dataclass
class Relay:
    """Passes on what comes in at a port of its own, while it is mended."""

    to: str
    port: int = 0
    _server: asyncio.Server | None = None
    _ends: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    @property
    def base(self) -> str:
        """Where browsers reach the service through it."""
        return f"http://127.0.0.1:{self.port}"

    async def mend(self) -> None:
        """Let everything through, at the same port as before."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Break off every connection, and take no more."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for end in self._ends:
            end.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to = urlsplit(self.to)
        back, on = await asyncio.open_connection(to.hostname, to.port)
        self._ends |= {writer, on}
        await asyncio.gather(_pass(reader, on), _pass(back, writer))
        self._ends -= {writer, on}


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
    writer.close()
