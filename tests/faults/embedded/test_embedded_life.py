"""The embedded servers of a data folder.

What they are, and who starts, shares and stops them.
"""

import asyncio
import re
from collections.abc import Generator
from pathlib import Path

import asyncpg
import psutil
import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.embedded import EmbeddedServers, servers
from tests.faults.embedded.embedded_folder import ask, dismiss, heard, mode, pid, turn_off, user

_CHERRY = "Cherry Tree Lane 17"


@pytest.fixture
def data_dir(tmp_path: Path) -> Generator[Path]:
    folder = tmp_path / "data"
    yield folder
    turn_off(folder)


async def test_what_was_written_is_there_after_stop_and_start(data_dir: Path) -> None:
    with servers(data_dir) as first:
        await ask(first.owner_url, "CREATE TABLE kept (word text)")
        await ask(first.owner_url, "INSERT INTO kept VALUES ('bed')")

    with servers(data_dir) as second:
        assert await ask(second.owner_url, "SELECT word FROM kept") == "bed"

    assert second == first


async def test_postgresql_is_durable_private_and_set_for_a_small_machine(data_dir: Path) -> None:
    wanted = {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "timezone": "UTC",
        "listen_addresses": "",
        "jit": "off",
        "max_connections": "100",
        "shared_buffers": "128MB",
        "unix_socket_permissions": "0700",
    }

    with servers(data_dir) as at:
        found = {name: await ask(at.database_url, f"SHOW {name}") for name in wanted}
        version = await ask(at.database_url, "SHOW server_version_num")
        provider = await ask(
            at.database_url, "SELECT datlocprovider FROM pg_database WHERE datname = 'plek'"
        )
        sockets = str(await ask(at.owner_url, "SHOW unix_socket_directories")).strip('"')
        access = mode(sockets)

    assert found == wanted
    assert str(version).startswith("18")
    assert provider == b"b"
    assert access == 0o700


async def test_the_tests_may_trade_safety_for_speed_but_a_careful_start_takes_it_back(
    data_dir: Path,
) -> None:
    with servers(data_dir, durable=False) as quick:
        assert await ask(quick.database_url, "SHOW fsync") == "off"

        with servers(data_dir) as careful:
            assert await ask(careful.database_url, "SHOW fsync") == "on"


async def test_the_application_owns_nothing_and_passes_no_wall(data_dir: Path) -> None:
    with servers(data_dir, durable=False) as at:
        await ask(at.owner_url, "CREATE TABLE secret (word text)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ask(at.database_url, "SELECT * FROM secret")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ask(at.database_url, "CREATE TABLE own ()")
        powers = "SELECT rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = $1"
        walls = "SELECT rolsuper OR rolbypassrls OR rolreplication FROM pg_roles WHERE rolname = $1"

        assert await ask(at.database_url, powers, "plek_app") is False
        assert await ask(at.database_url, walls, "plek_app") is False
        assert await ask(at.database_url, walls, "plek_owner") is False
        assert await ask(at.owner_url, "SET ROLE plek_app") is None


@pytest.mark.parametrize("role", ["postgres", "plek_owner", "plek_app", "nobody"])
async def test_nobody_comes_in_without_the_password(data_dir: Path, role: str) -> None:
    with servers(data_dir, durable=False) as at:
        stranger = re.sub(r"//\w+:\w+@", f"//{role}:guess@", at.owner_url)
        with pytest.raises(
            (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError)
        ):
            await ask(stranger, "SELECT 1")


def test_redis_listens_on_its_socket_only_and_wants_its_password(data_dir: Path) -> None:
    with servers(data_dir, durable=False) as at, Redis.from_url(at.redis_url) as redis:
        assert redis.set("light", "on")
        assert redis.config_get("port") == {"port": "0"}
        assert redis.config_get("save") == {"save": ""}
        assert redis.config_get("maxmemory-policy") == {"maxmemory-policy": "volatile-lru"}
        assert not psutil.Process(pid(data_dir, "redis")).net_connections("inet")
        assert not psutil.Process(pid(data_dir, "postgres")).net_connections("inet")

        path = at.redis_url.partition("@")[2]
        with (
            Redis(unix_socket_path=path, retry=Retry(NoBackoff(), 0)) as stranger,
            pytest.raises(Exception, match="authenticated"),
        ):
            stranger.ping()


def test_passwords_are_for_the_owner_of_the_folder_only_and_never_shown(data_dir: Path) -> None:
    with servers(data_dir, durable=False) as at:
        modes = {path.name: mode(path) for path in data_dir.iterdir()}

    assert modes["secrets.json"] == 0o600
    assert {allowed for name, allowed in modes.items() if name in {"postgres", "redis", "run"}} == {
        0o700
    }
    assert repr(at) == "Endpoints()"


async def test_lost_passwords_are_made_anew(data_dir: Path) -> None:
    with servers(data_dir) as first:
        await ask(first.owner_url, "CREATE TABLE kept AS SELECT 'bed' AS word")
    (data_dir / "secrets.json").unlink()

    with servers(data_dir) as second:
        assert await ask(second.owner_url, "SELECT word FROM kept") == "bed"

    assert second != first


async def test_what_people_typed_never_reaches_the_log(data_dir: Path) -> None:
    insert = f"INSERT INTO homes VALUES ('{_CHERRY}')"  # noqa: S608 - as a careless statement would have it
    with servers(data_dir, durable=False) as at:
        await ask(at.owner_url, "CREATE TABLE homes (street text UNIQUE)")
        await ask(at.owner_url, insert)
        with pytest.raises(asyncpg.UniqueViolationError):
            await ask(at.owner_url, insert)
        with pytest.raises(asyncpg.InvalidTextRepresentationError):
            await ask(at.owner_url, f"SELECT '{_CHERRY}'::int")
        connection = await asyncpg.connect(at.owner_url.replace("+asyncpg", ""))
        backend = psutil.Process(await connection.fetchval("SELECT pg_backend_pid()"))
        sleeping = asyncio.ensure_future(connection.fetchval(f"SELECT pg_sleep(60), '{_CHERRY}'"))
        active = "SELECT true FROM pg_stat_activity WHERE pid = $1 AND state = 'active'"
        while not await ask(at.owner_url, active, backend.pid):
            pass
        backend.kill()
        with pytest.raises((asyncpg.PostgresConnectionError, ConnectionError)):
            await sleeping

    log = (data_dir / "postgres.log").read_text(encoding="utf-8")
    assert "terminated by signal 9" in log
    assert _CHERRY not in log


def test_a_long_log_is_cut_at_the_next_start(data_dir: Path) -> None:
    with servers(data_dir, durable=False):
        pass
    with (data_dir / "postgres.log").open("a", encoding="utf-8") as log:
        log.write("something old\n" * 500_000)

    with servers(data_dir, durable=False):
        assert (data_dir / "postgres.log").stat().st_size < 1 << 20


async def test_two_folders_are_two_installations(data_dir: Path, tmp_path: Path) -> None:
    with servers(data_dir, durable=False) as one, servers(tmp_path / "other", durable=False) as two:
        await ask(one.owner_url, "CREATE TABLE here ()")

        assert await ask(one.owner_url, "SELECT to_regclass('here') IS NULL") is False
        assert await ask(two.owner_url, "SELECT to_regclass('here') IS NULL") is True


async def test_the_last_to_leave_turns_off_the_servers(data_dir: Path) -> None:
    with user(data_dir) as first:
        assert heard(first).startswith("postgresql+asyncpg://plek_app:")
        with servers(data_dir, durable=False) as second:
            running = (
                psutil.Process(pid(data_dir, "postgres")),
                psutil.Process(pid(data_dir, "redis")),
            )
            dismiss(first)

            assert await ask(second.database_url, "SELECT 1") == 1
            with Redis.from_url(second.redis_url) as redis:
                assert redis.ping()

    assert not any(
        process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in running
    )


async def test_many_who_begin_at_once_share_one_server(data_dir: Path) -> None:
    with user(data_dir) as one, user(data_dir) as two, user(data_dir) as three:
        urls = {heard(process) for process in (one, two, three)}

        assert len(urls) == 1
        assert await ask(urls.pop(), "SELECT 1") == 1


def test_either_server_can_be_had_alone(data_dir: Path) -> None:
    with EmbeddedServers(data_dir, wanted=frozenset({"redis"})) as at:
        assert at.database_url == at.owner_url == ""
        assert at.redis_url
        assert not (data_dir / "postgres").exists()


async def test_a_folder_with_a_long_or_odd_name_works(tmp_path: Path) -> None:
    folder = tmp_path / ("långt, 'långt' \"bort\" " + "x" * 80) / "data & more"
    try:
        with servers(folder, durable=False) as at:
            assert await ask(at.database_url, "SELECT 1") == 1
            with Redis.from_url(at.redis_url) as redis:
                assert redis.ping()
            place = Path(at.redis_url.partition("@")[2]).parent
            assert not place.is_relative_to(folder)
            assert mode(place) == 0o700
        assert not place.exists()
    finally:
        turn_off(folder)


def test_a_warm_start_has_nothing_to_make_and_nothing_to_recover(data_dir: Path) -> None:
    """What else a start could take long for.

    A command starts the servers each time that it finds none.
    """
    said: list[str] = []
    with servers(data_dir):
        pass

    with servers(data_dir, say=said.append):
        log = (data_dir / "postgres.log").read_text(encoding="utf-8")

    assert said == []
    assert (
        log.count("database system was shut down at")
        == log.count("ready to accept connections")
        == 2
    )
    assert "not properly shut down" not in log


def test_progress_is_told_once(data_dir: Path) -> None:
    said: list[str] = []
    with servers(data_dir, durable=False, say=said.append):
        pass
    with servers(data_dir, durable=False, say=said.append):
        pass

    assert said == ["Making a new database; this takes a few seconds, once."]


def test_a_forked_child_leaves_its_parents_servers_alone(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = EmbeddedServers(data_dir, durable=False)
    at = ours.start()

    monkeypatch.setattr("os.getpid", lambda: -1)  # as in a child
    ours.stop()

    with Redis.from_url(at.redis_url) as redis:
        assert redis.ping()
