"""The hosts that a database's URL names; one of them takes writes."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, unquote

ATTRS = "target_session_attrs"
WRITABLE = "read-write"
PARTS = re.compile(
    r"(?:(?P<who>[^:/@]*)(?::(?P<password>[^@]*))?@)?(?P<places>[^/?]*)(?P<rest>.*)", re.DOTALL
)
"""Of a URL, after its scheme."""


@dataclass(frozen=True, slots=True)
class Hosts:
    """URLs with one host each, in the order in which they are named."""

    urls: tuple[str, ...] = field(repr=False)
    attrs: str | None
    """Which of the servers may be used, as libpq's `target_session_attrs`; None: any."""


def hosts_of(url: str) -> Hosts:
    """Take apart a URL with several hosts, `postgresql://user@one:5432,two:5433/database`.

    Each is tried on its own, so that one that is silent does not use up the time of the next.
    Of several, Plek wants the one that can be written to, unless the URL says otherwise.
    """
    parts = PARTS.fullmatch(url.partition("://")[2])
    assert parts is not None  # noqa: S101 - each of its parts may be empty
    who, password, places, rest = parts.group("who", "password", "places", "rest")
    login = "" if who is None else who
    if password is not None:
        login += f":{quote(unquote(password), safe='')}"
    named = places.split(",")
    said = parse_qs(rest.partition("?")[2]).get(ATTRS)
    attrs = said[-1] if said else WRITABLE if len(named) > 1 else None
    before = "postgresql://" if who is None else f"postgresql://{login}@"
    return Hosts(tuple(f"{before}{place}{rest}" for place in named), attrs)
