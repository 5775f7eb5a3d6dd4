"""Where webhooks may go: the URLs that may be named, the addresses that may be reached.

A name does not say where it leads, and may lead elsewhere the next time. So names are checked when
a webhook is added, and addresses each time something is sent.
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
"""A host name in lower case, its last label beginning with a letter.

Some resolvers take 127.1 and 0x7f.1 for addresses.
"""
INSIDE = (".localhost", ".local", ".internal", ".home.arpa")
"""Ends of names that mean this machine or its network."""
GLOBAL_UNICAST = IPv6Network("2000::/3")
"""RFC 4291; addresses outside map or translate to IPv4, or are local.

Examples are ::ffff:0:0/96 and 64:ff9b::/96.
"""
PORTS = range(1, 2**16)
SPECIAL = tuple(
    map(
        ipaddress.ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
            *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24"),
            *("192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24"),
            *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
            *("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48"),
            *("3ffe::/16", "3fff::/20"),
        ),
    )
)
"""Blocks that IANA's special-purpose registries keep for something, those that are retired (6to4
and its relays, ORCHID, the 6bone) or global (anycast of DNS, tunnels and port control) included: no
receiver is there, and some lead on to an IPv4 address. `is_global` of `ipaddress` takes several for
public, more or fewer by Python's version."""


@dataclass(frozen=True, slots=True)
class Destinations:
    """Where webhooks may go, as the operator has set it."""

    networks: tuple[Network, ...] = ()
    """Private networks that may be reached all the same, also without TLS."""
    hosts: tuple[str, ...] = ()
    """The only hosts that may be named, or any if there are none."""

    @classmethod
    def of(cls, settings: Settings) -> "Destinations":
        """Return the destinations that the settings allow."""
        return cls(
            tuple(ipaddress.ip_network(one) for one in settings.webhook_networks),
            settings.webhook_hosts,
        )

    def faults(self, text: str) -> list[str]:
        """Return the faults of a URL for a webhook, without looking anything up."""
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
        """Whether an address may be reached: a public one with TLS, or one that is allowed."""
        if self._allows(address):
            return True
        return scheme == "https" and _public(address)

    def _allows(self, address: Address) -> bool:
        return any(address in network for network in self.networks)

    def _names(self, url: httpx.URL) -> bool:
        """Whether a URL's host may be named."""
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
        """Whether a URL may lead to an allowed network; for a name, only its address tells."""
        address = literal(host_of(url))
        return bool(self.networks) if address is None else self._allows(address)


def host_of(url: httpx.URL) -> str:
    """Return a URL's host as lookups and certificates have it: in ASCII, without brackets."""
    return url.raw_host.decode("ascii").strip("[]")


def literal(host: str) -> Address | None:
    """Return a host as an address, if it is one."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _superfluous(text: str, url: httpx.URL) -> list[str]:
    """Return the faults of a URL's superfluous parts: a password in it would sign nothing."""
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
    """Whether an address is on the internet: not private, shared, local, loopback or reserved."""
    if isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST:
        return False
    return address.is_global and not any(
        address in block for block in SPECIAL if block.version == address.version
    )
