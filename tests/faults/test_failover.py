"""Among several named servers Plek finds the one that takes writes, also later."""

import asyncio
import os
import pwd
import secrets
import socket
import subprocess
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from app.config import Settings
from app.database.connections import lines
from app.database.transaction import Database
from app.embedded import binaries
from app.errors import Unavailable
from app.events import link
from app.events.link import Link

PROGRAMS = binaries.find()
CLUSTER = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "shared_buffers": "16MB",
    "hot_standby": "on",
}
WITHIN_S = 15
"""How long service may be away after a failover."""


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def ran(program: Path, *words: str | Path) -> None:
    """Run one of the servers' programs, as an account that may."""
    user = None if os.geteuid() else "nobody"
    group = None if user is None else pwd.getpwnam(user).pw_gid
    done = subprocess.run(
        [program, *words],
        user=user,
        group=group,
        extra_groups=None if user is None else [],
        cwd="/",
        env={"LC_ALL": "C", "PATH": os.defpath},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def start(data: Path, port: int) -> None:
    options = " ".join(f"-c {name}='{value}'" for name, value in (CLUSTER | {"port": port}).items())
    log = data.with_suffix(".log")
    ran(PROGRAMS.postgres("pg_ctl"), "start", "-w", "-D", data, "-l", log, "-o", options)


@contextmanager
def pair(folder: Path) -> Generator[tuple[tuple[Path, int], tuple[Path, int]]]:
    """Run a primary and a standby that streams from it; yield where each is."""
    one, two = (folder / "one", free_port()), (folder / "two", free_port())
    ran(PROGRAMS.postgres("initdb"), "-D", one[0], "-U", "plek", "--auth=trust", "--no-sync")
    with ExitStack() as stack:

        def begin(at: tuple[Path, int]) -> None:
            start(*at)
            stop = ("stop", "-m", "immediate", "-D", at[0])
            stack.callback(lambda: (at[0] / "postmaster.pid").exists() and ran(control, *stop))

        control = PROGRAMS.postgres("pg_ctl")
        begin(one)
        way = f"postgresql://plek@127.0.0.1:{one[1]}/postgres"
        backup = PROGRAMS.postgres("pg_basebackup")
        ran(backup, "-D", two[0], "-d", way, "--checkpoint=fast", "--write-recovery-conf")
        begin(two)
        yield one, two


@pytest.fixture
def open_folder() -> Generator[Path]:
    """Return a folder that the servers' account can reach and write to."""
    folder = Path("/tmp") / f"plek-failover-{secrets.token_hex(4)}"  # noqa: S108 - made afresh, and removed
    folder.mkdir()
    folder.chmod(0o777)
    yield folder
    subprocess.run(["rm", "-rf", folder], check=True)  # noqa: S607 - a program of every system


@contextmanager
def silent() -> Generator[int]:
    """Listen at a port where connections are made and nobody takes them up."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


async def port_in_use(database: Database) -> int:
    async with database.connection() as connection:
        await connection.execute("CREATE TEMPORARY TABLE written (n integer)")
        await connection.execute("DROP TABLE written")
        return int(await connection.fetchval("SHOW port"))


async def test_the_server_that_takes_writes_is_found_also_after_a_failover(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "CONNECT_S", 1.0)
    with pair(open_folder) as (one, two), silent() as nobody:
        places = ",".join(f"127.0.0.1:{port}" for port in (nobody, two[1], one[1]))
        database = Database(
            replace(Settings(), answer_s=5), url=f"postgresql://plek@{places}/postgres"
        )
        # Past a host that says nothing, and past one that only reads.
        assert await port_in_use(database) == one[1]

        control = PROGRAMS.postgres("pg_ctl")
        await asyncio.to_thread(ran, control, "stop", "-m", "immediate", "-D", one[0])
        await asyncio.to_thread(ran, control, "promote", "-w", "-D", two[0])
        async with asyncio.timeout(WITHIN_S):
            while True:
                try:
                    assert await port_in_use(database) == two[1]
                    break
                except Unavailable:
                    await asyncio.sleep(0.1)
        await database.close()


@contextmanager
def redis_server(
    folder: Path, *lines_of: str, sentinel: bool = False
) -> Generator[subprocess.Popen[bytes]]:
    folder.mkdir()
    settings = folder / "redis.conf"
    settings.write_text("\n".join(("bind 127.0.0.1", f"dir {folder}", *lines_of)) + "\n")
    words = ["--sentinel"] if sentinel else []
    process = subprocess.Popen(
        [PROGRAMS.redis("redis-server"), settings, *words], stdout=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=30)


async def test_the_master_is_found_by_its_sentinels_also_after_a_failover(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "LEFT_ALONE_S", 0.1)
    first, second, watch, away = (free_port() for _ in range(4))
    login = (
        "requirepass secret",
        "masterauth secret",
        'save ""',
        "repl-diskless-sync-delay 0",
    )
    watched = (
        f"port {watch}",
        f"sentinel monitor main 127.0.0.1 {first} 1",
        "sentinel auth-pass main secret",
        "sentinel down-after-milliseconds main 500",
        "sentinel failover-timeout main 3000",
    )
    with (
        redis_server(tmp_path / "one", f"port {first}", *login) as master,
        redis_server(tmp_path / "two", f"port {second}", f"replicaof 127.0.0.1 {first}", *login),
        redis_server(tmp_path / "sentinel", *watched, sentinel=True),
    ):
        url = f"redis+sentinel://:secret@127.0.0.1:{away},127.0.0.1:{watch}/main/1"
        found = Link(url, prefix="plek:test")

        async def written_at() -> int | None:
            if await found.ask(lambda: found.redis.set("plek:test", "1")) is None:
                return None
            return int((await found.redis.config_get("port"))["port"] or 0)

        async with asyncio.timeout(60):
            while await written_at() != first or b"slave0" not in await replicas(first):
                await asyncio.sleep(0.1)
            # The sentinel hears of the replica with its next look at the master.
            while not await replicas_known(watch):
                await asyncio.sleep(0.1)
            master.kill()
            while await written_at() != second:
                await asyncio.sleep(0.1)
        await found.close()


async def replicas(port: int) -> bytes:
    return await asked(port, "-a", "secret", "info", "replication")


async def replicas_known(port: int) -> bool:
    return b"slaves=1" in await asked(port, "info", "sentinel")


async def asked(port: int, *words: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        PROGRAMS.redis("redis-cli"),
        "-p",
        str(port),
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    said, _ = await process.communicate()
    return said
