"""Whatever was killed, the next start works and what was acknowledged is there."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path

import asyncpg
import psutil
import pytest
from redis import Redis

from app.embedded import EmbeddedServers, locks, postgres_server, servers
from app.errors import OperatorError
from tests.faults.embedded.embedded_folder import ask, heard, pid, turn_off, user


@pytest.fixture
def data_dir(tmp_path: Path) -> Generator[Path]:
    folder = tmp_path / "data"
    yield folder
    turn_off(folder)


async def _until(happened: Callable[[], bool]) -> None:
    while not happened():
        await asyncio.sleep(0)


async def _crash(url: str) -> None:
    """Kill a connection's own process, a crash to PostgreSQL; be there while it recovers."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    psutil.Process(await connection.fetchval("SELECT pg_backend_pid()")).kill()
    connection.terminate()
    with suppress(asyncpg.PostgresError, OSError):
        while True:
            await ask(url, "SELECT 1")


async def test_what_was_acknowledged_survives_a_killed_database(data_dir: Path) -> None:
    ours = EmbeddedServers(data_dir)
    at = ours.start()
    await ask(at.owner_url, "CREATE TABLE kept (word text)")
    connection = await asyncpg.connect(at.owner_url.replace("+asyncpg", ""))
    await connection.execute("INSERT INTO kept VALUES ('bed')")
    psutil.Process(pid(data_dir, "postgres")).kill()
    connection.terminate()
    ours.stop()

    with servers(data_dir) as again:
        assert await ask(again.owner_url, "SELECT word FROM kept") == "bed"


async def test_a_start_while_in_use_revives_what_has_died(data_dir: Path) -> None:
    ours = EmbeddedServers(data_dir, durable=False)
    before = ours.start()
    psutil.Process(pid(data_dir, "postgres")).kill()
    psutil.Process(pid(data_dir, "redis")).kill()

    after = ours.start()

    assert after == before
    assert await ask(after.database_url, "SELECT 1") == 1
    with Redis.from_url(after.redis_url) as redis:
        assert redis.ping()
    ours.stop()
    assert not (data_dir / "postgres" / "postmaster.pid").exists()


def test_a_pid_file_that_names_a_stranger_is_not_believed(data_dir: Path) -> None:
    with servers(data_dir, durable=False):
        kept = (data_dir / "postgres" / "postmaster.pid").read_text(encoding="ascii")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        number, rest = kept.split("\n", 1)
        (data_dir / "postgres" / "postmaster.pid").write_text(
            f"{stranger.pid}\n{rest}", encoding="ascii"
        )
        (data_dir / "redis" / "redis.pid").write_text(f"{stranger.pid}\n", encoding="ascii")
        (data_dir / "run" / ".s.PGSQL.5432.lock").write_text(
            f"{stranger.pid}\n{rest}", encoding="ascii"
        )
        (data_dir / "run" / ".s.PGSQL.5432").touch()

        with servers(data_dir, durable=False) as at:
            assert asyncio.run(ask(at.database_url, "SELECT 1")) == 1
            assert pid(data_dir, "postgres") not in {stranger.pid, int(number)}

        assert stranger.poll() is None
        stranger.kill()


async def test_another_folders_server_is_a_stranger_too(data_dir: Path, tmp_path: Path) -> None:
    with servers(tmp_path / "other", durable=False) as other:
        with servers(data_dir, durable=False):
            pass
        theirs = (tmp_path / "other" / "postgres" / "postmaster.pid").read_text(encoding="ascii")
        (data_dir / "postgres" / "postmaster.pid").write_text(theirs, encoding="ascii")

        with servers(data_dir, durable=False) as at:
            assert await ask(at.database_url, "SELECT 1") == 1

        assert await ask(other.database_url, "SELECT 1") == 1


async def test_servers_whose_starter_was_killed_are_taken_over(data_dir: Path) -> None:
    with user(data_dir) as starter:
        url = heard(starter)
        running = pid(data_dir, "postgres"), pid(data_dir, "redis")
        starter.kill()
        starter.wait()
        assert await ask(url, "SELECT 1") == 1

        with servers(data_dir, durable=False) as at:
            assert at.database_url == url
            assert (pid(data_dir, "postgres"), pid(data_dir, "redis")) == running

        assert not (data_dir / "postgres" / "postmaster.pid").exists()


async def test_a_first_start_that_was_killed_halfway_leaves_nothing_in_the_way(
    data_dir: Path,
) -> None:
    with user(data_dir) as starter:
        await _until((data_dir / "postgres.part" / "PG_VERSION").exists)
        starter.kill()
        starter.wait()
        assert not (data_dir / "postgres").exists()

        with servers(data_dir, durable=False) as at:
            assert await ask(at.database_url, "SELECT 1") == 1

    assert not (data_dir / "postgres.part").exists()


async def test_leftover_backends_of_a_killed_server_are_waited_for(data_dir: Path) -> None:
    ours = EmbeddedServers(data_dir, durable=False)
    at = ours.start()
    connection = await asyncpg.connect(at.owner_url.replace("+asyncpg", ""))
    backend = psutil.Process(await connection.fetchval("SELECT pg_backend_pid()"))
    backend.suspend()
    psutil.Process(pid(data_dir, "postgres")).kill()
    assert locks.is_held(data_dir / "postgres.lock")

    loop = asyncio.get_running_loop()
    loop.call_later(0.5, backend.resume)
    again = await asyncio.to_thread(ours.start)

    assert await ask(again.database_url, "SELECT 1") == 1
    connection.terminate()
    ours.stop()


def test_servers_that_run_where_we_cannot_see_them_are_not_joined_by_a_second(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with servers(data_dir, durable=False):
        pass
    monkeypatch.setattr(postgres_server, "_LEFTOVER_SECONDS", 0.1)
    elsewhere = locks.hold(data_dir / "postgres.lock")
    assert elsewhere is not None

    with (
        pytest.raises(OperatorError, match="another container or on another host"),
        servers(data_dir, durable=False),
    ):
        pass


async def test_a_server_that_is_recovering_is_stopped_without_delay(data_dir: Path) -> None:
    ours = EmbeddedServers(data_dir, durable=False)
    await _crash(ours.start().database_url)
    ours.stop()

    with servers(data_dir, durable=False) as again:
        assert await ask(again.database_url, "SELECT 1") == 1


async def test_a_start_returns_only_once_a_recovering_server_takes_connections(
    data_dir: Path,
) -> None:
    ours = EmbeddedServers(data_dir, durable=False)
    at = ours.start()
    for _ in range(5):
        await _crash(at.database_url)

        ours.start()

        assert await ask(at.database_url, "SELECT 1") == 1
    ours.stop()


async def test_a_server_on_its_way_out_is_replaced(data_dir: Path) -> None:
    ours = EmbeddedServers(data_dir, durable=False)
    at = ours.start()
    connection = await asyncpg.connect(at.owner_url.replace("+asyncpg", ""))
    psutil.Process(pid(data_dir, "postgres")).send_signal(
        signal.SIGTERM
    )  # waits for our connection
    await _until(
        lambda: "stopping" in (data_dir / "postgres" / "postmaster.pid").read_text(encoding="ascii")
    )

    ours.start()

    assert await ask(at.database_url, "SELECT 1") == 1
    connection.terminate()
    ours.stop()


async def test_sockets_that_somebody_swept_away_come_back(data_dir: Path) -> None:
    ours = EmbeddedServers(data_dir, durable=False)
    ours.start()
    for socket in (data_dir / "run").iterdir():
        socket.unlink()
    (data_dir / "run").rmdir()

    at = ours.start()

    assert await ask(at.database_url, "SELECT 1") == 1
    with Redis.from_url(at.redis_url) as redis:
        assert redis.ping()
    ours.stop()


def test_a_redis_that_hangs_is_replaced(data_dir: Path) -> None:
    ours = EmbeddedServers(data_dir, wanted=frozenset({"redis"}))
    ours.start()
    hung = psutil.Process(pid(data_dir, "redis"))
    hung.suspend()

    with Redis.from_url(ours.start().redis_url) as redis:
        assert redis.ping()

    assert not hung.is_running() or hung.status() == psutil.STATUS_ZOMBIE
    ours.stop()
