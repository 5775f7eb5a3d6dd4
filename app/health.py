"""The health of the service: its database, Redis and migrations."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from app import schema
from app.database import pulse, timers
from app.database.transaction import WORKER, Database
from app.embedded.folder import FULL_BYTES, free_bytes
from app.errors import OperatorError, Unavailable
from app.events.link import Link

WAIT_S = 3.0
SILENT_S = 60.0
"""How long a process may hear nothing of the database before it is asked whether that is its own
fault: its relay hears of it twice a second."""
RECOVERY_S = 30.0
"""How long it then has to find a database that others reach."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class State:
    """The state of each part; `status` is `ok`, `degraded` (booking goes on) or `unavailable`."""

    database: str
    """`ok` or `gone`."""
    redis: str
    """`ok` or `gone`."""
    migrations: str
    """`ok`, `pending`, or `unknown` while the database is gone."""
    timers: str
    """`ok`, `late` while no process does recurring work, or `unknown`."""
    disk: str
    """`ok`, or `full`: that of the data folder."""
    demo_provider: str | None = None
    """The slug of one of the providers."""

    @property
    def status(self) -> str:
        """The state of the whole in one word."""
        if self.database != "ok" or self.migrations != "ok":
            return "unavailable"
        whole = all(part == "ok" for part in (self.redis, self.timers, self.disk))
        return "ok" if whole else "degraded"


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the database says; nothing before it has tables."""

    revision: str | None = None
    provider: str | None = None
    latest_s: float = 0.0


@dataclass(slots=True)
class Vitals:
    """Signs of life of one process: when each of its loops last came round."""

    _began: float | None = None
    _turns: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    """By loop: when it last did, and within how many seconds it does again."""
    _at_fault_since: float | None = None

    def note(self, loop: str, *, within_s: float) -> None:
        """Note that a loop came round, and how soon it does so again if all is well."""
        self._turns[loop] = asyncio.get_running_loop().time(), within_s

    async def recovers(self, database: Database) -> bool:
        """Whether this process works, or will once what it needs is there again.

        Not where it has heard nothing of a database, or one of its loops has stood still, for a
        minute, and a connection of its own reaches the database all the while. Where the database
        is gone, another process could do no better.
        """
        now = asyncio.get_running_loop().time()
        if self._began is None:
            self._began = now
        heard = max(self._began, database.heard_at or 0.0)
        still = any(now - at > within_s + SILENT_S for at, within_s in self._turns.values())
        if (now - heard <= SILENT_S and not still) or not await _reaches(database):
            self._at_fault_since = None
        elif self._at_fault_since is None:
            self._at_fault_since = now
        return self._at_fault_since is None or now - self._at_fault_since <= RECOVERY_S


async def _reaches(database: Database) -> bool:
    try:
        async with asyncio.timeout(WAIT_S):
            await database.reach()
    except (Unavailable, TimeoutError):
        return False
    except Exception as error:  # noqa: BLE001 - what refuses Plek would refuse another process too
        log.warning("database_not_ready", kind=type(error).__name__)
        return False
    return True


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
        async with asyncio.timeout(WAIT_S), database.transaction(actor=WORKER) as tx:
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
