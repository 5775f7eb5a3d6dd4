"""A message to a webhook: its target, its signature, and the one request that carries it.

It is signed by Standard Webhooks (standardwebhooks.com), so that its receiver knows who sent it.
The request goes to the very address that was checked, and nowhere else: a bare transport sends it,
so nothing follows a redirect, keeps a cookie, asks the environment for a proxy, or logs a URL. Only
the status of the answer is read.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from typing import TypeAlias
from uuid import UUID

import httpx

from app.seal import Keyring
from app.webhooks.destinations import Address, Destinations, host_of, literal

PREFIX = "whsec_"
SECRET_BYTES = 32
"""The length of a secret; the specification asks for 24 to 64 bytes."""
WITHIN_S = 10.0
"""The time from looking up the host to the status of the answer."""
CONNECT_S = 4.0
LOOK_UPS = 16
MOST_ADDRESSES = 2
"""The addresses of a host that are tried."""

LookUp: TypeAlias = Callable[[str, int], Awaitable[Sequence[Address]]]
"""Returns the addresses of a host, best first; raises OSError if there are none."""


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """A URL and a secret; the URL is sealed too, as it may contain a password of the receiver."""

    url: str = field(repr=False)
    secret: str = field(repr=False)

    def seal(self, webhook_id: UUID, *, keyring: Keyring) -> tuple[bytes, bytes]:
        """Return a wrapped data key for this webhook, and the target sealed with it."""
        key, wrapped = keyring.new_data_key(row=str(webhook_id))
        return wrapped, key.seal_json({"url": self.url, "secret": self.secret}, row=str(webhook_id))

    @classmethod
    def unseal(
        cls, webhook_id: UUID, wrapped: bytes, sealed: bytes, *, keyring: Keyring
    ) -> "WebhookTarget":
        """Return the target that was sealed for this webhook; SealBroken if no key opens it."""
        content = keyring.unwrap(wrapped, row=str(webhook_id)).unseal_json(
            sealed, row=str(webhook_id)
        )
        return cls(content["url"], content["secret"])


def new_secret() -> str:
    """Make a secret in the form of the specification."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(secret: str, body: bytes, *, message_id: str, at: datetime) -> Mapping[str, str]:
    """Return the headers that name and sign a message at the moment of this attempt.

    `message_id` has no dot.
    """
    stamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = hmac.digest(key, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }


def message_body(kind: str, subject: str, *, at: datetime) -> bytes:
    """Return the body of a message: what kind of thing changed, when, and its id or region."""
    named = "region" if kind == "availability" else "id"
    content = {
        "type": kind,
        "timestamp": at.isoformat().replace("+00:00", "Z"),
        "data": {named: subject},
    }
    return json.dumps(content, separators=(",", ":")).encode()


class NoAnswer(Exception):
    """A receiver was not reached, or did not answer in time; the message is a code."""


class NameLookup:
    """Looks up names in threads of its own, so that a silent name server delays nothing else."""

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
    """Sends messages to webhooks, where the operator allows it."""

    def __init__(
        self,
        destinations: Destinations,
        *,
        look_up: LookUp | None = None,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        self._destinations = destinations
        self._look_up = look_up or NameLookup()
        self._trusted = trusted

    async def send(self, text: str, *, headers: Mapping[str, str], body: bytes) -> int:
        """Send a body to a URL, and return the status of the answer; raise NoAnswer without one."""
        url = httpx.URL(text)
        try:
            async with asyncio.timeout(WITHIN_S):
                if self._destinations.faults(text):
                    raise NoAnswer("not_allowed")
                return await self._send_to(
                    url, await self._addresses(url), headers=headers, body=body
                )
        except TimeoutError:
            raise NoAnswer("too_slow") from None

    async def _addresses(self, url: httpx.URL) -> list[Address]:
        host = host_of(url)
        address = literal(host)
        try:
            found = [address] if address else await self._look_up(host, url.port or 0)
        except (OSError, UnicodeError, ValueError):
            raise NoAnswer("unknown_host") from None
        admitted = [one for one in found if self._destinations.admits(one, scheme=url.scheme)]
        if not admitted:
            raise NoAnswer("address_refused")
        return admitted[:MOST_ADDRESSES]

    async def _send_to(
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
                # The certificate has to be that of the name, whichever address is connected to.
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
        # A transport for each request: a connection kept for one host must not serve another at the
        # same address.
        async with httpx.AsyncHTTPTransport(verify=self._trusted, trust_env=False) as transport:
            response = await transport.handle_async_request(request)
            await response.aclose()
            return response.status_code
