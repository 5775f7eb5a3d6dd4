"""Root and ordinary users alike.

The servers never run as root, and nobody else's folders are opened for them.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path

import psutil
import pytest
from redis import Redis

from app.embedded import binaries, servers
from tests.faults.embedded.embedded_folder import (
    NOBODY,
    ask,
    dismiss,
    heard,
    mode,
    pid,
    turn_off,
    user,
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who can be anybody")


@pytest.fixture
def open_dir() -> Generator[Path]:
    """A folder that everyone may pass through, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def _users(data_dir: Path) -> set[int]:
    return {
        psutil.Process(pid(data_dir, server)).uids().effective for server in ("postgres", "redis")
    }


def _started(process: subprocess.Popen[str]) -> str:
    """What it says; a checkout that only root can enter has no programs for an ordinary user."""
    line = heard(process)
    if "cannot be run" in line:
        pytest.skip("an ordinary user cannot reach this checkout")
    return line


async def test_the_servers_never_run_as_root(tmp_path: Path) -> None:
    with servers(tmp_path / "data", durable=False) as at:
        assert await ask(at.database_url, "SELECT 1") == 1
        assert 0 not in _users(tmp_path / "data")


@as_root
async def test_a_closed_parent_folder_stays_closed(open_dir: Path) -> None:
    closed = open_dir / "closed"
    closed.mkdir(mode=0o700)
    with servers(closed / "data", durable=False) as at:
        assert await ask(at.database_url, "SELECT 1") == 1
        with Redis.from_url(at.redis_url) as redis:
            assert redis.ping()

    assert mode(closed) == 0o700
    assert closed.stat().st_uid == 0


@as_root
async def test_programs_in_a_closed_folder_can_be_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = binaries.find()
    wheels = tmp_path / "closed"
    for program in (found.postgres_folder.parents[1], found.redis_folder.parent):
        shutil.copytree(program, wheels / program.name)
        shutil.copytree(f"{program}.libs", wheels / f"{program.name}.libs")
    wheels.chmod(0o700)
    copied = binaries.Binaries(
        postgres_folder=wheels
        / found.postgres_folder.relative_to(found.postgres_folder.parents[2]),
        redis_folder=wheels / found.redis_folder.relative_to(found.redis_folder.parents[1]),
    )
    monkeypatch.setattr(binaries, "find", lambda: copied)

    with servers(tmp_path / "data", durable=False) as at:
        assert await ask(at.database_url, "SELECT 1") == 1
        assert 0 not in _users(tmp_path / "data")


@as_root
def test_in_an_open_folder_the_servers_have_no_capability_at_all(open_dir: Path) -> None:
    with servers(open_dir / "data", durable=False):
        for server in ("postgres", "redis"):
            status = Path(f"/proc/{pid(open_dir / 'data', server)}/status").read_text(
                encoding="ascii"
            )
            assert "CapEff:\t0000000000000000" in status


@as_root
async def test_root_runs_an_ordinary_users_folder_as_that_user_who_can_go_on_with_it(
    open_dir: Path,
) -> None:
    os.chown(open_dir, NOBODY, NOBODY)
    data_dir = open_dir / "data"
    with user(data_dir, uid=NOBODY) as ordinary:
        url = _started(ordinary)
        assert _users(data_dir) == {NOBODY}
        assert mode(data_dir) == 0o700
        dismiss(ordinary)

    with servers(data_dir, durable=False) as at:
        assert at.database_url == url
        assert _users(data_dir) == {NOBODY}
        assert {path.stat().st_uid for path in data_dir.iterdir()} == {NOBODY}

    with user(data_dir, uid=NOBODY) as ordinary:
        assert heard(ordinary) == url
        dismiss(ordinary)


@as_root
def test_an_ordinary_user_is_told_that_a_folder_is_somebody_elses(open_dir: Path) -> None:
    with servers(open_dir / "data", durable=False), user(open_dir / "data", uid=NOBODY) as ordinary:
        assert heard(ordinary).startswith("OperatorError")


@as_root
def test_a_folder_planted_where_the_sockets_should_go_is_refused(open_dir: Path) -> None:
    data_dir = open_dir / ("x" * 100)
    data_dir.mkdir()
    with servers(data_dir, durable=False) as at:
        place = Path(at.redis_url.partition("@")[2]).parent
    try:
        (planted := open_dir / "planted").mkdir(mode=0o777)
        os.chown(planted, NOBODY, NOBODY)
        place.symlink_to(planted)
        with (
            pytest.raises(Exception, match="must be a folder of user id"),
            servers(data_dir, durable=False),
        ):
            pass
    finally:
        place.unlink()
        turn_off(data_dir)


def test_the_account_is_one_that_this_system_has(tmp_path: Path) -> None:
    with servers(tmp_path / "data", durable=False):
        assert all(pwd.getpwuid(uid).pw_name for uid in _users(tmp_path / "data"))
