"""`plek backup` and `plek restore`: all of the database in one file, and the way back."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace as changed
from datetime import UTC, datetime
from pathlib import Path

import typer

from app import clock
from app.backup import aftermath, base
from app.backup.aftermath import Aftermath, Known
from app.backup.archive import Archive
from app.backup.check import check_backup
from app.backup.dump import Say, make_backup
from app.backup.manifest import Manifest
from app.backup.restore import refuse_key, restore_backup
from app.commands.installation import Installation, open_installation, read_key, say, settings_with
from app.commands.progress import Progress
from app.config import Settings, program
from app.database import server
from app.database.transaction import Database
from app.embedded import locks
from app.embedded.folder import DataFolder
from app.errors import OperatorError
from app.seal import KEY_FILE, Keyring

TURN_S = 180.0

KEEP = (
    "The key is not in it. Keep a copy of {where}, apart from the backups, for as long as you keep"
    " this one: without the key of its time (fingerprint {keys}) nothing that is sealed in it, no"
    " name, no address, no danger, is ever read again."
)
REVOKED = (
    "What was revoked, disabled or changed since is again as it was then: look through the accounts"
    " and end the tokens of those who have left. Everyone signs in again."
)


def back_up(data_dir: Path | None, *, file: Path) -> None:
    """Write a backup, and say what is in it."""
    settings = settings_with(data_dir)
    if (
        settings.embedded
        and not DataFolder(settings.data_dir.expanduser().absolute()).postgres.exists()
    ):
        raise OperatorError(f"There is no Plek in {settings.data_dir}, and nothing to back up.")
    with open_installation(settings) as installation:
        made, where = asyncio.run(_back_up(installation, file)), installation.key_place
        archive = base.archive_of(settings.data_dir)
        if settings.embedded and archive.kept:
            copied = asyncio.run(base.make_base(archive, url=installation.owner_url))
            say(f"{copied}: a copy of the server's folder, from which its archived log goes on.")
    typer.echo(f"{file}: {_contents(made)}; every row was counted, and every checksum taken.")
    say(KEEP.format(where=where, keys=", ".join(made.keys) or "none was needed"))


def check(data_dir: Path | None, *, file: Path) -> None:
    """Say whether a backup is whole, and whether the key here opens it."""
    with _progress() as report:
        found = asyncio.run(
            check_backup(file, lambda done, of: report("Checking", done / (of or 1)))
        )
    typer.echo(f"{file}: {_contents(found.manifest)}; whole: checksums and rows fit.")
    settings = settings_with(data_dir)
    try:
        refuse_key(found, _keyring(settings), where=_key_place(settings))
        say(f"The key in {_key_place(settings)} opens what is sealed in it.")
    except OperatorError:
        keys = ", ".join(found.manifest.keys)
        say(f"No key in {_key_place(settings)} opens it: it needs those with fingerprint {keys}.")


def restore(data_dir: Path | None, *, file: Path, replace: bool, nothing_since: bool) -> None:
    """Put a backup back, do what follows a restore, and say what people have to do."""
    settings = settings_with(data_dir)
    with _progress() as report:
        found = asyncio.run(
            check_backup(file, lambda done, of: report("Checking", done / (of or 1)))
        )
    refuse_key(found, _keyring(settings), where=_key_place(settings))
    _refuse_used(settings)
    with open_installation(settings) as installation:
        done = asyncio.run(
            _restore(installation, found, replace=replace, nothing_since=nothing_since)
        )
    typer.echo(f"Restored {_contents(found.manifest)}.")
    _tell(done)


def go_back(data_dir: Path | None, *, at: datetime, nothing_since: bool) -> None:
    """Put Plek's own database back to a moment, from its archive, and do what follows."""
    settings = settings_with(data_dir)
    archive = base.archive_of(settings.data_dir)
    if not settings.embedded or not archive.kept:
        raise OperatorError(
            "There is no archive to go back with: it is for Plek's own servers, and begins with"
            " PLEK_WAL_ARCHIVE=true and a backup. Nothing was changed."
        )
    moment = at.astimezone(UTC)
    if moment > clock.now():
        raise OperatorError("That moment is yet to come.")
    _refuse_used(settings)

    def start() -> None:
        with open_installation(settings):
            pass

    with _progress() as report:
        report("Replaying the archived log", None)
        base.go_back(archive, at=moment, start=start)
    with open_installation(settings) as installation:
        done = asyncio.run(_follow_up(installation, nothing_since=nothing_since))
        asyncio.run(base.make_base(archive, url=installation.owner_url))
    typer.echo(f"The database is as it was at {moment:%Y-%m-%d %H:%M:%S} UTC.")
    typer.echo(
        f"What was there before stands in {archive.aside}: remove it once nothing in it is needed."
    )
    _tell(done)


def follow_up(data_dir: Path | None, *, nothing_since: bool) -> None:
    """Do what follows a restore that was made by other means."""
    settings = settings_with(data_dir)
    _refuse_used(settings)
    with open_installation(settings) as installation:
        done = asyncio.run(_follow_up(installation, nothing_since=nothing_since))
    typer.echo("Did what follows a restore.")
    _tell(done)


async def _back_up(installation: Installation, file: Path) -> Manifest:
    async with installation.owner() as database:
        if (await server.look(database)).revision is None:
            raise OperatorError("The database is empty: there is nothing to back up.")
        async with database.transaction() as tx:
            keyring = await installation.keyring(tx)
        with _progress() as report:
            return await make_backup(
                database, url=installation.owner_url, keyring=keyring, path=file, say=report
            )


async def _restore(
    installation: Installation, found: Archive, *, replace: bool, nothing_since: bool
) -> Aftermath:
    async with installation.owner() as database:
        with _progress() as report:
            known = await _known_tree(installation, database)
            await restore_backup(
                database, found, url=installation.owner_url, replace=replace, say=report
            )
    return await _after(installation, known=known, nothing_since=nothing_since)


async def _follow_up(installation: Installation, *, nothing_since: bool) -> Aftermath:
    async with installation.owner() as database:
        # The database is already the restored one, and knows nothing of what was signed since.
        known = changed(await _known_tree(installation, database), complete=False)
        await aftermath.begin_epoch(database)
    return await _after(installation, known=known, nothing_since=nothing_since)


async def _known_tree(installation: Installation, database: Database) -> Known:
    one_host = installation.settings.embedded
    return await aftermath.known_tree(database, installation.signed, one_host=one_host)


async def _after(installation: Installation, *, known: Known, nothing_since: bool) -> Aftermath:
    await installation.prepare()
    async with installation.owner() as database:
        async with database.transaction() as tx:
            keyring = await installation.keyring(tx)
        return await aftermath.settle_ledger(
            database, known, keyring=keyring, nothing_since=nothing_since
        )


def _tell(done: Aftermath) -> None:
    typer.echo(REVOKED)
    for sentence in done.sentences():
        typer.echo(sentence)


def _contents(made: Manifest) -> str:
    return (
        f"the database of {made.made_at:%Y-%m-%d %H:%M:%S} UTC, {made.total_rows:,} rows in"
        f" {len(made.rows):,} tables, {made.dump_bytes / (1 << 20):,.1f} MB"
    )


def _keyring(settings: Settings) -> Keyring:
    found = settings.key or read_key(settings.data_dir / KEY_FILE)
    if found is None:
        raise OperatorError(
            f"There is no key in {_key_place(settings)}. Put the key that goes with the backup"
            " there first: without it nothing sealed in it is ever read. Nothing was written."
        )
    return Keyring.parse(found, named=_key_place(settings))


def _key_place(settings: Settings) -> str:
    return (
        "PLEK_KEY" if settings.key or not settings.embedded else str(settings.data_dir / KEY_FILE)
    )


def _refuse_used(settings: Settings) -> None:
    """Refuse while any process of Plek uses the servers of the data folder."""
    folder = DataFolder(settings.data_dir.expanduser().absolute())
    if not settings.embedded or not folder.path.is_dir():
        return
    with locks.hold_for_block(folder.lock("start"), within_seconds=TURN_S):
        used = locks.is_held(folder.lock("users"))
    if used:
        raise OperatorError(
            f"Plek runs on {settings.data_dir}: stop it first (`{program()} serve`, `worker` and"
            " every other command). Nothing was written."
        )


@contextmanager
def _progress() -> Generator[Say]:
    """Say on stderr every few seconds what is being done, and how far it is."""
    progress = Progress(say)
    with progress.reports():
        yield progress.reach
