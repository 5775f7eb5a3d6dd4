"""Start, take over and stop the Redis server of a data folder.

It keeps nothing: PostgreSQL is the truth.
"""

import os
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from app.embedded import files, locks, sockets
from app.embedded.account import ServerAccount
from app.embedded.binaries import Binaries
from app.embedded.folder import DataFolder, open_log
from app.embedded.programs import complaint, run, unseen_servers_error
from app.errors import OperatorError

_READY_SECONDS = 10.0
_STOP_SECONDS = 5.0
_ANSWER_SECONDS = 2
_PAUSE_SECONDS = 0.01
_LOG_TAIL_BYTES = 4000


@dataclass(frozen=True, slots=True)
class RedisServer:
    """The Redis server of one data folder, running or not."""

    folder: DataFolder
    binaries: Binaries
    account: ServerAccount
    password: str

    @property
    def _log(self) -> Path:
        return self.folder.redis / "redis.log"

    @property
    def _lock(self) -> Path:
        return self.folder.lock("redis")

    def alive(self) -> bool:
        """Whether its process lives."""
        return locks.is_held(self._lock)

    def launch(self, *, at: Path) -> None:
        """Start the server with its socket in `at`, unless it runs and answers.

        Return before it is ready.
        """
        if self.alive() and self._answers(at):
            return
        self._end_process()
        lock = locks.hold(self._lock, within_seconds=_STOP_SECONDS)
        if lock is None:
            raise OperatorError(unseen_servers_error(self.folder.path))
        try:
            self._launch(lock, at=at)
        finally:
            os.close(lock)

    def _launch(self, lock: int, *, at: Path) -> None:
        owner = (self.account.uid, self.account.gid)
        files.folder(self.folder.redis, owner=owner)
        sockets.sweep(at, sockets.REDIS_SOCKET)
        sockets.sweep(self.folder.redis, "redis.pid")
        settings = self.folder.redis / "redis.conf"
        files.write(settings, self._settings(at), owner=owner)
        os.close(open_log(self._log, owner=owner))
        started = run(
            self.account.command(self.binaries.redis("redis-server"), settings),
            account=self.account,
            keep=(lock,),
        )
        if started.code != 0:
            raise complaint("Redis", text=started.text, folder=self.folder.path)

    def await_ready(self, *, at: Path) -> None:
        """Return once the server answers.

        Raise OperatorError, with its log, if it gave up.
        """
        deadline = time.monotonic() + _READY_SECONDS
        while not self._answers(at):
            if not self.alive() or time.monotonic() > deadline:
                raise complaint("Redis", text=self._log_tail(), folder=self.folder.path)
            time.sleep(_PAUSE_SECONDS)

    def stop(self, *, at: Path) -> None:
        """Stop the server: by a command, then by its process id."""
        if not self.alive():
            return
        self._ask(at, "SHUTDOWN", "NOSAVE")
        if not self._is_gone():
            self._end_process()
        if not self._is_gone():
            raise OperatorError(f"Redis in {self.folder.path} does not stop; see {self._log}.")

    def _is_gone(self) -> bool:
        descriptor = locks.hold(self._lock, within_seconds=_STOP_SECONDS)
        if descriptor is None:
            return False
        os.close(descriptor)
        return True

    def _end_process(self) -> None:
        """Kill the process of the pid file, if it is a Redis and our lock is held.

        It holds nothing that a kill would lose.
        """
        if not self.alive():
            return
        with suppress(OSError, ValueError, psutil.Error):
            process = psutil.Process(
                int((self.folder.redis / "redis.pid").read_text(encoding="ascii"))
            )
            if process.name() == "redis-server":
                process.kill()

    def _answers(self, at: Path) -> bool:
        return self._ask(at, "PING") == "PONG"

    def _ask(self, at: Path, *words: str) -> str:
        """Return the server's answer to a command; nothing if it does not answer."""
        command = [
            str(self.binaries.redis("redis-cli")),
            "-s",
            str(at / sockets.REDIS_SOCKET),
            *words,
        ]
        environment = {"REDISCLI_AUTH": self.password, "LC_ALL": "C", "PATH": os.defpath}
        try:
            asked = subprocess.run(  # noqa: S603 - our own program, our own words
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_ANSWER_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return ""
        return asked.stdout.strip()

    def _settings(self, at: Path) -> str:
        lines = (
            "# Written by Plek at each start.",
            "port 0",
            f"unixsocket {_quote(at / sockets.REDIS_SOCKET)}",
            "unixsocketperm 700",
            "protected-mode yes",
            f"requirepass {self.password}",
            "daemonize yes",
            f"pidfile {_quote(self.folder.redis / 'redis.pid')}",
            f"dir {_quote(self.folder.redis)}",
            f"logfile {_quote(self._log)}",
            "loglevel warning",
            "always-show-logo no",
            'save ""',
            "appendonly no",
            "maxmemory 128mb",
            "maxmemory-policy volatile-lru",
        )
        return "\n".join(lines) + "\n"

    def _log_tail(self) -> str:
        with suppress(OSError):
            return self._log.read_bytes()[-_LOG_TAIL_BYTES:].decode("utf-8", errors="replace")
        return ""


def _quote(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
