"""The command line, in processes of its own on real data folders."""

import signal
import socket
import stat
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from app.embedded import servers
from tests.faults.cli_folder import Folder
from tests.faults.conftest import Copy

PROVIDERS = "provider,name,phone,regions\nlinde,Stichting Linde,000-555 01 01,GM0193\n"
DESK = ("--role", "intake_worker", "--provider", "opvang-nevelduin")


@pytest.fixture(scope="module")
def alone(demo: Copy) -> Folder:
    """A data folder with the demo country in it, that nobody uses."""
    return demo()


@pytest.fixture(scope="module")
def folder(demo: Copy) -> Iterator[Folder]:
    """The same, its servers kept running meanwhile, so that each command finds them."""
    made = demo()
    with servers(made.path):
        yield made


@pytest.fixture
def empty(tmp_path: Path) -> Folder:
    """A data folder that is not there yet."""
    return Folder(tmp_path / "var")


def test_it_says_which_release_it_is(empty: Folder) -> None:
    said = empty.run("--version").stdout

    assert said.startswith(f"plek {version('plek')} ")
    assert said.count("\n") == 1
    assert not empty.path.exists()


def test_the_demo_fills_once(folder: Folder) -> None:
    assert "providers already" in folder.run("demo", expect=2).stderr


def test_a_command_takes_along_the_servers_that_it_started(alone: Folder) -> None:
    alone.run("token", *DESK)

    assert alone.stopped


def test_the_demo_stays_away_from_a_database_that_plek_did_not_start(empty: Folder) -> None:
    for words in (("demo",), ("serve", "--demo")):
        refused = empty.run(*words, expect=2, DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
        assert "unset DATABASE_URL" in refused.stderr


def test_a_token_stands_alone_on_the_last_line_and_its_notes_elsewhere(folder: Folder) -> None:
    made = folder.run("token", *DESK, "--days", "3")

    assert made.stdout.startswith("plek_")
    assert made.stdout.count("\n") == 1
    assert "plek revoke" in made.stderr
    assert made.stdout.strip() not in made.stderr


def test_a_role_that_does_not_fit_is_refused_without_a_traceback(folder: Folder) -> None:
    assert "--provider" in folder.run("token", "--role", "coordinator", expect=2).stderr
    folder.run("token", "--role", "janitor", expect=2)
    folder.run("token", expect=2)


def test_tokens_made_and_revoked_beside_a_serving_plek_count_at_once(folder: Folder) -> None:
    with folder.serving("--demo") as serving:
        made = folder.run("token", *DESK)
        token = made.stdout.strip()
        assert serving.ask("/v1/providers", token=token)[0] == 200

        folder.run("revoke", made.stderr.split()[1].rstrip(","))

        assert serving.ask("/v1/providers", token=token)[0] == 401


def test_it_stops_cleanly_with_streams_open_and_takes_its_servers_along(alone: Folder) -> None:
    token = alone.token(*DESK)
    with alone.serving() as serving, serving.asked("/v1/events", token=token) as stream:
        code, _, said = serving.stop()

        assert (stream.status, code) == (200, 0), said
        assert said.endswith("Stopped.\n")
    assert alone.stopped


def test_ctrl_c_ends_it_as_cleanly(folder: Folder) -> None:
    with folder.serving() as serving:
        assert serving.stop(signal.SIGINT)[0] == 0


def test_several_processes_serve_one_address_and_stop_together(alone: Folder) -> None:
    token = alone.token(*DESK)
    with (
        alone.serving("--workers", "2") as serving,
        serving.asked("/v1/events", token=token) as stream,
    ):
        assert {serving.ask("/v1/providers", token=token)[0] for _ in range(6)} == {200}
        status, page = serving.ask("/metrics")

        code, _, said = serving.stop()

        assert (stream.status, status, code) == (200, 200, 0), said
        assert "plek_requests_total" in page
    assert alone.stopped


def test_several_processes_end_when_the_one_that_started_them_is_killed(alone: Folder) -> None:
    with alone.serving("--workers", "2") as serving:
        serving.process.kill()
        serving.process.wait()

        assert serving.silent_within(seconds=30)
    with alone.serving("--workers", "2") as again:
        assert again.ask("/health/ready")[0] == 200
        assert again.stop()[0] == 0


def test_an_address_that_is_taken_is_told_before_anything_is_started(empty: Folder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = empty.run("serve", "--port", str(taken.getsockname()[1]), expect=2)

    assert "Choose another with --port" in refused.stderr
    assert not empty.path.exists()


def test_a_whole_referral_can_be_replayed_from_the_command_line(folder: Folder) -> None:
    token = folder.token(*DESK)
    with folder.serving() as serving:
        wanted = {
            "urgency": "acute",
            "originMunicipality": "GM0518",
            "household": {"adults": [{"gender": "female"}]},
        }
        _, referral = serving.ask("/v1/referrals", token=token, method="POST", body=wanted)
        status, ranking = serving.ask(
            f"/v1/referrals/{referral['id']}/rankings", token=token, method="POST"
        )

        assert status == 201
        assert folder.run("replay", ranking["id"]).stdout == "identical\n"

    folder.run("replay", referral["id"], expect=2)
    folder.run("replay", "no id", expect=2)


def test_faults_of_a_file_go_to_stderr_and_nothing_is_taken_in(
    folder: Folder, tmp_path: Path
) -> None:
    file = tmp_path / "providers.csv"
    file.write_text(
        f"{PROVIDERS}Linde 2,Two,000-555 01 02,GM0193\nlinde-3,Three,000-555 01 03,GM9999\n"
    )

    refused = folder.run("import", "providers", file, expect=1)

    assert refused.stdout == ""
    assert "line 3, provider: must be small letters" in refused.stderr
    assert "line 4, regions: value 1 of 1 is no region" in refused.stderr
    assert "2 faults; nothing was imported" in refused.stderr


def test_of_very_many_faults_the_first_are_told_and_the_rest_counted(
    folder: Folder, tmp_path: Path
) -> None:
    file = tmp_path / "sites.csv"
    columns = "provider,site,municipality,street,city,address_secrecy,supervision"
    file.write_text(f"{columns}\n" + "!,,?,,,x,y\n" * 14_286)

    refused = folder.run("import", "sites", file, expect=1)

    *told, more, all_of_them = refused.stderr.splitlines()[-202:]
    assert len([line for line in told if ": line " in line]) == 200
    assert more.endswith("and 99,802 more.")
    assert all_of_them == "The file has 100002 faults; nothing was imported."


def test_a_dry_run_says_what_would_change_and_changes_nothing(
    migrated: Copy, tmp_path: Path
) -> None:
    folder = migrated()
    file = tmp_path / "providers.csv"
    file.write_text(PROVIDERS, encoding="utf-8-sig")

    said = [
        folder.run("import", "providers", file, *more).stdout for more in (["--dry-run"], [], [])
    ]

    assert said == [
        "providers: 1 new, 0 changed, 0 unchanged. A dry run: nothing was written.\n",
        "providers: 1 new, 0 changed, 0 unchanged.\n",
        "providers: 0 new, 0 changed, 1 unchanged.\n",
    ]
    assert "own" in folder.run("serve", "--port", "0", "--demo", expect=2).stderr


def test_a_long_file_shows_how_far_it_is(folder: Folder, tmp_path: Path) -> None:
    file = tmp_path / "weights.csv"
    days = "".join(
        f"GM0363,{day},invented,{1900 + day // 300}-{1 + day % 12:02}-{1 + day % 25:02}\n"
        for day in range(2100)
    )
    file.write_text(f"region,weight,source,date\n{days}")

    done = folder.run("import", "weights", file, "--dry-run")

    assert "2,100 new" in done.stdout
    assert "100%" in done.stderr


@pytest.mark.parametrize("kind,file", [("cities", "pyproject.toml"), ("places", "nowhere.csv")])
def test_a_kind_or_file_that_does_not_exist_is_told(folder: Folder, kind: str, file: str) -> None:
    assert folder.run("import", kind, file, expect=2).stderr.startswith("plek: ")


def test_the_key_is_made_once_for_its_owner_alone(folder: Folder) -> None:
    key = folder.path / "key"

    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert "Made a key" not in folder.run("migrate").stderr


def test_without_its_key_or_with_another_an_installation_does_not_start(folder: Folder) -> None:
    key, kept = folder.path / "key", folder.path.with_name("key of another folder")
    content = key.read_text()
    key.rename(kept)
    try:
        assert "is gone" in folder.run("serve", "--port", "0", expect=2).stderr
        assert "fail  key" in folder.run("doctor", expect=1).stdout
        other = "A" * 43 + "="
        assert (
            "not the key of this database"
            in folder.run("serve", "--port", "0", expect=2, PLEK_KEY=other).stderr
        )
        assert folder.run("doctor", PLEK_KEY=content.strip()).returncode == 0
    finally:
        kept.rename(key)


def test_the_doctor_finds_a_healthy_installation_healthy(folder: Folder) -> None:
    found = folder.run("doctor").stdout

    assert "fail" not in found
    assert all(
        subject in found
        for subject in (
            "settings",
            "disk",
            "redis",
            "database",
            "clock",
            "migrations",
            "key",
            "service",
        )
    )


def test_the_doctor_makes_nothing_where_nothing_is(empty: Folder) -> None:
    assert "there is none yet" in empty.run("doctor").stdout
    assert not empty.path.exists()


def test_a_database_that_does_not_answer_is_told_in_a_sentence(empty: Folder) -> None:
    gone = "postgresql://nobody@127.0.0.1:1/none"

    assert "does not answer" in empty.run("migrate", expect=2, DATABASE_URL=gone).stderr
    assert "fail" in empty.run("doctor", expect=1, DATABASE_URL=gone).stdout


def test_a_setting_that_cannot_be_understood_is_named(empty: Folder) -> None:
    assert "PLEK_LOG_LEVEL" in empty.run("migrate", expect=2, PLEK_LOG_LEVEL="loud").stderr


def test_migrating_says_what_was_done(empty: Folder) -> None:
    assert (
        empty.run("migrate").stdout
        == "Migrated to this release's tables. Loaded the reference data.\n"
    )
    assert empty.run("migrate").stdout == "The tables are up to date.\n"


def test_a_worker_works_beside_and_stops_when_told(folder: Folder) -> None:
    with folder.serving() as serving, folder.working() as worker:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=120) == 0
        assert serving.ask("/health/ready")[0] == 200
