"""If the embedded servers cannot start, the operator reads what is wrong, what to do."""

import json
import os
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest

from app.embedded import EmbeddedServers, Endpoints, account, binaries, servers
from app.embedded.programs import run
from app.errors import OperatorError
from tests.faults.embedded.embedded_folder import ask, turn_off


@pytest.fixture
def data_dir(tmp_path: Path) -> Generator[Path]:
    folder = tmp_path / "data"
    yield folder
    turn_off(folder)


def _start(data_dir: Path) -> Endpoints:
    return EmbeddedServers(data_dir, durable=False).start()


@pytest.mark.parametrize("major", ["17", "19"])
def test_another_postgresqls_folder_is_left_untouched(data_dir: Path, major: str) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    (data_dir / "postgres" / "PG_VERSION").write_text(f"{major}\n", encoding="ascii")

    with pytest.raises(OperatorError, match=f"made by PostgreSQL {major}.*brings PostgreSQL 18"):
        _start(data_dir)

    assert [path.name for path in (data_dir / "postgres").iterdir()] == ["PG_VERSION"]


def test_a_newer_pleks_folder_is_refused(data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "plek.json").write_text(json.dumps({"layout": 2}), encoding="utf-8")

    with pytest.raises(OperatorError, match=r"newer Plek \(layout 2, this one knows 1\)"):
        _start(data_dir)


def test_a_damaged_passport_is_named(data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "plek.json").write_text("{", encoding="utf-8")

    with pytest.raises(OperatorError, match=r"plek\.json is damaged"):
        _start(data_dir)


def test_somebody_elses_postgres_folder_is_not_taken_for_a_database(data_dir: Path) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    (data_dir / "postgres" / "holiday.jpg").touch()

    with pytest.raises(OperatorError, match="something else than a PostgreSQL database"):
        _start(data_dir)


def test_a_database_that_plek_did_not_make_is_left_alone(data_dir: Path) -> None:
    """Made by PostgreSQL's own initdb, for another program."""
    programs, made = binaries.find(), data_dir / "postgres"
    who = account.choose(data_dir.parent, owned=made)
    data_dir.mkdir()
    if who.switches:
        os.chown(data_dir, who.uid, who.gid)
    who = account.with_capability(who, programs=programs.executed, folders=[data_dir])
    command = who.command(programs.postgres("initdb"), f"--pgdata={made}", "--no-sync")
    assert run(command, account=who).code == 0
    before = (made / "postgresql.conf").read_bytes()

    with pytest.raises(OperatorError, match="holds a PostgreSQL database that Plek did not make"):
        _start(data_dir)

    assert (made / "postgresql.conf").read_bytes() == before


def test_a_file_is_no_data_folder(data_dir: Path) -> None:
    data_dir.touch()

    with pytest.raises(OperatorError, match="not a folder that this user can write to"):
        _start(data_dir)


async def test_a_nearly_full_disk_is_refused_before_anything_is_written(data_dir: Path) -> None:
    with pytest.raises(OperatorError, match=r"disk of .* is full: \d+ MB free"):
        EmbeddedServers(data_dir, durable=False, least_free_bytes=1 << 60).start()
    assert not (data_dir / "postgres").exists()

    with servers(data_dir, durable=False):
        joined = EmbeddedServers(data_dir, durable=False, least_free_bytes=1 << 60)
        assert (
            await ask(joined.start().database_url, "SELECT 1") == 1
        )  # what runs already needs no more room
        joined.stop()


def test_a_disk_that_fills_up_during_the_first_start_is_named(tmp_path: Path) -> None:
    mount = shutil.which("mount")
    disk = tmp_path / "disk"
    disk.mkdir()
    command = [str(mount), "-t", "tmpfs", "-o", "size=12m,mode=0755", "tmpfs", str(disk)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs the right to mount a small disk")
    try:
        with pytest.raises(OperatorError, match=r"disk of .* is full"):
            EmbeddedServers(disk / "data", durable=False, least_free_bytes=0).start()
        assert not (disk / "data" / "postgres").exists()
        turn_off(disk / "data")
    finally:
        subprocess.run(["umount", str(disk)], check=True)  # noqa: S607 - wherever the system has it


def test_what_the_server_itself_complains_of_is_passed_on(data_dir: Path) -> None:
    with servers(data_dir, durable=False):
        pass
    (data_dir / "postgres" / "global" / "pg_control").unlink()

    with pytest.raises(OperatorError, match="pg_control"):
        _start(data_dir)


def test_a_platform_without_the_programs_is_told_the_way_out(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_: str) -> None:
        return None

    monkeypatch.setattr(binaries, "find_spec", missing)

    with pytest.raises(OperatorError, match="Set DATABASE_URL and REDIS_URL"):
        _start(data_dir)


async def test_a_failed_start_can_be_repeated_once_its_cause_is_gone(data_dir: Path) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    (data_dir / "postgres" / "PG_VERSION").write_text("17\n", encoding="ascii")
    with pytest.raises(OperatorError):
        _start(data_dir)
    shutil.rmtree(data_dir / "postgres")

    with servers(data_dir, durable=False) as at:
        assert await ask(at.database_url, "SELECT 1") == 1


def test_passwords_lost_while_in_use_are_not_made_anew(data_dir: Path) -> None:
    with servers(data_dir, durable=False):
        kept = (data_dir / "secrets.json").rename(data_dir / "kept.json")
        with pytest.raises(
            OperatorError, match=r"secrets\.json is gone while a Plek uses the servers"
        ):
            _start(data_dir)
        kept.rename(data_dir / "secrets.json")
