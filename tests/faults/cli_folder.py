"""The command line on a data folder, as a person at a terminal uses it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

from tests import forks

WITHIN_S = 120
OWN = ("DATABASE_URL", "REDIS_URL", "PLEK_OWNER_URL", "PLEK_KEY", "PLEK_DATA_DIR")


@dataclass(frozen=True)
class Folder:
    """A data folder, and `plek` on it."""

    path: Path
    settings: dict[str, str] = field(default_factory=dict[str, str])

    def command(self, *words: str | Path) -> list[str]:
        """Return what starts a command from nothing."""
        return [sys.executable, "-m", "app", *map(str, words)]

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in OWN}
        return kept | {"PLEK_DATA_DIR": str(self.path)} | self.settings | more

    def run(
        self, *words: str | Path, expect: int = 0, **more: str
    ) -> subprocess.CompletedProcess[str]:
        done = forks.run(
            ("-m", "app", *map(str, words)), env=self.environment(**more), timeout=WITHIN_S
        )
        assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def token(self, *words: str) -> str:
        return self.run("token", *words).stdout.splitlines()[-1]

    @contextmanager
    def serving(self, *words: str) -> Generator["Serving"]:
        """Serve on a free port until the block ends."""
        command = ("-m", "app", "serve", "--port", "0", *words)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with forks.Forked(command, env=self.environment(), **pipes) as process:
            try:
                yield Serving(process, port_of(process))
            finally:
                end(process)

    @contextmanager
    def working(self) -> Generator[subprocess.Popen[str]]:
        """Run a worker, from when it has begun until the block ends."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        with forks.Forked(("-m", "app", "worker"), env=self.environment(), **pipes) as process:
            assert process.stdout is not None
            try:
                assert process.stdout.readline() == "Working.\n"
                yield process
            finally:
                end(process)

    @property
    def stopped(self) -> bool:
        """Whether no server of this folder runs."""
        return not (self.path / "postgres" / "postmaster.pid").exists()


@dataclass(frozen=True)
class Serving:
    """A serving process."""

    process: subprocess.Popen[str]
    port: int

    def ask(
        self,
        path: str,
        *,
        token: str | None = None,
        method: str = "GET",
        body: object = None,
        key: str = "",
    ) -> Any:
        """Return the status of an answer and its JSON."""
        with self.asked(path, token=token, method=method, body=body, key=key) as response:
            text = response.read().decode()
            return response.status, json.loads(text) if text.startswith("{") else text

    @contextmanager
    def asked(
        self,
        path: str,
        *,
        token: str | None = None,
        method: str = "GET",
        body: object = None,
        key: str = "",
    ) -> Generator[HTTPResponse]:
        """Send a request and keep its connection open until the block ends."""
        headers = {"Content-Type": "application/json", **({"Idempotency-Key": key} if key else {})}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection = HTTPConnection("127.0.0.1", self.port, timeout=WITHIN_S)
        try:
            connection.request(
                method, path, body=None if body is None else json.dumps(body), headers=headers
            )
            with connection.getresponse() as response:
                yield response
        finally:
            connection.close()

    def silent_within(self, *, seconds: float) -> bool:
        """Whether nobody takes connections any more before the time is over."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                return True
            time.sleep(0.1)
        return False

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, float, str]:
        """Tell it to stop; return its exit code, how many seconds it took, and what it said."""
        began = time.monotonic()
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=WITHIN_S)
        return self.process.returncode, time.monotonic() - began, said


def end(process: subprocess.Popen[str]) -> None:
    """End a process as Ctrl-C would, if it runs yet.

    Killed, it would leave the servers that it started behind.
    """
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.communicate(timeout=WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def port_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"ready: http://127\.0\.0\.1:(\d+)", line):
            return int(found[1])
    process.wait()
    assert process.stderr is not None
    raise AssertionError(process.stderr.read())
