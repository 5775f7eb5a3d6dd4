"""The keys from the command line.

A new one while Plek serves, the end of old ones, and no start without them.
"""

import asyncio
import os
import pty
import stat
import subprocess
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
import pytest

from app.commands.keys import ROWS_BETWEEN_LINES, ProgressLines
from app.config import program
from app.embedded import Endpoints, servers
from app.seal import new_key
from tests.conftest import Server, plain
from tests.country import Country
from tests.faults.cli_folder import Folder, Serving
from tests.faults.conftest import Copy

DESK = ("--role", "intake_worker", "--role", "coordinator", "--provider", "opvang-nevelduin")
REFERRAL = {
    "urgency": "acute",
    "originMunicipality": "GM0518",
    "household": {"adults": [{"gender": "female"}]},
}
STARTS = (("serve", "--port", "0", "--workers", "2"), ("worker",))
NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


@pytest.fixture(scope="module")
def used(demo: Copy) -> Iterator[tuple[Folder, Endpoints]]:
    """A data folder with the demo country, its servers kept running for each command."""
    made = demo()
    with servers(made.path) as endpoints:
        yield made, endpoints


@pytest.fixture
def folder(used: tuple[Folder, Endpoints]) -> Folder:
    """That folder."""
    return used[0]


@pytest.fixture(scope="module")
def alone(demo: Copy) -> Folder:
    """A data folder with the demo country in it, that nobody uses."""
    return demo()


def keys(folder: Folder) -> list[str]:
    """Return the keys in a folder's file, the newest first."""
    return (folder.path / "key").read_text().strip().split(",")


def last(done: subprocess.CompletedProcess[str]) -> str:
    """Return what a command says that it did."""
    return done.stdout.splitlines()[-1]


def registered(serving: Serving, token: str) -> str:
    """Register a referral and return its path."""
    status, referral = serving.ask("/v1/referrals", token=token, method="POST", body=REFERRAL)
    assert status == 201
    return f"/v1/referrals/{referral['id']}"


def test_a_new_key_comes_while_several_processes_serve(folder: Folder) -> None:
    token, before = folder.token(*DESK), keys(folder)
    with folder.serving("--workers", "2") as serving:
        referral = registered(serving, token)

        done = folder.run("keys", "rotate")

        assert {
            serving.ask(path, token=token)[0] for path in (referral, "/v1/places", "/v1/sites") * 6
        } == {200}
        another = registered(serving, token)
        assert serving.ask(another, token=token)[0] == 200
        assert "ok    key" in folder.run("doctor", PLEK_KEY=keys(folder)[0]).stdout
    assert keys(folder)[1:] == before
    assert "stays second" in last(done)
    assert "copy the file again" in done.stderr
    assert stat.S_IMODE((folder.path / "key").stat().st_mode) == 0o600
    assert (
        f"nothing needs its older keys any more: {program()} keys retire"
        in folder.run("doctor").stdout
    )


def test_older_keys_are_taken_out_once_plek_is_stopped(alone: Folder) -> None:
    token = alone.token(*DESK)
    with alone.serving() as serving:
        referral = registered(serving, token)
        alone.run("keys", "rotate")
        assert "Stop Plek first" in alone.run("keys", "retire", expect=2).stderr
        assert len(keys(alone)) == 2
        serving.stop()

    newest = keys(alone)[0]
    assert "Took 1 older key out" in last(alone.run("keys", "retire"))
    assert keys(alone) == [newest]
    assert "nothing to retire" in last(alone.run("keys", "retire"))
    assert alone.stopped
    with alone.serving() as serving:
        assert serving.ask(referral, token=token)[0] == 200


def test_what_was_still_wrapped_by_an_older_key_is_wrapped_anew_before_that_goes(
    alone: Folder,
) -> None:
    new = new_key()
    (alone.path / "key").write_text(
        f",{new}, {','.join(keys(alone))}\n"
    )  # as a hand may have left it

    alone.run("keys", "retire")

    assert keys(alone) == [new]
    assert "it opens what is sealed\n" in alone.run("doctor").stdout


def test_a_key_in_the_environment_is_changed_by_deploying_it(alone: Folder) -> None:
    old, new = keys(alone)[0], new_key()

    with servers(alone.path):  # so that each command finds them
        said = alone.run("keys", "rotate", expect=2, PLEK_KEY=old).stderr
        assert all(f"{step}. " in said for step in range(1, 5))
        assert f"run `{program()} keys rotate`" in said
        assert (
            "take the older keys out of it"
            in alone.run("keys", "retire", expect=2, PLEK_KEY=f"{new},{old}").stderr
        )
        assert (
            f"with an older key: {program()} keys rotate"
            in alone.run("doctor", PLEK_KEY=f"{new},{old}").stdout
        )
        assert "may be taken out of PLEK_KEY" in last(
            alone.run("keys", "rotate", PLEK_KEY=f"{new},{old}")
        )
        assert "Wrapped 0 data keys" in last(alone.run("keys", "rotate", PLEK_KEY=f"{new},{old}"))
        assert "take them out" in alone.run("doctor", PLEK_KEY=f"{new},{old}").stdout
        assert "it opens what is sealed\n" in alone.run("doctor", PLEK_KEY=new).stdout

        alone.run("keys", "rotate", PLEK_KEY=f"{old},{new}")
        assert keys(alone) == [old]


def test_where_the_database_is_elsewhere_the_file_is_not_touched(
    folder: Folder, tmp_path: Path
) -> None:
    before = keys(folder)
    for command in ("rotate", "retire"):
        assert (
            "belongs in PLEK_KEY"
            in folder.run("keys", command, expect=2, DATABASE_URL=NOWHERE).stderr
        )
    assert keys(folder) == before
    assert "no Plek in" in Folder(tmp_path / "nothing").run("keys", "retire", expect=2).stderr


@asynccontextmanager
async def held_up(owner_url: str, table: str) -> AsyncGenerator[asyncpg.Connection]:
    """Let all who change a row of a table wait until the block ends."""
    connection = await asyncpg.connect(plain(owner_url))
    try:
        await connection.execute(f"""
            CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS
              $$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NEW; END $$;
            CREATE TRIGGER held_up BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION hold_up();
            SELECT pg_advisory_lock(7)""")
        yield connection
        await connection.execute(f"""
            SELECT pg_advisory_unlock(7);
            DROP TRIGGER held_up ON {table};
            DROP FUNCTION hold_up()""")
    finally:
        await connection.close()


WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event = "
    "'advisory'"
)


async def test_a_rotation_that_is_killed_is_ended_by_the_next_and_two_never_meet(
    used: tuple[Folder, Endpoints],
) -> None:
    folder, endpoints = used
    before = keys(folder)
    async with held_up(endpoints.owner_url, "referral_secrets") as connection:
        rotating = await asyncio.create_subprocess_exec(
            *folder.command("keys", "rotate"), env=folder.environment(), stderr=subprocess.DEVNULL
        )
        async with asyncio.timeout(120):
            while not await connection.fetchval(WAITING):
                await asyncio.sleep(0.01)
        assert "is changing the keys" in folder.run("keys", "rotate", expect=2).stderr
        rotating.kill()
        await rotating.wait()
    during = keys(folder)
    assert during[1:] == before
    assert f"with an older key: {program()} keys rotate" in folder.run("doctor").stdout

    assert "ended an earlier rotation" in last(folder.run("keys", "rotate"))

    assert keys(folder) == during
    assert "nothing needs its older keys any more" in folder.run("doctor").stdout


@contextmanager
def changed(folder: Folder, content: bytes | None) -> Generator[None]:
    """Let the key file hold something else for a while, or be gone."""
    file = folder.path / "key"
    kept = file.read_bytes()
    file.unlink()
    try:
        if content is not None:
            file.write_bytes(content)
        yield
    finally:
        file.unlink(missing_ok=True)
        file.write_bytes(kept)
        file.chmod(0o600)


def refused(folder: Folder, *command: str, **settings: str) -> str:
    """Claim that a command ends with one sentence without the key; return the sentence."""
    said = folder.run(*command, expect=2, **settings).stderr.splitlines()[-1]
    assert said.startswith("plek: ")
    assert not settings.get("PLEK_KEY") or settings["PLEK_KEY"] not in said
    return said


@pytest.mark.parametrize("command", STARTS)
def test_nothing_starts_without_the_key_of_what_is_sealed(
    folder: Folder, command: tuple[str, ...]
) -> None:
    assert "PLEK_KEY is not base64." in refused(folder, *command, PLEK_KEY="no / base64")
    assert "keys of 32 bytes each" in refused(folder, *command, PLEK_KEY="AAAA")
    assert "is not the key of this database" in refused(folder, *command, PLEK_KEY=new_key())
    with changed(folder, None):
        assert "is gone" in refused(folder, *command)
    with changed(folder, new_key().encode()):
        assert "is not the key of this database" in refused(folder, *command)
    with changed(folder, b"no / base64"):
        assert f"{folder.path / 'key'} is not base64." in refused(folder, *command)
    with changed(folder, b"\xff"):
        assert "cannot be read" in refused(folder, *command)


@pytest.mark.parametrize("command", STARTS)
async def test_nothing_starts_with_a_key_that_is_none_where_nothing_is_sealed_yet(
    country: Country, embedded: Server, tmp_path: Path, command: tuple[str, ...]
) -> None:
    urls = {
        "DATABASE_URL": country.app_url,
        "PLEK_OWNER_URL": country.owner_url,
        "REDIS_URL": embedded.redis_url,
    }
    empty = Folder(tmp_path / "var", urls)
    assert "PLEK_KEY is not base64." in refused(empty, *command, PLEK_KEY="no / base64")
    assert "keys of 32 bytes each" in refused(empty, *command, PLEK_KEY="AAAA")
    # Each machine would make another one.
    assert "Set PLEK_KEY" in refused(empty, *command)


async def test_nothing_starts_with_only_some_of_the_keys_that_are_needed(
    used: tuple[Folder, Endpoints],
) -> None:
    folder, endpoints = used
    connection = await asyncpg.connect(plain(endpoints.owner_url))
    select = (
        "SELECT set_config('plek.actor', 'operator', false), min(site_id::text) FROM site_secrets"
    )
    await connection.fetch(select)
    first = (await connection.fetchrow(select))[1]
    kept = await connection.fetchval("SELECT key FROM site_secrets WHERE site_id = $1::uuid", first)
    change = "UPDATE site_secrets SET key = $2 WHERE site_id = $1::uuid"
    await connection.execute(change, first, os.urandom(60))
    try:
        assert "opens only part of what is sealed" in refused(folder, "serve", "--port", "0")
        assert "one that is needed was taken out of it" in folder.run("doctor", expect=1).stdout
        assert "Put it back" in refused(folder, "keys", "rotate")
    finally:
        await connection.execute(change, first, kept)
        await connection.close()


def test_the_doctor_minds_a_key_that_others_can_read(folder: Folder) -> None:
    file = folder.path / "key"
    file.chmod(0o640)
    try:
        assert (
            f"warn  key         others than its owner may read {file}"
            in folder.run("doctor").stdout
        )
    finally:
        file.chmod(0o600)


def test_a_person_at_a_terminal_sees_how_far_it_is(folder: Folder) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        folder.command("keys", "rotate"),
        env=folder.environment(TERM="xterm"),
        stdout=subprocess.PIPE,
        stderr=theirs,
    ) as rotating:
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 4096):
                shown += part
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        assert rotating.stdout is not None
        assert rotating.stdout.read().decode().endswith(f"`{program()} keys retire`.\n")
    assert b"100%" in shown


def test_without_a_terminal_it_says_so_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    lines, total = ProgressLines(), 3 * ROWS_BETWEEN_LINES
    for _ in range(2):
        for done in range(500, total + 1, 500):
            lines(done, total)
    said = capsys.readouterr()
    assert (
        said.err.splitlines()
        == [f"Looked at {done:,} of 30,000." for done in (10_000, 20_000, 30_000)] * 2
    )
    assert said.out == ""
