"""Processes of Plek forked from one that has it in memory.

Real ones, there in a fraction of the time.

To import the service takes four seconds of a core and a command one, and the tests start hundreds
of them. One process beside each that tests has imported all of it, and becomes in a child what is
asked for: with its own arguments, environment, folder and files. Signals, exit codes and `kill -9`
are those of the system. That Plek also starts from nothing is for tests that start Python
themselves.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from fcntl import F_DUPFD, fcntl
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

import app.commands

if TYPE_CHECKING:
    from io import TextIOWrapper

ROOT = Path(__file__).resolve().parents[1]
MOST_FILES = 16
AWAY = 256
"""Descriptors from here on are nobody's: where a child puts those that it was given, before each
gets its number."""
IN_MEMORY = (
    "alembic.command",
    "alembic.config",
    "app.cli",
    "app.main",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.main",
    "uvicorn.protocols.http.auto",
    "uvicorn.supervisors",
    *(f"app.commands.{module.name}" for module in pkgutil.iter_modules(app.commands.__path__)),
)
"""What `plek` and `uvicorn` import sooner or later."""
PARENT = "from tests import forks; forks.become(forks.serve(int({number})))"


class Forked(subprocess.Popen[str]):
    """A process as subprocess has them, with Python's arguments (`-m`, `-c`); text pipes."""

    def __init__(self, words: Sequence[str], **how: Any) -> None:
        """Start it, in this project's folder unless another is named."""
        asked: dict[str, Any] = {"text": True, "cwd": ROOT} | how
        super().__init__(list(words), **asked)

    def _execute_child(self, args: Sequence[str], *how: Any) -> None:
        """Ask for the child; `how` is what subprocess hands on, in its order."""
        (_, _, _, passed, cwd, env), pipes = how[:6], how[9:15]
        self._told, theirs = socket.socketpair()
        with tempfile.TemporaryFile("w+") as request, theirs:
            environment = dict(os.environ if env is None else env)
            json.dump(
                {"words": args, "environment": environment, "folder": str(cwd), "kept": passed},
                request,
            )
            request.flush()
            standard = [
                number if pipe == -1 else pipe
                for number, pipe in enumerate((pipes[0], pipes[3], pipes[5]))
            ]
            socket.send_fds(_way(), [b"!"], [request.fileno(), theirs.fileno(), *standard, *passed])
        self._close_pipe_fds(*pipes)  # pyright: ignore[reportAttributeAccessIssue] - as what stands here otherwise
        self.pid = int(self._told.recv(AWAY))
        self._child_created = True

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        self._told.setblocking(not wait_flags & os.WNOHANG)
        try:
            status = int(self._told.recv(AWAY))
        except BlockingIOError:
            return 0, 0
        self._told.close()
        return self.pid, status

    def _internal_poll(self, *_: Any, **__: Any) -> int | None:
        if self.returncode is None:
            pid, status = self._try_wait(os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode


def run(words: Sequence[str], *, timeout: float, **how: Any) -> subprocess.CompletedProcess[str]:
    """Run something to its end and return what it said."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with Forked(words, **pipes | how) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@cache
def _way() -> socket.socket:
    """Start the process that everything is forked from, and return the way to it."""
    ours, theirs = socket.socketpair()
    with theirs:
        number = theirs.fileno()
        command = [sys.executable, "-c", PARENT.format(number=number)]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            pass_fds=[number],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    def end() -> None:
        ours.close()
        process.wait(timeout=60)

    atexit.register(end)
    return ours


def serve(number: int) -> Mapping[str, Any]:
    """Fork a child for each request; return the request, in the child alone."""
    for name in IN_MEMORY:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # or the first collection in a child would copy every page
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, _wait_for_the_ended)
    with socket.socket(fileno=number) as link:
        while True:
            _, files, _, _ = socket.recv_fds(link, 1, MOST_FILES)
            if not files:
                signal.raise_signal(signal.SIGCHLD)
                os._exit(0)
            if os.fork() == 0:
                break
            for file in files:
                os.close(file)
    request, *others = files
    with os.fdopen(request) as asked:
        asked.seek(0)
        return json.load(asked) | {"files": others}


def _wait_for_the_ended(*_: object) -> None:
    """Wait for those children that have ended, so that what they took counts as this run's."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def become(wanted: Mapping[str, Any]) -> None:
    """Fork once more: the child becomes what is wanted, and its parent tells how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    told, *files = (fcntl(file, F_DUPFD, AWAY) for file in wanted["files"])
    for file in wanted["files"]:
        os.close(file)
    child = os.fork()
    if child:
        _tell(told, child, files)
    os.write(told, str(os.getpid()).encode())
    os.close(told)
    for number, file in zip((0, 1, 2, *wanted["kept"]), files, strict=True):
        os.dup2(file, number)
        os.close(file)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(wanted["environment"])
    time.tzset()
    os.chdir(wanted["folder"])
    cast("TextIOWrapper", sys.stdout).reconfigure(line_buffering=os.isatty(1))
    _run(*wanted["words"])


def _tell(told: int, child: int, files: Sequence[int]) -> NoReturn:
    for file in files:
        os.close(file)
    _, status = os.waitpid(child, 0)
    try:
        os.write(told, str(status).encode())
    finally:
        os._exit(0)


def _run(how: str, what: str, *words: str) -> None:
    """Run a module or a program as Python does, and leave without taking memory apart."""
    sys.argv = [how, *words]
    try:
        if how == "-m":
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            exec(what, {"__name__": "__main__"})  # noqa: S102 - what `python -c` does
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        code = end.code or 0
    else:
        code = 0
    threading._shutdown()  # pyright: ignore[reportAttributeAccessIssue] - as Python does before it ends
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(code)
