"""Whether the service is well: what it needs, and whether it is there."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import structlog

from app import schema
from app.database import pulse, timers
from app.database.transaction import WORKER, Database
from app.embedded.folder import FULL_BYTES, free_bytes
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
    timers: str
    """`ok`, `late` where recurring work is done by nobody, or `unknown`."""
    disk: str
    """`ok`, or `full`: that of the data folder."""
    demo_provider: str | None = None
    """The slug of one of the providers."""

    @property
    def status(self) -> str:
        """All of it in a word."""
        if self.database != "ok" or self.migrations != "ok":
            return "unavailable"
        whole = all(part == "ok" for part in (self.redis, self.timers, self.disk))
        return "ok" if whole else "degraded"


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the database says; nothing of it where it has no tables yet."""

    revision: str | None = None
    provider: str | None = None
    latest_s: float = 0.0


async def state_of(database: Database, link: Link, *, data_dir: Path) -> State:
    """Look how the service is; takes a few seconds at most."""
    redis, stored, free = await asyncio.gather(
        link.there(), _look(database), asyncio.to_thread(free_bytes, data_dir)
    )
    of_process = {"redis": "ok" if redis else "gone", "disk": "full" if free < FULL_BYTES else "ok"}
    if stored is None:
        return State(database="gone", migrations="unknown", timers="unknown", **of_process)
    return State(
        database="ok",
        migrations="ok" if _is_migrated(stored.revision) else "pending",
        timers="late" if stored.latest_s > timers.LATE_S else "ok",
        demo_provider=stored.provider,
        **of_process,
    )


async def _look(database: Database) -> _Stored | None:
    try:
        async with asyncio.timeout(WAIT_S), database.entered(actor=WORKER) as tx:
            revision, provider = await pulse.revision(tx), await pulse.some_provider(tx)
            late = await timers.lateness(tx)
            return _Stored(revision, provider, max(late.values(), default=0.0))
    except (Unavailable, TimeoutError):
        return None
    except Exception as error:  # noqa: BLE001 - a database without the tables answers, in its own way
        log.warning("database_not_ready", kind=type(error).__name__)
        return _Stored()


def _is_migrated(revision: str | None) -> bool:
    try:
        return revision is not None and not schema.is_behind(revision)
    except OperatorError:
        return False
