"""The life of a data folder's servers, shared by all who use it.

The first user starts them, and the last one to leave stops them. Two locks order it. `start` is
held while a process decides to start or stop. `users` is held, shared, by every process that uses
the servers; a process that leaves and finds no other holding it stops them. Both vanish with a
killed process; the servers survive it, and the next user takes them over.
"""

import errno
import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final
from urllib.parse import quote

from app.embedded import account, binaries, cluster, folder, locks, restarts, sockets
from app.embedded.account import ServerAccount
from app.embedded.binaries import Binaries
from app.embedded.folder import DataFolder
from app.embedded.postgres_server import PostgresServer
from app.embedded.programs import disk_full
from app.embedded.redis_server import RedisServer
from app.embedded.wal_archive import WalArchive
from app.errors import OperatorError

UNASKED = ""
"""For a server that is asked nothing but whether it lives."""
_TURN_SECONDS = 180.0  # another process's first start, or recovery, may come first


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The URLs of the servers, which hold passwords: never log them.

    A server that was not asked for has an empty one.
    """

    owner_url: str = field(repr=False)
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Use:
    """The locks of one user of a data folder, between start and stop."""

    home: DataFolder
    programs: Binaries
    who: ServerAccount
    users: int
    process: int
    say: Callable[[str], None]

    @property
    def postgres(self) -> PostgresServer:
        """The folder's PostgreSQL."""
        return PostgresServer(self.home, binaries=self.programs, account=self.who, say=self.say)

    def redis(self, secrets: Mapping[str, str]) -> RedisServer:
        """The folder's Redis."""
        return RedisServer(
            self.home, binaries=self.programs, account=self.who, password=secrets["redis"]
        )


def _silence(_: str) -> None:
    return None


class EmbeddedServers:
    """The servers of one data folder, for one user of them.

    `start` and `stop`, or a `with` block.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        durable: bool = True,
        wanted: frozenset[str] = frozenset({"postgres", "redis"}),
        say: Callable[[str], None] = _silence,
        least_free_bytes: int | None = None,
        archive: bool = False,
    ) -> None:
        """Prepare for the servers of a data folder, which start by `start`.

        `durable=False` gives up safety for speed and is for tests. `say` hears of slow steps.
        `archive` begins to archive the write-ahead log.
        """
        self._data_dir: Final = data_dir
        self._durable: Final = durable
        self._wanted: Final = wanted
        self._say: Final = say
        self._least_free_bytes: Final = least_free_bytes
        self._archive: Final = archive
        self._running: _Use | None = None

    def start(self) -> Endpoints:
        """Start or take over the wanted servers, and return their URLs.

        Called again, it revives a server that has died since. Raise OperatorError with advice to
        the operator.
        """
        programs = binaries.find()
        home = folder.enter(self._data_dir)
        with _explain(home), locks.hold_for_block(home.lock("start"), within_seconds=_TURN_SECONDS):
            use = self._running or _join(home, programs=programs, say=self._say)
            try:
                endpoints = self._start(use)
            except BaseException:
                if self._running is None:
                    with suppress(
                        OperatorError, OSError
                    ):  # the operator must hear of the first fault
                        _leave(use)
                raise
            self._running = use
        return endpoints

    def revive(self) -> tuple[str, ...]:
        """Start again what has died since the start, and return its names.

        Raises OperatorError where that cannot be done.
        """
        use = self._running
        if use is None or not self._dead(use):
            return ()
        with (
            _explain(use.home),
            locks.hold_for_block(use.home.lock("start"), within_seconds=_TURN_SECONDS),
        ):
            dead = self._dead(use)  # unless another process was quicker
            if dead:
                self._start(use)
                restarts.count_restarts(use.home.path, dead, owner=use.home.owner)
        return dead

    def _dead(self, use: _Use) -> tuple[str, ...]:
        return tuple(name for name in _dead_in(use.home) if name in self._wanted)

    def stop(self) -> None:
        """Leave the servers; the last one to leave stops them.

        Harmless if they were not started.
        """
        use, self._running = self._running, None
        if use is None:
            return
        if (
            use.process != os.getpid()
        ):  # a forked child inherited this; the servers are its parent's to stop
            os.close(use.users)
            return
        with (
            _explain(use.home),
            locks.hold_for_block(use.home.lock("start"), within_seconds=_TURN_SECONDS),
        ):
            _leave(use)

    def __enter__(self) -> Endpoints:
        """Start, or take over."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave."""
        self.stop()

    def _start(self, use: _Use) -> Endpoints:
        secrets = folder.read_secrets(use.home)
        if secrets is None and self._running is not None:
            raise _lost_secrets(use.home)
        secrets = secrets or _renew_secrets(use)
        place = self._sockets(use)
        redis = use.redis(secrets)
        if "redis" in self._wanted:
            redis.launch(at=place)
        if "postgres" in self._wanted:
            self._bring_up(use.postgres, at=place, secrets=secrets)
        if "redis" in self._wanted:
            redis.await_ready(at=place)
        return _endpoints(place, secrets=secrets, wanted=self._wanted)

    def _bring_up(self, postgres: PostgresServer, *, at: Path, secrets: Mapping[str, str]) -> None:
        if not postgres.alive():
            folder.check_space(postgres.folder, least_free_bytes=self._least_free_bytes)
        if not postgres.folder.postgres.exists():
            self._say("Making a new database; this takes a few seconds, once.")
            postgres.make(secrets, durable=self._durable)
        archive = WalArchive(postgres.folder)
        if self._archive and not archive.kept:
            archive.make(postgres.account)
        postgres.bring_up(at=at, durable=self._durable)

    def _sockets(self, use: _Use) -> Path:
        """Return the folder of the running servers' sockets, or the one to make."""
        signed = folder.signed_sockets(use.home)
        if (
            signed is not None
            and signed.is_dir()
            and (use.postgres.alive() or locks.is_held(use.home.lock("redis")))
        ):
            return signed
        place = sockets.choose(use.home, account=use.who)
        folder.sign(use.home, sockets=place)
        return place


def servers(
    data_dir: Path, *, durable: bool = True, say: Callable[[str], None] = _silence
) -> EmbeddedServers:
    """Run both servers of a data folder for a `with` block, and yield their Endpoints."""
    return EmbeddedServers(data_dir, durable=durable, say=say)


def dead_servers(data_dir: Path) -> tuple[str, ...]:
    """Return which servers of a folder that some Plek uses at this moment have died.

    Only looks. Where nobody uses the folder, its servers have been stopped.
    """
    home = DataFolder(data_dir.expanduser().absolute())
    if not home.lock("users").exists() or not locks.is_held(home.lock("users")):
        return ()
    # One that was told to stop, or never wanted, leaves no word of its process behind.
    left = {"postgres": home.postgres / "postmaster.pid", "redis": home.redis / "redis.pid"}
    return tuple(name for name in _dead_in(home) if left[name].exists())


def _dead_in(home: DataFolder) -> tuple[str, ...]:
    programs = binaries.find()
    postgres = PostgresServer(home, binaries=programs, account=account.OURSELVES, say=_silence)
    redis = RedisServer(home, binaries=programs, account=account.OURSELVES, password=UNASKED)
    living = {"postgres": postgres.runs(), "redis": redis.alive()}
    return tuple(name for name, lives in living.items() if not lives)


@contextmanager
def _explain(home: DataFolder) -> Generator[None]:
    """Turn the operating system's refusals into words for the operator."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise disk_full(home.path) from error
        raise OperatorError(f"The data folder {home.path} cannot be used: {error}.") from error


def _join(home: DataFolder, *, programs: Binaries, say: Callable[[str], None]) -> _Use:
    folder.check(home)
    chosen = account.choose(home.path, owned=home.postgres)
    who = account.with_capability(chosen, programs=programs.executed, folders=[home.postgres])
    if folder.read_secrets(home) is None and locks.is_held(home.lock("users")):
        raise _lost_secrets(home)
    users = locks.hold(home.lock("users"), shared=True)
    if users is None:
        raise OperatorError(f"The data folder {home.path} is locked by something else than Plek.")
    return _Use(home=home, programs=programs, who=who, users=users, process=os.getpid(), say=say)


def _lost_secrets(home: DataFolder) -> OperatorError:
    return OperatorError(
        f"{home.secrets} is gone while a Plek uses the servers; stop that Plek, and the next "
        "start makes new passwords."
    )


def _leave(use: _Use) -> None:
    """Stop using the servers; the last one to leave stops them.

    The start lock is held.
    """
    os.close(use.users)
    if locks.is_held(use.home.lock("users")):
        return
    _stop_both(use)


def _stop_both(use: _Use) -> None:
    place = folder.signed_sockets(use.home)
    if place is None:  # nothing was ever started here
        return
    use.redis(folder.read_secrets(use.home) or {"redis": ""}).stop(at=place)
    use.postgres.stop(at=place)
    if place != use.home.sockets:
        with suppress(OSError):  # not empty, or gone
            place.rmdir()


def _renew_secrets(use: _Use) -> Mapping[str, str]:
    """Give new passwords to a new folder, or to one that lost them.

    They are written down once the cluster has them. The superuser's way in needs a stopped server;
    no other process uses it now, or joining would have been refused.
    """
    made = folder.draw_secrets()
    if use.home.postgres.exists():
        _stop_both(use)
        use.postgres.rekey(made)
    folder.write_secrets(use.home, made)
    return made


def _endpoints(place: Path, *, secrets: Mapping[str, str], wanted: frozenset[str]) -> Endpoints:
    host = quote(str(place), safe="/")
    postgres = {
        role: f"postgresql+asyncpg://{role}:{secrets[role]}@/{cluster.DATABASE}?host={host}&port={sockets.POSTGRES_PORT}"
        for role in (cluster.OWNER, cluster.APP)
        if "postgres" in wanted
    }
    redis = f"unix://:{secrets['redis']}@{host}/{sockets.REDIS_SOCKET}" if "redis" in wanted else ""
    return Endpoints(
        owner_url=postgres.get(cluster.OWNER, ""),
        database_url=postgres.get(cluster.APP, ""),
        redis_url=redis,
    )
