"""`plek keys`: a new key-encryption key while the service runs, and the end of the old ones."""

import asyncio
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress as Bar

from app.commands.installation import Installation, opened, say, settings_with
from app.config import Settings, program
from app.database.sealing import rotation
from app.database.sealing.rotation import Rotated, Told
from app.embedded import files, locks
from app.embedded.folder import DataFolder
from app.errors import OperatorError
from app.seal import KEY_FILE, Keyring, new_key

ROWS_BETWEEN_LINES = 10_000
TURN_S = 180.0
"""Somebody else's start, or stop, may come first."""

ANOTHER_KEY = f"""\
PLEK_KEY holds one key. A new one takes its place in four steps, none of which stops the service:
  1. make a key (openssl rand -base64 32) and deploy PLEK_KEY="old,new" everywhere: all can read what it wraps;
  2. deploy PLEK_KEY="new,old" everywhere: all wrap with it;
  3. run `{program()} keys rotate` with that: what the old key wrapped is wrapped by the new one;
  4. deploy PLEK_KEY="new" everywhere."""


def rotate(data_dir: Path | None) -> None:
    """Wrap every data key by the newest key; one in the data folder is made first."""
    settings = settings_with(data_dir)
    if settings.key and not Keyring.parse(settings.key).older:
        raise OperatorError(ANOTHER_KEY)
    if not settings.key:
        _refuse_elsewhere(settings)
    with opened(settings) as installation:
        typer.echo(asyncio.run(_rotate(installation)))


def retire(data_dir: Path | None) -> None:
    """Take the older keys out of the data folder's file."""
    settings = settings_with(data_dir)
    if settings.key:
        raise OperatorError(
            f"PLEK_KEY is set: after `{program()} keys rotate`, take the older keys out of it "
            "everywhere."
        )
    _refuse_elsewhere(settings)
    if _is_used(settings.data_dir):
        raise OperatorError(
            "Stop Plek first: a process that runs may still wrap with an older key."
        )
    with opened(settings) as installation:
        typer.echo(asyncio.run(_retire(installation)))


async def _rotate(installation: Installation) -> str:
    if installation.settings.key:
        done = await _rewrap(installation, await _key(installation))
        return (
            f"{_told(done)} Nothing needs the older keys any more: they may be taken out of "
            "PLEK_KEY."
        )
    file = installation.key_file
    with _alone(file):
        key = await _key(installation)
        if Keyring.parse(key).older and (done := await _rewrap(installation, key)) != Rotated():
            again = f"for another new key, run `{program()} keys rotate` again."
            return f"{_told(done)} That ended an earlier rotation; {again}"
        keys = f"{new_key()},{key}"
        _write(file, keys)
        say(f"Made a new key, the first in {file}: copy the file again to where you keep a copy.")
        done = await _rewrap(installation, keys)
    return f"{_told(done)} The old key stays second in {file} until `{program()} keys retire`."


async def _retire(installation: Installation) -> str:
    file = installation.key_file
    with _alone(file):
        key = await _key(installation)
        keyring = Keyring.parse(key)
        if not keyring.older:
            return f"{file} holds one key: there is nothing to retire."
        await _rewrap(installation, key)
        _write(file, next(part for part in key.split(",") if part.strip()).strip())
    return (
        f"Took {keyring.older} older {'key' if keyring.older == 1 else 'keys'} out of {file}. "
        "Backups from before the "
        "rotation open only with the copies that you kept; without those they open no more."
    )


async def _key(installation: Installation) -> str:
    """Return the keys, once they are known to open what is sealed."""
    async with installation.transaction() as tx:
        return await installation.key(tx)


async def _rewrap(installation: Installation, key: str) -> Rotated:
    async with installation.owner() as database:
        with _progress() as told:
            return await rotation.rotate(database.entered, keyring=Keyring.parse(key), told=told)


def _told(done: Rotated) -> str:
    return (
        f"Wrapped {done.keys:,} data keys and sealed {done.answers:,} kept answers by the "
        "newest key."
    )


def _refuse_elsewhere(settings: Settings) -> None:
    """Refuse a key file of which other processes may hold copies.

    They would not see what happens to this one.
    """
    if not settings.embedded:
        raise OperatorError(
            "With DATABASE_URL the key belongs in PLEK_KEY, the same for every process: set it "
            "to what stands in "
            f"{settings.data_dir / KEY_FILE}."
        )


def _is_used(data_dir: Path) -> bool:
    """Whether anybody uses the folder's servers now."""
    folder = DataFolder(data_dir.expanduser().absolute())
    if not folder.path.is_dir():
        raise OperatorError(f"There is no Plek in {data_dir}.")
    # Whoever starts meanwhile has the newest key: it stands in the file since the rotation.
    with locks.held(folder.lock("start"), within_seconds=TURN_S):
        return locks.is_held(folder.lock("users"))


@contextmanager
def _alone(file: Path) -> Generator[None]:
    """Let no other command change the file meanwhile.

    Of two that make a key, one would lose it.
    """
    lock = locks.hold(file.with_name(f"{file.name}.lock"))
    if lock is None:
        raise OperatorError(f"Another command is changing the keys in {file}; let it end first.")
    try:
        yield
    finally:
        os.close(lock)


def _write(file: Path, keys: str) -> None:
    """Replace the keys in a file as a whole, still its owner's alone."""
    where = file.resolve()
    try:
        status = where.stat()
        files.write(where, f"{keys}\n", owner=(status.st_uid, status.st_gid))
    except OSError as error:
        raise OperatorError(f"{file} cannot be changed: {error.strerror}.") from error


@contextmanager
def _progress() -> Generator[Told]:
    """Show on stderr how far it is.

    A bar to somebody who watches, else a line now and then.
    """
    if not sys.stderr.isatty():
        yield Lines()
        return
    with Bar(console=Console(stderr=True)) as bar:
        task = bar.add_task("Wrapping keys", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class Lines:
    """Says now and then how far it is."""

    def __init__(self) -> None:
        self._told = 0

    def __call__(self, done: int, total: int) -> None:
        """Hear how many rows of how many have been looked at."""
        if done < self._told:  # another pass
            self._told = 0
        if done - self._told >= ROWS_BETWEEN_LINES:
            say(f"Looked at {done:,} of {total:,}.")
            self._told = done
