"""Where webhooks may go: which URLs a provider may name, and which addresses may be connected to.

A name says nothing of where it leads, and may lead elsewhere the next time: names are judged when a
webhook is added, addresses each time that something is sent.
"""

import ipaddress
import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TypeAlias

import httpx

from app.config import Settings

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

NAME = re.compile(
    r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?",
    re.ASCII,
)
"""A host name in lower case. Its last label begins with a letter: 127.1 and 0x7f.1 are addresses to some resolvers."""
INSIDE = (".localhost", ".local", ".internal", ".home.arpa")
"""Ends of names that mean this machine or its network."""
GLOBAL_UNICAST = IPv6Network("2000::/3")
"""RFC 4291. What lies outside maps or translates to IPv4 (::ffff:0:0/96, 64:ff9b::/96), or is local."""
PORTS = range(1, 2**16)
TUNNELLED = (IPv6Network("2001::/32"), IPv6Network("2002::/16"))
"""Teredo and 6to4: an IPv4 address stands in them."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far webhooks may go, as the operator has it."""

    networks: tuple[Network, ...] = ()
    """Private ones that may be reached all the same, also without TLS."""
    hosts: tuple[str, ...] = ()
    """The only ones that may be named; any, where there are none."""

    @classmethod
    def of(cls, settings: Settings) -> "Reach":
        """Return what the settings allow."""
        return cls(
            tuple(ipaddress.ip_network(one) for one in settings.webhook_networks),
            settings.webhook_hosts,
        )

    def faults(self, text: str) -> list[str]:
        """Return what is wrong with a URL that somebody wants a webhook at; nothing is looked up for it."""
        try:
            url = httpx.URL(text)
        except (httpx.InvalidURL, ValueError):
            return ["is not a URL"]
        if url.scheme not in {"https", "http"} or not url.host:
            return ["must begin with https:// and name a host"]
        faults = [*_superfluous(text, url)]
        if not self._names(url):
            faults.append("names a host that webhooks may not go to")
        elif url.scheme == "http" and not self._inside(url):
            faults.append("must begin with https://")
        return faults

    def admits(self, address: Address, *, scheme: str) -> bool:
        """Whether an address may be connected to: one that anybody can reach, with TLS, or one that is allowed."""
        if self._allows(address):
            return True
        return scheme == "https" and _public(address)

    def _allows(self, address: Address) -> bool:
        return any(address in network for network in self.networks)

    def _names(self, url: httpx.URL) -> bool:
        """Whether a URL's host is one that may be named."""
        name = host_of(url)
        if self.hosts and not any(_fits(name, host) for host in self.hosts):
            return False
        address = literal(name)
        if address is not None:
            return self.admits(address, scheme="https")
        if not NAME.fullmatch(name):
            return False
        return bool(self.networks) or not ("." not in name or name.endswith(INSIDE))

    def _inside(self, url: httpx.URL) -> bool:
        """Whether a URL may lead to a network that is allowed; of a name only its address will say so."""
        address = literal(host_of(url))
        return bool(self.networks) if address is None else self._allows(address)


def host_of(url: httpx.URL) -> str:
    """Return a URL's host as it is looked up and as certificates have it: in ASCII, without brackets."""
    return url.raw_host.decode("ascii").strip("[]")


def literal(host: str) -> Address | None:
    """Return the address that a host is, if it is one."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _superfluous(text: str, url: httpx.URL) -> list[str]:
    """Say what stands in a URL that has no place there; who is asked for a password signs nothing."""
    faults: list[str] = []
    if url.userinfo:
        faults.append("must not hold a user name or password")
    if "#" in text:
        faults.append("must not have a fragment")
    if not (text.isascii() and text.isprintable()) or " " in text:
        faults.append("must be printable ASCII without spaces")
    if url.port is not None and url.port not in PORTS:
        faults.append("must name a port from 1 to 65535")
    return faults


def _fits(name: str, host: str) -> bool:
    return name.endswith(host[1:]) if host.startswith("*.") else name == host


def _public(address: Address) -> bool:
    """Whether an address is one of the internet's: not private, shared, local, loopback, multicast or reserved."""
    if isinstance(address, IPv6Address):
        unmapped = address in GLOBAL_UNICAST and not any(
            address in network for network in TUNNELLED
        )
        return unmapped and address.is_global
    return address.is_global and not address.is_multicast
