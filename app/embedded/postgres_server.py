"""Start, take over and stop the PostgreSQL server of a data folder."""

import os
import signal
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from app.embedded import cluster, locks, sockets
from app.embedded.account import OURSELVES, ServerAccount
from app.embedded.binaries import Binaries
from app.embedded.folder import DataFolder, foreign_database_error, open_log
from app.embedded.programs import complaint, run, unseen_servers_error
from app.embedded.wal_archive import GRANTS, RECOVERY, WalArchive
from app.errors import OperatorError

_READY_SECONDS = 120.0  # crash recovery replays at most max_wal_size
_REPLAYED_SECONDS = 3600.0  # days of write-ahead log
_LEFTOVER_SECONDS = 15.0
_FAST_STOP_SECONDS = 10.0
_PAUSE_SECONDS = 0.01
_PATIENCE_SECONDS = 3.0
_STATUS_LINE = 7
# Not pg_ctl, which lets a shell interpret the names of folders. The shell's end makes the server
# nobody's child.
_IN_BACKGROUND = ("/bin/sh", "-c", '"$0" "$@" < /dev/null &')
_LOG_TAIL_BYTES = 4000


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """The PostgreSQL server of one data folder, running or not."""

    folder: DataFolder
    binaries: Binaries
    account: ServerAccount
    say: Callable[[str], None]

    @property
    def _lock(self) -> Path:
        return self.folder.lock("postgres")

    def alive(self) -> bool:
        """Whether any process of this folder's server lives."""
        return locks.is_held(self._lock) or self._postmaster() is not None

    def runs(self) -> bool:
        """Whether its first process lives, without which nothing connects any more."""
        return self._postmaster() is not None

    def bring_up(self, *, at: Path, durable: bool) -> None:
        """Take over the running server, or start one with its sockets in `at`.

        Return once it takes connections.
        """
        if self._postmaster() is not None:
            if self._serves(at, durable=durable) and self._becomes_ready(at):
                return
            self.stop(at=at)
        with self._alone() as lock:
            self._launch(lock, at=at, durable=durable)
        if not self._becomes_ready(at):
            raise complaint("PostgreSQL", text=self._log_tail(), folder=self.folder.path)

    def make(self, secrets: Mapping[str, str], *, durable: bool) -> None:
        """Make the database cluster, with these passwords."""
        with self._alone() as lock:
            cluster.Maker(self.binaries, self.account, lock).make(
                self.folder.postgres, secrets=secrets, durable=durable
            )

    def rekey(self, secrets: Mapping[str, str]) -> None:
        """Give the roles of a stopped server new passwords."""
        with self._alone() as lock:
            maker = cluster.Maker(self.binaries, self.account, lock)
            try:
                maker.tell(self.folder.postgres, statements=cluster.passwords(secrets))
            except OperatorError as error:
                if f'role "{cluster.OWNER}" does not exist' in str(error):
                    raise foreign_database_error(self.folder) from error
                raise

    def _serves(self, at: Path, *, durable: bool) -> bool:
        """Whether the running server can be taken over.

        It has to stay, be reachable, and be as careful as asked.
        """
        staying = self._status() != "stopping"
        reachable = (at / sockets.POSTGRES_SOCKET).exists() or self._status() == "starting"
        return staying and reachable and not (durable and cluster.is_careless(self.folder.postgres))

    @contextmanager
    def _alone(self) -> Generator[int]:
        """Hold the lock that every process of the server holds.

        After a crash the last ones take a moment to end.
        """
        lock = locks.hold(self._lock, within_seconds=_LEFTOVER_SECONDS)
        if lock is None:
            raise OperatorError(unseen_servers_error(self.folder.path))
        try:
            self._forget_strangers()
            yield lock
        finally:
            os.close(lock)

    def _launch(self, lock: int, *, at: Path, durable: bool) -> None:
        sockets.sweep(at, sockets.POSTGRES_SOCKET, f"{sockets.POSTGRES_SOCKET}.lock")
        archive = WalArchive(self.folder)
        if archive.kept and not archive.granted.exists():
            maker = cluster.Maker(self.binaries, self.account, lock)
            maker.tell(self.folder.postgres, statements=GRANTS, durable=durable)
            archive.granted.touch()
        cluster.configure(
            self.folder.postgres,
            sockets=at,
            account=self.account,
            durable=durable,
            archive=archive.settings(),
        )
        log = open_log(self.folder.log, owner=self.folder.owner)
        try:
            command = self.account.command(
                *_IN_BACKGROUND, self.binaries.postgres("postgres"), "-D", self.folder.postgres
            )
            started = run(command, account=self.account, output=log, keep=(lock,))
        finally:
            os.close(log)
        if started.code != 0:
            raise complaint("PostgreSQL", text=self._log_tail(), folder=self.folder.path)

    def _becomes_ready(self, at: Path) -> bool:
        """Wait for the server to take connections; False if it dies before."""
        began = time.monotonic()
        patient = True
        while not self._is_ready(at):
            waited = time.monotonic() - began
            if not locks.is_held(self._lock) and self._postmaster() is None:
                return False
            if waited > self._patience:
                raise OperatorError(
                    f"PostgreSQL was not ready after {self._patience:.0f} seconds; see "
                    f"{self.folder.log}."
                )
            if patient and waited > _PATIENCE_SECONDS:
                self.say("The database is recovering from a crash; this may take a minute.")
                patient = False
            time.sleep(_PAUSE_SECONDS)
        return True

    @property
    def _patience(self) -> float:
        """How many seconds it may take to be ready: longer while it replays its archive."""
        replays = (self.folder.postgres / RECOVERY).exists()
        return _REPLAYED_SECONDS if replays else _READY_SECONDS

    def stop(self, *, at: Path) -> None:
        """Stop the server with a checkpoint if that takes bearable time, else as a crash.

        It recovers from a crash. PostgreSQL 18 never finishes a fast stop that it is asked for
        during recovery, so then it is not asked.
        """
        fast = [(signal.SIGINT, _FAST_STOP_SECONDS)] if self._accepts(at) else []
        for number, seconds in (*fast, (signal.SIGQUIT, _LEFTOVER_SECONDS)):
            postmaster = self._postmaster()
            if postmaster is None:
                return
            with suppress(psutil.NoSuchProcess):
                postmaster.send_signal(number)
            if self._is_gone(postmaster, within_seconds=seconds):
                return
        raise OperatorError(
            f"PostgreSQL in {self.folder.path} does not stop; see {self.folder.log}."
        )

    def _is_gone(self, postmaster: psutil.Process, *, within_seconds: float) -> bool:
        deadline = time.monotonic() + within_seconds
        while time.monotonic() < deadline:
            if not _is_running(postmaster) and not locks.is_held(self._lock):
                return True
            time.sleep(_PAUSE_SECONDS)
        return False

    def _pid_lines(self) -> list[str]:
        try:
            return (
                (self.folder.postgres / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            )
        except FileNotFoundError:
            return []

    def _postmaster(self) -> psutil.Process | None:
        """Return the process that the pid file names, if it is this folder's server and lives."""
        lines = self._pid_lines()
        if not lines or not lines[0].strip().isdecimal():
            return None
        try:
            process = psutil.Process(int(lines[0]))
            with process.oneshot():
                ours = (
                    _is_running(process)
                    and process.name() == "postgres"
                    and self._works_here(process)
                )
        except psutil.Error:
            return None
        return process if ours else None

    def _works_here(self, process: psutil.Process) -> bool:
        try:
            return Path(process.cwd()).samefile(self.folder.postgres)
        except (
            psutil.AccessDenied,
            OSError,
        ):  # in a container even root may not ask; the command line is open to all
            return str(self.folder.postgres) in process.cmdline()

    def _status(self) -> str:
        """Return the server's status in its pid file: starting, ready or stopping."""
        lines = self._pid_lines()
        return lines[_STATUS_LINE].strip() if len(lines) > _STATUS_LINE else "starting"

    def _is_ready(self, at: Path) -> bool:
        return self._status() == "ready" and self._postmaster() is not None and self._accepts(at)

    def _accepts(self, at: Path) -> bool:
        """Whether the server takes connections.

        The pid file says so even while it recovers from the crash of a backend.
        """
        program = self.binaries.postgres("pg_isready")
        asked = [str(program), "--quiet", f"--host={at}", f"--port={sockets.POSTGRES_PORT}"]
        return (
            run(
                [*asked, f"--username={cluster.APP}", f"--dbname={cluster.DATABASE}"],
                account=OURSELVES,
            ).code
            == 0
        )

    def _forget_strangers(self) -> None:
        """Remove a pid file whose number meanwhile belongs to another process.

        PostgreSQL would believe it. One whose process is dead stays: PostgreSQL itself then looks
        at the shared memory it names.
        """
        lines = self._pid_lines()
        if lines and lines[0].strip().isdecimal() and psutil.pid_exists(int(lines[0])):
            (self.folder.postgres / "postmaster.pid").unlink(missing_ok=True)

    def _log_tail(self) -> str:
        with self.folder.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _LOG_TAIL_BYTES))
            return log.read().decode("utf-8", errors="replace")


def _is_running(process: psutil.Process) -> bool:
    """Whether a process runs; a dead one that its parent has not collected does not."""
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
