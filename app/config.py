"""Frozen settings, read once from the environment and passed down; nothing else reads the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.errors import OperatorError

DEFAULT_DATA_DIR = Path("var")
RATE_LIMIT = 6000


@dataclass(frozen=True, slots=True)
class Settings:
    """What an installation is told from outside; README.md has the same list in one table."""

    data_dir: Path = DEFAULT_DATA_DIR
    """Folder of the embedded servers' files."""
    database_url: str | None = None
    """PostgreSQL 15 to 18; none: the embedded server."""
    owner_url: str | None = None
    """Who migrates, when that is not the role in `database_url`."""
    redis_url: str | None = None
    """Redis 6.2 or newer; none: the embedded server."""
    key: str | None = None
    """Keys of 32 bytes, base64, newest first, separated by commas; none: made in the data folder."""
    rate_limit: int = RATE_LIMIT
    """Requests a minute and token; 0 means no limit."""
    pool_size: int = 10
    """Database connections of one process."""
    transaction_pooling: bool = False
    """True behind PgBouncer's transaction pooling: prepared statements are then not kept."""
    assume_role: str | None = None
    """The unprivileged role that each transaction takes on first, when one URL serves both purposes."""
    log_level: str = "info"
    """debug, info, warning or error."""
    demo: bool = False
    """The demo country is being shown: its page offers ready tokens."""

    @property
    def embedded(self) -> bool:
        """Whether Plek brings its own PostgreSQL."""
        return self.database_url is None


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; raise OperatorError naming the variable that cannot be understood."""
    env = os.environ if environment is None else environment
    database_url = env.get("DATABASE_URL") or None
    owner_url = env.get("PLEK_OWNER_URL") or None
    return Settings(
        data_dir=Path(env.get("PLEK_DATA_DIR") or DEFAULT_DATA_DIR),
        database_url=_asyncpg(database_url),
        owner_url=_asyncpg(owner_url),
        redis_url=env.get("REDIS_URL") or None,
        key=env.get("PLEK_KEY") or None,
        rate_limit=_whole(env, "PLEK_RATE_LIMIT", default=RATE_LIMIT, least=0),
        pool_size=_whole(env, "PLEK_POOL_SIZE", default=10, least=1),
        transaction_pooling=_flag(env, "PLEK_TRANSACTION_POOLING"),
        assume_role="plek_app" if database_url and not owner_url else None,
        log_level=_choice(env, "PLEK_LOG_LEVEL", of=("info", "debug", "warning", "error")),
    )


def _asyncpg(url: str | None) -> str | None:
    if url is None:
        return None
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in {"postgresql", "postgres", "postgresql+asyncpg"}:
        message = "DATABASE_URL and PLEK_OWNER_URL must begin with postgresql://"
        raise OperatorError(message)
    return f"postgresql+asyncpg://{rest}"


def _whole(env: Mapping[str, str], name: str, *, default: int, least: int) -> int:
    text = env.get(name)
    if not text:
        return default
    if not text.isdecimal() or int(text) < least:
        message = f"{name} must be a whole number of at least {least}."
        raise OperatorError(message)
    return int(text)


def _flag(env: Mapping[str, str], name: str) -> bool:
    return _choice(env, name, of=("false", "true")) == "true"


def _choice(env: Mapping[str, str], name: str, *, of: tuple[str, ...]) -> str:
    text = (env.get(name) or of[0]).lower()
    if text not in of:
        message = f"{name} must be one of {', '.join(of)}."
        raise OperatorError(message)
    return text
