"""Whether the service is well: what it needs, and whether it is there."""

import asyncio
from dataclasses import dataclass
from functools import cache

import structlog

from app import schema
from app.database import pulse
from app.database.transaction import WORKER, Database
from app.errors import OperatorError, Unavailable
from app.events.link import Link

WAIT_S = 3.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class State:
    """How each part is; `status` is `ok`, `degraded` (booking goes on) or `unavailable`."""

    database: str
    """`ok` or `gone`."""
    redis: str
    """`ok` or `gone`."""
    migrations: str
    """`ok`, `pending`, or `unknown` where the database is gone."""
    demo_provider: str | None = None
    """The slug of one of the providers."""

    @property
    def status(self) -> str:
        """All of it in a word."""
        if self.database != "ok" or self.migrations != "ok":
            return "unavailable"
        return "ok" if self.redis == "ok" else "degraded"


async def state_of(database: Database, link: Link) -> State:
    """Look how the service is; takes a few seconds at most."""
    redis, stored = await asyncio.gather(link.there(), _look(database))
    if stored is None:
        return State(database="gone", redis="ok" if redis else "gone", migrations="unknown")
    revision, provider = stored
    # A newer schema is as good: while a release is rolled out, processes of both versions run
    # beside each other.
    migrated = revision is not None and revision >= _newest_revision()
    return State(
        database="ok",
        redis="ok" if redis else "gone",
        migrations="ok" if migrated else "pending",
        demo_provider=provider,
    )


async def _look(database: Database) -> tuple[str | None, str | None] | None:
    try:
        async with asyncio.timeout(WAIT_S), database.entered(actor=WORKER) as tx:
            return await pulse.revision(tx), await pulse.some_provider(tx)
    except (Unavailable, TimeoutError):
        return None
    except Exception as error:  # noqa: BLE001 - a database without the tables answers, in its own way
        log.warning("database_not_ready", kind=type(error).__name__)
        return None, None


@cache
def _newest_revision() -> str:
    try:
        return schema.newest()
    except OperatorError:
        return ""  # the migrations are kept elsewhere; whoever runs them knows
