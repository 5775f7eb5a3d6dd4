"""A server that falls silent: its connections swallowed, or its processes frozen."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil

from tests.faults.embedded.embedded_folder import pid


@dataclass
class Firewall:
    """Stands between Plek and a server, and forgets connections without a word."""

    address: str
    opened: int = 0
    _swallowed: set[int] = field(default_factory=set[int])

    def swallow(self) -> None:
        """Let nothing through on the connections that there are; new ones work."""
        self._swallowed.update(range(self.opened))

    async def carry(
        self, number: int, source: asyncio.StreamReader, target: asyncio.StreamWriter
    ) -> None:
        """Carry what comes, unless it is to be swallowed: also that a side has left."""
        with suppress(OSError):
            while data := await source.read(65_536):
                if number not in self._swallowed:
                    target.write(data)
                    await target.drain()
        if number not in self._swallowed:
            target.close()


@asynccontextmanager
async def firewall(socket: Path) -> AsyncGenerator[Firewall]:
    """Stand before a server's socket until the block ends."""
    ours: set[asyncio.StreamWriter] = set()
    carrying: set[asyncio.Task[None]] = set()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number, between.opened = between.opened, between.opened + 1
        inner, outer = await asyncio.open_unix_connection(str(socket))
        ours.update((writer, outer))
        for source, target in ((reader, outer), (inner, writer)):
            carrying.add(asyncio.create_task(between.carry(number, source, target)))

    listening = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    between = Firewall(f"127.0.0.1:{listening.sockets[0].getsockname()[1]}")
    try:
        yield between
    finally:
        listening.close()
        for writer in ours:
            writer.transport.abort()
        await asyncio.gather(*carrying)


def socket_of(url: str) -> Path:
    """Return the socket of an embedded PostgreSQL."""
    query = parse_qs(urlsplit(url).query)
    return Path(query["host"][0]) / f".s.PGSQL.{query.get('port', ['5432'])[0]}"


def through(url: str, *addresses: str) -> str:
    """Return the URL of an embedded PostgreSQL as it is reached at other addresses."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.username}:{parts.password}@{','.join(addresses)}{parts.path}"


@contextmanager
def frozen(folder: Path) -> Generator[None]:
    """Stop every process of an embedded PostgreSQL, as a host does that hangs."""
    server = psutil.Process(pid(folder, "postgres"))
    family = [server, *server.children(recursive=True)]
    for process in family:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in family:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGCONT)
