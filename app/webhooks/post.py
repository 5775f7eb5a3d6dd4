"""One request to a receiver: to the very address that was looked at, and nowhere else.

The transport alone sends it: nothing follows a redirect, keeps a cookie, asks the environment for a
proxy, or logs a URL. Of the answer only its status is read.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import TypeAlias

import httpx

from app.webhooks.reach import Address, Reach, host_of, literal

WITHIN_S = 10.0
"""From looking the host up to the status of the answer."""
CONNECT_S = 4.0
LOOK_UPS = 16
MOST_ADDRESSES = 2
"""How many of a host's addresses are tried."""

LookUp: TypeAlias = Callable[[str, int], Awaitable[Sequence[Address]]]
"""Returns the addresses of a host, best first; OSError where there are none."""


class NoAnswer(Exception):
    """A receiver was not reached, or said nothing in time; the message is a code."""


class Names:
    """Looks names up in threads of its own: a name server that says nothing must not hold up the database's."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOK_UPS, thread_name_prefix="webhook-names")

    async def __call__(self, host: str, port: int) -> list[Address]:
        """Return the addresses of a host, best first."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _look_up, host, port)


def _look_up(host: str, port: int) -> list[Address]:
    return [
        ip_address(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    ]


class Post:
    """Sends to webhooks as far as the operator's reach goes."""

    def __init__(
        self, reach: Reach, *, look_up: LookUp | None = None, trusted: ssl.SSLContext | None = None
    ) -> None:
        self._reach = reach
        self._look_up = look_up or Names()
        self._trusted = trusted

    async def send(self, text: str, *, headers: Mapping[str, str], body: bytes) -> int:
        """Send a body to a URL and return the status of the answer; NoAnswer where there is none."""
        url = httpx.URL(text)
        try:
            async with asyncio.timeout(WITHIN_S):
                if self._reach.faults(text):
                    raise NoAnswer("not_allowed")
                return await self._sent(url, await self._addresses(url), headers=headers, body=body)
        except TimeoutError:
            raise NoAnswer("too_slow") from None

    async def _addresses(self, url: httpx.URL) -> list[Address]:
        host = host_of(url)
        address = literal(host)
        try:
            found = [address] if address else await self._look_up(host, url.port or 0)
        except (OSError, UnicodeError, ValueError):
            raise NoAnswer("unknown_host") from None
        admitted = [one for one in found if self._reach.admits(one, scheme=url.scheme)]
        if not admitted:
            raise NoAnswer("address_refused")
        return admitted[:MOST_ADDRESSES]

    async def _sent(
        self,
        url: httpx.URL,
        addresses: Sequence[Address],
        *,
        headers: Mapping[str, str],
        body: bytes,
    ) -> int:
        for address in addresses:
            request = httpx.Request(
                "POST",
                url.copy_with(host=str(address)),
                headers={
                    **headers,
                    "Host": url.netloc.decode("ascii"),
                    "Content-Type": "application/json",
                },
                content=body,
                # The certificate has to be that of the name, wherever the connection goes.
                extensions={"sni_hostname": host_of(url), "timeout": {"connect": CONNECT_S}},
            )
            try:
                return await self._status(request)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
            except (httpx.HTTPError, ssl.SSLError):
                break
        raise NoAnswer("no_answer")

    async def _status(self, request: httpx.Request) -> int:
        if self._trusted is None:
            self._trusted = httpx.create_ssl_context()
        # A transport for each request: a connection kept for one host at an address must not serve
        # another there.
        async with httpx.AsyncHTTPTransport(verify=self._trusted, trust_env=False) as transport:
            response = await transport.handle_async_request(request)
            await response.aclose()
            return response.status_code
