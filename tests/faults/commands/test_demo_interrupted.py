"""Filling the demo country can be stopped, leaves nothing half done, and takes turns."""

import asyncio
import gc
import signal
import subprocess
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from os import getpid, kill
from time import monotonic

import asyncpg
import pytest

from app.commands.stop import run_until_stopped
from app.database.server import DEMO
from app.embedded import servers
from tests import forks
from tests.faults.cli_folder import WITHIN_S, Folder, end
from tests.faults.conftest import Copy

MANY = 400_000
SOON_S = 20
"""Within which a stop ends on a busy machine; what hangs does so until it is killed."""


def begin(folder: Folder, *words: str) -> subprocess.Popen[str]:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return forks.Forked(("-m", "app", *words), env=folder.environment(), **pipes)


def hears(process: subprocess.Popen[str], words: str) -> bool:
    """Whether it says so before it ends."""
    assert process.stderr is not None
    return any(words in line for line in process.stderr)


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[asyncpg.Connection]:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        yield connection
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "words,number,code",
    [
        (("serve", "--port", "0", "--demo"), signal.SIGINT, 0),
        (("demo",), signal.SIGINT, 130),
        (("demo",), signal.SIGTERM, 143),
    ],
    ids=["serve, Ctrl-C", "demo, Ctrl-C", "demo, SIGTERM"],
)
def test_a_fill_that_is_stopped_ends_and_the_next_one_fills_completely(
    migrated: Copy, words: tuple[str, ...], number: int, code: int
) -> None:
    folder = migrated()
    process = begin(folder, *words)
    try:
        assert hears(process, "Filling the demo country: living through its past")
        process.send_signal(number)
        out, err = process.communicate(timeout=SOON_S)
    finally:
        end(process)

    assert (process.returncode, out) == (code, "")
    assert "Traceback" not in err
    assert folder.stopped
    assert "24 providers, 95 sites, 1,024 places" in folder.run("demo", "--no-past").stdout


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_many_rows_on_their_way_do_not_hold_up_a_stop(migrated: Copy) -> None:
    folder = migrated()

    async def store(url: str) -> None:
        async with connected(url) as connection, connection.transaction():
            await connection.execute("CREATE TABLE kept (word text)")
            threading.Timer(0.3, kill, (getpid(), signal.SIGINT)).start()
            await connection.executemany("INSERT INTO kept VALUES ($1)", [("bed" * 40,)] * MANY)

    async def is_there(url: str) -> object:
        async with connected(url) as connection:
            return await connection.fetchval("SELECT to_regclass('kept') IS NOT NULL")

    # As in a program: a process that runs tests for another leaves interrupts to that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with servers(folder.path) as at:
        began = monotonic()
        try:
            with pytest.raises(KeyboardInterrupt):
                run_until_stopped(store(at.owner_url))
        finally:
            signal.signal(signal.SIGINT, before)
        assert monotonic() - began < SOON_S
        assert asyncio.run(is_there(at.owner_url)) is False
    gc.collect()  # here, where the connection that was left may be noticed


def test_of_several_that_fill_at_once_one_does(migrated: Copy) -> None:
    folder = migrated()
    several = [begin(folder, "demo", "--no-past") for _ in range(3)]
    try:
        said = [process.communicate(timeout=WITHIN_S) for process in several]
    finally:
        for process in several:
            end(process)

    assert sorted(process.returncode for process in several) == [0, 2, 2]
    for process, (out, err) in zip(several, said, strict=True):
        if process.returncode:
            assert "plek: The database has providers already" in err
        else:
            assert "24 providers, 95 sites, 1,024 places" in out


async def test_a_start_waits_while_another_fills_and_says_so(demo: Copy) -> None:
    folder = demo()
    with servers(folder.path) as at:
        async with connected(at.owner_url) as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", DEMO)
            process = begin(folder, "serve", "--port", "0", "--demo")
            waits = await asyncio.to_thread(hears, process, "Another Plek fills this database")
        try:
            assert waits
            assert process.stdout is not None
            assert "Plek is ready" in await asyncio.to_thread(process.stdout.readline)
        finally:
            end(process)
