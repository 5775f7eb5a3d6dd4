"""What the tests of the embedded servers share.

Asking a server, and a process that uses a data folder until told.
"""

import os
import stat
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import asyncpg

from app.embedded import EmbeddedServers
from app.errors import OperatorError
from tests.forks import Forked

ROOT = Path(__file__).resolve().parents[3]
NOBODY = 65534
USER = """
import encodings.ascii
import os
import sys
from pathlib import Path
from app.embedded import EmbeddedServers
if len(sys.argv) > 2:  # only now, for the interpreter itself may be in a folder that this user cannot enter
    os.setgroups([])
    os.setgid(int(sys.argv[2]))
    os.setuid(int(sys.argv[2]))
servers = EmbeddedServers(Path(sys.argv[1]), durable=False)
try:
    print(servers.start().database_url, flush=True)
except Exception as error:
    print(type(error).__name__, error, flush=True)
sys.stdin.read()
servers.stop()
"""


async def ask(url: str, query: str, *parameters: object) -> object:
    """The first value that a query answers."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(query, *parameters)
    finally:
        await connection.close()


def mode(path: Path | str) -> int:
    """Who may do what with a file."""
    return stat.S_IMODE(Path(path).stat().st_mode)


def pid(data_dir: Path, server: str) -> int:
    """The process id that a server wrote down."""
    name = {"postgres": "postgres/postmaster.pid", "redis": "redis/redis.pid"}[server]
    return int((data_dir / name).read_text(encoding="ascii").splitlines()[0])


def turn_off(data_dir: Path) -> None:
    """Stop whatever still runs there.

    Join, wanting nothing, and be the last to leave.
    """
    if (data_dir / "plek.json").exists():
        with suppress(OperatorError), EmbeddedServers(data_dir, wanted=frozenset()):
            pass


@contextmanager
def user(data_dir: Path, *, uid: int | None = None) -> Generator[subprocess.Popen[str]]:
    """Another process that uses the data folder during the block, perhaps as another user."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    words = ("-c", USER, str(data_dir), *([] if uid is None else [str(uid)]))
    process = Forked(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd="/")
    try:
        with process:
            yield process
    finally:
        turn_off(data_dir)


def heard(process: subprocess.Popen[str]) -> str:
    """The one line that the other process says.

    Its database URL, or what went wrong.
    """
    return _pipe(process.stdout).readline().strip()


def dismiss(process: subprocess.Popen[str]) -> None:
    """Let the other process leave the servers and end."""
    _pipe(process.stdin).close()
    process.wait(timeout=120)


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
