"""Frozen settings, read once from the environment and passed down.

Nothing else reads the environment.
"""

import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from ipaddress import ip_network
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from app.errors import OperatorError

VERSION: Final = version("plek")
"""This release, as its package has it."""
DEFAULT_DATA_DIR = Path("var")
RATE_LIMIT = 6000
THIS_MACHINE = ("127.0.0.1", "::1")
AUTHORITY = re.compile(r"(?:[^:/]*(?::[^@]*)?@)?(?P<places>[^/?]*)")
"""A URL after its scheme, up to the last of its hosts."""
_PLACE = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[^:\[\]]*)(?::[0-9]*)?")
SENTINEL = ("redis+sentinel", "rediss+sentinel")
"""Schemes of a Redis whose master several sentinels know."""

HERE = ("localhost", *THIS_MACHINE)
"""Names of this machine for its own browsers: a link that begins so leads nowhere else."""
ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.IGNORECASE)
SENDER = re.compile(r"[a-z0-9.+_-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*", re.IGNORECASE)
HOST = re.compile(r"(?:\*\.)?[a-z0-9_:.-]+")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of an installation, as README.md lists them in one table.

    Passwords and keys are left out of its representation.
    """

    data_dir: Path = DEFAULT_DATA_DIR
    """Folder of the embedded servers' files."""
    database_url: str | None = field(default=None, repr=False)
    """PostgreSQL 15 to 18; none: the embedded server."""
    owner_url: str | None = field(default=None, repr=False)
    """The role that migrates, if that is not the one in `database_url`."""
    redis_url: str | None = field(default=None, repr=False)
    """Redis 6.2 or newer; none: the embedded server."""
    key: str | None = field(default=None, repr=False)
    """Keys of 32 bytes, base64, newest first, separated by commas; none: made in the data
    folder."""
    rate_limit: int = RATE_LIMIT
    """Requests a minute and token; 0 means no limit, on failed authentications neither."""
    trusted_proxies: tuple[str, ...] = THIS_MACHINE
    """Addresses and networks whose X-Forwarded-For is believed: others could claim anything."""
    pool_size: int = 10
    """Database connections of one process."""
    transaction_pooling: bool = False
    """True behind PgBouncer's transaction pooling: prepared statements are then not kept."""
    answer_s: float = 10
    """How long a request may wait for the database in all; it is then answered 503."""
    statement_s: float = 6
    """How long one statement of a request may take."""
    work_s: float = 60
    """How long one statement of the work beside the requests may take."""
    assume_role: str | None = None
    """The unprivileged role that each transaction takes on first, when one URL serves both
    purposes."""
    webhook_networks: tuple[str, ...] = ()
    """Private addresses and networks that webhooks may go to all the same, also without TLS."""
    webhook_hosts: tuple[str, ...] = ()
    """The only hosts that webhooks may go to (`*.` before a name: all below it); none: any."""
    public_url: str | None = None
    """Where people reach this installation, without a slash at the end; links begin with it."""
    smtp_url: str | None = field(default=None, repr=False)
    """The server that takes mails, `smtp://` or `smtps://`; none: nobody is written to."""
    mail_from: str | None = None
    """The address that mails come from."""
    wal_archive: bool = False
    """The embedded server archives its write-ahead log, from the next start on."""
    log_level: str = "info"
    """debug, info, warning or error."""
    demo: bool = False
    """Whether the demo country is shown, with a page that offers ready tokens."""

    @property
    def embedded(self) -> bool:
        """Whether Plek brings its own PostgreSQL."""
        return self.database_url is None


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Raise OperatorError with the name of a variable that cannot be understood.
    """
    env = os.environ if environment is None else environment
    database_url = env.get("DATABASE_URL") or None
    owner_url = env.get("PLEK_OWNER_URL") or None
    smtp_url, mail_from = _mail(env)
    return Settings(
        data_dir=Path(env.get("PLEK_DATA_DIR") or DEFAULT_DATA_DIR),
        database_url=_asyncpg(database_url),
        owner_url=_asyncpg(owner_url),
        redis_url=_redis(env.get("REDIS_URL") or None),
        key=env.get("PLEK_KEY") or None,
        rate_limit=_whole(env, "PLEK_RATE_LIMIT", default=RATE_LIMIT, least=0),
        trusted_proxies=_networks(env, "PLEK_TRUSTED_PROXIES", default=THIS_MACHINE),
        pool_size=_whole(env, "PLEK_POOL_SIZE", default=10, least=1),
        transaction_pooling=_flag(env, "PLEK_TRANSACTION_POOLING"),
        answer_s=_whole(env, "PLEK_ANSWER_SECONDS", default=10, least=1),
        statement_s=_whole(env, "PLEK_STATEMENT_SECONDS", default=6, least=1),
        work_s=_whole(env, "PLEK_WORK_SECONDS", default=60, least=1),
        assume_role="plek_app" if database_url and not owner_url else None,
        webhook_networks=_networks(env, "PLEK_WEBHOOK_NETWORKS", default=()),
        webhook_hosts=_hosts(env, "PLEK_WEBHOOK_HOSTS"),
        public_url=_address(env, "PLEK_PUBLIC_URL"),
        smtp_url=smtp_url,
        mail_from=mail_from,
        wal_archive=_flag(env, "PLEK_WAL_ARCHIVE"),
        log_level=_choice(env, "PLEK_LOG_LEVEL", of=("info", "debug", "warning", "error")),
    )


def program() -> str:
    """Return how the person at this terminal calls plek.

    By name if the shell finds this one, else by its path.
    """
    own = Path(sys.executable).with_name("plek")
    found = shutil.which("plek")
    if found and (not own.exists() or own.samefile(found)):
        return "plek"
    if not own.exists():
        return "python -m app"
    here = Path.cwd()
    return str(own.relative_to(here) if own.is_relative_to(here) else own)


def _asyncpg(url: str | None) -> str | None:
    if url is None:
        return None
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in {"postgresql", "postgres", "postgresql+asyncpg"}:
        message = "DATABASE_URL and PLEK_OWNER_URL must begin with postgresql://"
        raise OperatorError(message)
    read = AUTHORITY.match(rest)
    places = read["places"].split(",") if read else []
    if not all(_PLACE.fullmatch(place) for place in places):
        # A library's message would repeat a part of the password.
        message = (
            "DATABASE_URL or PLEK_OWNER_URL cannot be read; in a password @ is written %40 and "
            ": is %3A."
        )
        raise OperatorError(message)
    return f"postgresql+asyncpg://{rest}"


def _redis(url: str | None) -> str | None:
    if url is None:
        return None
    readable = _names_sentinels(url) if url.startswith(SENTINEL) else _names_redis(url)
    if not readable:
        message = (
            "REDIS_URL cannot be read; in a password / is written %2F, ? is %3F, # is %23 and @ "
            "is %40."
        )
        raise OperatorError(message)
    return url


def _names_redis(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # a port or an address that is none
        return False
    return parts.scheme in {"redis", "rediss", "unix"} and (port is None or port > 0)


def _names_sentinels(url: str) -> bool:
    """Whether it is `redis+sentinel://:password@one:26379,two:26379/master`."""
    scheme, _, rest = url.partition("://")
    authority, _, tail = rest.partition("/")
    places = authority.rpartition("@")[2].split(",")
    master = tail.partition("?")[0].partition("/")[0]
    named = all(place and _PLACE.fullmatch(place) for place in places)
    return scheme in SENTINEL and bool(master) and named


def _whole(env: Mapping[str, str], name: str, *, default: int, least: int) -> int:
    text = env.get(name)
    if not text:
        return default
    if not text.isdecimal() or int(text) < least:
        message = f"{name} must be a whole number of at least {least}."
        raise OperatorError(message)
    return int(text)


def _networks(env: Mapping[str, str], name: str, *, default: tuple[str, ...]) -> tuple[str, ...]:
    named = _list_of(env, name)
    try:
        networks = [ip_network(item) for item in named]
    except ValueError:
        networks = []
    if len(networks) != len(named) or any(network.prefixlen == 0 for network in networks):
        message = (
            f"{name} must be addresses or networks (10.1.2.3,10.4.0.0/16), and cannot be everybody."
        )
        raise OperatorError(message)
    return tuple(named) or default


def _hosts(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    named = tuple(item.lower() for item in _list_of(env, name))
    if not all(HOST.fullmatch(item) for item in named):
        message = (
            f"{name} must be names or addresses of hosts "
            "(hooks.example.org,*.example.net,192.0.2.1)."
        )
        raise OperatorError(message)
    return named


def _address(env: Mapping[str, str], name: str) -> str | None:
    text = (env.get(name) or "").rstrip("/")
    if not text:
        return None
    host = urlsplit(text).hostname or ""
    secure = text.startswith("https://") or (host in HERE and text.startswith("http://"))
    if not secure or not ORIGIN.fullmatch(text):
        message = f"{name} must be https:// and a host, as in https://plek.example.org."
        raise OperatorError(message)
    return text


def _mail(env: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return the mail server and the address that mails come from: both, or neither."""
    url, sender = env.get("PLEK_SMTP_URL") or None, env.get("PLEK_MAIL_FROM") or None
    if (url is None) != (sender is None):
        raise OperatorError("PLEK_SMTP_URL and PLEK_MAIL_FROM need each other.")
    if url is not None and not _names_mail_server(url):
        message = (
            "PLEK_SMTP_URL must be smtp:// or smtps:// and a host, as in "
            "smtp://name:password@mail.example.org; in a password @ is written %40."
        )
        raise OperatorError(message)
    if sender is not None and not SENDER.fullmatch(sender):
        raise OperatorError("PLEK_MAIL_FROM must be an address, as in plek@example.org.")
    return url, sender


def _names_mail_server(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # a port or an address that is none
        return False
    bare = not (parts.query or parts.fragment) and parts.path in {"", "/"}
    return parts.scheme in {"smtp", "smtps"} and bool(parts.hostname) and bare and port != 0


def _list_of(env: Mapping[str, str], name: str) -> list[str]:
    return [item.strip() for item in (env.get(name) or "").split(",") if item.strip()]


def _flag(env: Mapping[str, str], name: str) -> bool:
    return _choice(env, name, of=("false", "true")) == "true"


def _choice(env: Mapping[str, str], name: str, *, of: tuple[str, ...]) -> str:
    text = (env.get(name) or of[0]).lower()
    if text not in of:
        message = f"{name} must be one of {', '.join(of)}."
        raise OperatorError(message)
    return text
