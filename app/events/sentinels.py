"""A Redis whose master several sentinels know.

The URL is `redis+sentinel://:password@one:26379,two/master`.
"""

# pyright: reportUnknownMemberType=none, reportUnknownVariableType=none
# pyright: reportUnknownArgumentType=none, reportIncompatibleMethodOverride=none
# (redis leaves its keyword arguments without types.)

from typing import Any
from urllib.parse import parse_qs, unquote

from redis.asyncio import BlockingConnectionPool
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool

SCHEMES = ("redis+sentinel", "rediss+sentinel")
SENTINEL_PORT = 26379


class MasterPool(SentinelConnectionPool, BlockingConnectionPool):
    """Connections to whichever server the sentinels call the master; who finds none waits."""

    async def aclose(self) -> None:
        """Close them, and those to the sentinels."""
        await super().aclose()
        await self.sentinel_manager.aclose()


def master_pool(url: str, **options: Any) -> MasterPool:  # noqa: ANN401 - options of a connection
    """Return a pool of connections to the master that a URL names.

    A number after its name is that of the database. A password of the sentinels' own is in
    `?sentinel_password=`.
    """
    scheme, _, rest = url.partition("://")
    rest, _, query = rest.partition("?")
    authority, _, tail = rest.partition("/")
    login, at, places = authority.rpartition("@")
    user, _, password = login.partition(":")
    master, _, database = tail.partition("/")
    tls = scheme.startswith("rediss")
    timeouts = {name: value for name, value in options.items() if name.startswith("socket_")}
    own = parse_qs(query).get("sentinel_password")
    asked = timeouts | ({"ssl": True} if tls else {}) | ({"password": own[-1]} if own else {})
    sentinels = Sentinel([_place(place) for place in places.split(",")], sentinel_kwargs=asked)
    if at:
        options |= {"username": unquote(user) or None, "password": unquote(password) or None}
    return MasterPool(
        unquote(master), sentinels, db=int(database or 0), ssl=tls, check_connection=True, **options
    )


def _place(place: str) -> tuple[str, int]:
    host, colon, port = place.rpartition(":")
    if not colon or place.endswith("]"):
        host, port = place, ""
    return host.strip("[]"), int(port or SENTINEL_PORT)
