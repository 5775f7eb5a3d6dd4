"""The ground on which both stand.

One data folder with its servers, Plek and the bare application as real processes.
"""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import asyncpg
import psutil
from sqlalchemy import text

from app.accounts import accounts
from app.commands.installation import BOTH, Installation, open_installation
from app.config import Settings
from app.database.caller import Role
from app.database.transaction import Transaction
from app.seal import Keyring
from benchmarks import bare, byhand

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN_S = 120.0
STOP_WITHIN_S = 20.0
LOOK_S = 0.005
UNBOUNDED = "100000000"
"""Requests a minute: the limit is counted as always, and never reached."""
RAISE = text("""
INSERT INTO budget_raises (id, account_id, provider_id, raised_by, as_what, reason, until)
SELECT gen_random_uuid(), a.id, a.provider_id, gen_random_uuid(), 'administrator', 'other',
       clock_timestamp() + interval '1 day'
FROM accounts AS a CROSS JOIN generate_series(1, 10)
WHERE a.provider_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM budget_raises AS r WHERE r.account_id = a.id)
""")
"""Doubles the budgets of new accounts as often as counts: one account stands for a thousand."""

T = TypeVar("T")


class NotPrepared(Exception):
    """What a run needs before its clock starts is not there: it would measure something else."""


class NotReady(Exception):
    """A server did not come up; the message ends with the last lines of its log."""


@dataclass(frozen=True, slots=True)
class Served:
    """A server that answers."""

    port: int
    process: psutil.Process
    ready_after_s: float


@dataclass(frozen=True, slots=True)
class Ground:
    """One installation with its servers running."""

    folder: Path
    installation: Installation

    def act(self, what: Callable[[Transaction], Awaitable[T]]) -> T:
        """Do something as the owner of the tables, in a transaction of its own."""

        async def done() -> T:
            async with self.installation.transaction(with_keys=True) as tx:
                return await what(tx)

        return asyncio.run(done())

    def change(self, statement: str, *, least: int, database: str | None = None) -> None:
        """Run a statement as the owner; NotPrepared if it changed fewer rows than that."""
        (done,) = self.owner(statement, database=database)
        changed = int(done.rpartition(" ")[2])
        if changed < least:
            message = f"{changed} rows changed and not {least}: {' '.join(statement.split())[:80]}"
            raise NotPrepared(message)

    def owner(self, *statements: str, database: str | None = None) -> list[str]:
        """Run statements as the owner, each by itself; return what PostgreSQL says of each."""
        url = _plain(self.installation.owner_url, database=database)

        async def done() -> list[str]:
            connect: Any = asyncpg.connect  # it has no types
            connection = await connect(url)
            try:
                await connection.execute(
                    "SELECT set_config('plek.actor', 'operator', false)"
                )  # else no row is seen
                return [await connection.execute(statement) for statement in statements]
            finally:
                await connection.close()

        return asyncio.run(done())

    def copy(self, table: str, rows: Sequence[Sequence[object]], *, database: str) -> None:
        """Put rows into the first columns of a table of another database."""
        url = _plain(self.installation.owner_url, database=database)

        async def done() -> None:
            connect: Any = asyncpg.connect  # it has no types
            connection = await connect(url)
            try:
                found = await connection.fetch(
                    "SELECT column_name FROM information_schema.columns WHERE table_name = $1"
                    " ORDER BY ordinal_position",
                    table,
                )
                columns = [row[0] for row in found][: len(rows[0])]
                await connection.copy_records_to_table(table, records=rows, columns=columns)
            finally:
                await connection.close()

        asyncio.run(done())

    def keyring(self) -> Keyring:
        """Return the keys of the installation."""

        async def key(tx: Transaction) -> str:
            return await self.installation.key(tx)

        return Keyring.parse(self.act(key))

    def token(self, *roles: Role, provider: str) -> str:
        """Return the token of a new account, whose budgets are counted and never spent."""

        async def issue(tx: Transaction) -> str:
            made = await accounts.issue_token(
                tx, roles=roles, provider=provider, region=None, days=1
            )
            await tx.run(RAISE)
            return made.token

        return self.act(issue)

    def postgres_seconds(self) -> float:
        """Return PostgreSQL's seconds on a core, its ended processes included."""
        pid = int(
            (self.folder / "postgres" / "postmaster.pid").read_text(encoding="utf-8").split()[0]
        )
        postmaster = psutil.Process(pid)
        times = postmaster.cpu_times()
        living = sum(_on_a_core(child) for child in postmaster.children(recursive=True))
        return times.user + times.system + times.children_user + times.children_system + living


def _on_a_core(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system


def _plain(url: str, *, database: str | None = None) -> str:
    """Return a URL as asyncpg takes it, of another database on the server if one is named."""
    plain = url.replace("postgresql+asyncpg://", "postgresql://")
    if database is None:
        return plain
    authority, _, query = plain.partition("?")
    return f"{authority.rpartition('/')[0]}/{database}?{query}"


def make_demo(folder: Path) -> None:
    """Make an installation with the demo country, as it begins today."""
    plek("demo", "--no-past", "--data-dir", str(folder))


def plek(*arguments: str) -> None:
    """Run a command of Plek's and wait for it."""
    subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def opened_ground(*, demo: bool = True) -> Generator[Ground]:
    """Open an installation in a temporary folder, with its servers running.

    All of it goes in the end.
    """
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="plek-", ignore_cleanup_errors=True)
            )
        )
        if demo:
            make_demo(folder / "data")
        settings = Settings(data_dir=folder / "data")
        yield Ground(folder / "data", stack.enter_context(open_installation(settings, wanted=BOTH)))


@contextmanager
def serving_plek(folder: Path, *, options: Sequence[str] = ()) -> Generator[Served]:
    """Serve Plek as it is served in earnest.

    `plek serve`, one process, its log in a file.
    """
    environment = {"PLEK_RATE_LIMIT": UNBOUNDED}
    port = free_port()
    command = ("app", "serve", "--data-dir", str(folder), "--port", str(port), *options)
    with _serving(command, port=port, environment=environment, path="/health/ready") as served:
        yield served


@contextmanager
def serving_bare(ground: Ground, *, rows: int) -> Generator[Served]:
    """Serve the bare application on a database of its own on the same PostgreSQL."""
    ground.owner("CREATE DATABASE bare")
    ground.owner(
        *bare.TABLES,
        f"INSERT INTO places (id) SELECT generate_series(1, {rows})",
        "VACUUM ANALYZE",
        database="bare",
    )
    with _serving_beside(ground, bare, database="bare") as served:
        yield served


@contextmanager
def serving_byhand(ground: Ground) -> Generator[Served]:
    """Serve the hold by hand on a database of its own on the same PostgreSQL."""
    ground.owner("CREATE DATABASE byhand")
    ground.owner(byhand.TABLES, database="byhand")
    with _serving_beside(ground, byhand, database="byhand") as served:
        yield served


@contextmanager
def _serving_beside(ground: Ground, program: ModuleType, *, database: str) -> Generator[Served]:
    """Serve a program to compare with on its database, which is dropped afterwards."""
    port = free_port()
    environment = {
        program.DATABASE_VARIABLE: _plain(ground.installation.owner_url, database=database),
        program.PORT_VARIABLE: str(port),
    }
    with _serving((program.__name__,), port=port, environment=environment, path="/hello") as served:
        yield served
    ground.owner(f"DROP DATABASE {database} WITH (FORCE)")


@contextmanager
def _serving(
    command: Sequence[str], *, port: int, environment: Mapping[str, str], path: str
) -> Generator[Served]:
    outside = {"DATABASE_URL", "REDIS_URL", "PLEK_OWNER_URL", "PLEK_KEY", "PLEK_DATA_DIR"}
    inherited = {name: value for name, value in os.environ.items() if name not in outside}
    with tempfile.NamedTemporaryFile("w+", prefix="plek-", suffix=".log") as log:
        began = time.monotonic()
        with subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={**inherited, **environment},
            stdout=log,
            stderr=log,
        ) as process:
            try:
                _await_ready(process, port=port, path=path, log=Path(log.name))
                yield Served(port, psutil.Process(process.pid), time.monotonic() - began)
            finally:
                _stop(process)


def _await_ready(process: subprocess.Popen[bytes], *, port: int, path: str, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while not _answers(port, path):
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotReady("\n".join(log.read_text(encoding="utf-8").splitlines()[-8:]))
        time.sleep(LOOK_S)


def _answers(port: int, path: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
