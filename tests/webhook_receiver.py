"""A receiver of webhooks on a real port here, and an installation that may send there."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from standardwebhooks import Webhook

from app.database import outbox
from app.database.transaction import RELAY, WORKER
from app.main import create_app
from app.seal import Keyring
from app.webhooks.courier import Courier
from app.webhooks.destinations import Destinations
from app.webhooks.post import Post
from tests.country import Client, Country

PAUSE = (
    "SELECT extract(epoch FROM max(next_at) - clock_timestamp()) FROM webhook_deliveries WHERE "
    "ended_at IS NULL"
)
"""How long until what waits is due."""
HANG = "hang"
"""Says nothing until the client has gone."""


@dataclass(frozen=True)
class Received:
    """A request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """Which message it was."""
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """Return what it says, if an implementation that is not ours finds the signature right."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """Answers as it is told: a status for each request in turn, then 204.

    Nothing at all at the path `/hang`.
    """

    base: str = ""
    answers: list[str] = field(default_factory=list[str])
    got: list[Received] = field(default_factory=list[Received])
    more: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def requests(self, count: int) -> list[Received]:
        """Wait until there have been so many."""
        async with self.more, asyncio.timeout(120):
            await self.more.wait_for(lambda: len(self.got) >= count)
        return self.got

    def at(self, path: str) -> list[Received]:
        """Return what came in at a path."""
        return [one for one in self.got if one.path == path]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        body = await reader.readexactly(int(headers["content-length"]))
        received = Received(first.split(" ")[1], headers, body)
        async with self.more:
            self.got.append(received)
            self.more.notify_all()
        status = self.answers.pop(0) if self.answers else "204 No Content"
        if status == HANG or received.path == "/hang":
            await reader.read()  # until the client has gone
        else:
            writer.write(
                f"HTTP/1.1 {status}\r\nConnection: close\r\nSet-Cookie: a=b\r\n\r\n".encode()
            )
        writer.close()


@asynccontextmanager
async def receiving(tls: ssl.SSLContext | None = None) -> AsyncGenerator[Receiver]:
    """Listen on loopback."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=tls)
    receiver.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield receiver
    finally:
        server.close()


def reaching(country: Country) -> Country:
    """Return an installation whose webhooks may go to this machine."""
    settings = replace(country.parts.settings, webhook_networks=("127.0.0.1",))
    parts = replace(country.parts, settings=settings)
    return replace(country, parts=parts, app=create_app(parts))


def courier(country: Country, *, key: str | None = None) -> Courier:
    """Return what one process of an installation sends with."""
    keyring = country.parts.keyring if key is None else Keyring.parse(key)
    return Courier(country.parts.database, keyring, Post(Destinations.of(country.parts.settings)))


async def tell(
    country: Country, *subjects: str, kind: str = "hold", to: tuple[str, ...] = ("linde",)
) -> None:
    """Let things happen that concern some providers (none: all), and be numbered."""
    audience = [await country.provider(slug) for slug in to] or None
    async with country.parts.database.transaction(actor=WORKER) as tx:
        for subject in subjects:
            await outbox.add(tx, kind=kind, subject=subject, audience=audience)
    async with country.parts.database.transaction(actor=RELAY) as tx:
        await outbox.number(tx)


async def send(country: Country, *couriers: Courier) -> int:
    """Send all that is due, and wait until it has ended; return how much it was."""
    sent = 0
    for one in couriers or (courier(country),):
        while begun := await one.begin():
            sent += begun
            await one.finish()
    return sent


async def due_now(country: Country) -> None:
    """Let whatever waits for its time be due."""
    await country.rows("UPDATE webhook_deliveries SET next_at = '-infinity' WHERE ended_at IS NULL")


async def machine(country: Country, slug: str = "linde") -> Client:
    """Return a provider's own system."""
    return await country.client("client_system", provider=slug)


async def webhook(client: Client, receiver: Receiver, path: str = "/plek", **more: Any) -> Any:
    """Add a webhook at one of a receiver's paths."""
    return await client.post("/webhooks", {"url": f"{receiver.base}{path}", **more})


async def seen(client: Client) -> Any:
    """Return the one webhook as its owner sees it."""
    (one,) = (await client.get("/webhooks"))["items"]
    return one
