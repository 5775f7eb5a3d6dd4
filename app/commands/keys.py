"""`plek keys`: add a new key-encryption key during service, and retire the old ones."""

import asyncio
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress as Bar

from app.commands.installation import Installation, open_installation, say, settings_with
from app.config import Settings, program
from app.database.sealing import rotation
from app.database.sealing.rotation import ReportRows, Rotated
from app.embedded import files, locks
from app.embedded.folder import DataFolder
from app.errors import OperatorError
from app.seal import KEY_FILE, Keyring, new_key

ROWS_BETWEEN_LINES = 10_000
TURN_S = 180.0
"""How long to wait for another process that starts or stops the servers."""

ANOTHER_KEY = f"""\
PLEK_KEY holds one key. A new one takes its place in four steps, none of which stops the service:
  1. make a key (openssl rand -base64 32) and deploy PLEK_KEY="old,new" everywhere: all can read what it wraps;
  2. deploy PLEK_KEY="new,old" everywhere: all wrap with it;
  3. run `{program()} keys rotate` with that: what the old key wrapped is wrapped by the new one;
  4. deploy PLEK_KEY="new" everywhere."""


def rotate(data_dir: Path | None) -> None:
    """Wrap every data key with the newest key, after adding one to the data folder."""
    settings = settings_with(data_dir)
    if settings.key and not Keyring.parse(settings.key).older:
        raise OperatorError(ANOTHER_KEY)
    if not settings.key:
        _refuse_elsewhere(settings)
    with open_installation(settings) as installation:
        typer.echo(asyncio.run(_rotate(installation)))


def retire(data_dir: Path | None) -> None:
    """Remove the older keys from the data folder's file."""
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
    with open_installation(settings) as installation:
        typer.echo(asyncio.run(_retire(installation)))


async def _rotate(installation: Installation) -> str:
    if installation.settings.key:
        done = await _rewrap(installation, await _key(installation))
        return (
            f"{_report(done)} Nothing needs the older keys any more: they may be taken out of "
            "PLEK_KEY."
        )
    file = installation.key_file
    with _lock_file(file):
        key = await _key(installation)
        if Keyring.parse(key).older and (done := await _rewrap(installation, key)) != Rotated():
            again = f"for another new key, run `{program()} keys rotate` again."
            return f"{_report(done)} That ended an earlier rotation; {again}"
        keys = f"{new_key()},{key}"
        _write(file, keys)
        say(f"Made a new key, the first in {file}: copy the file again to where you keep a copy.")
        done = await _rewrap(installation, keys)
    return f"{_report(done)} The old key stays second in {file} until `{program()} keys retire`."


async def _retire(installation: Installation) -> str:
    file = installation.key_file
    with _lock_file(file):
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
    """Return the keys, after a check that they open what is sealed."""
    async with installation.transaction() as tx:
        return await installation.key(tx)


async def _rewrap(installation: Installation, key: str) -> Rotated:
    async with installation.owner() as database:
        with _progress() as report:
            return await rotation.rotate(
                database.transaction, keyring=Keyring.parse(key), report=report
            )


def _report(done: Rotated) -> str:
    return (
        f"Wrapped {done.keys:,} data keys and sealed {done.answers:,} kept answers by the "
        "newest key."
    )


def _refuse_elsewhere(settings: Settings) -> None:
    """Refuse a key file that other processes may have read.

    They would not see a change to it.
    """
    if not settings.embedded:
        raise OperatorError(
            "With DATABASE_URL the key belongs in PLEK_KEY, the same for every process: set it "
            "to what stands in "
            f"{settings.data_dir / KEY_FILE}."
        )


def _is_used(data_dir: Path) -> bool:
    """Whether a process uses the folder's servers now."""
    folder = DataFolder(data_dir.expanduser().absolute())
    if not folder.path.is_dir():
        raise OperatorError(f"There is no Plek in {data_dir}.")
    # A process that starts meanwhile has the newest key: it is in the file since the rotation.
    with locks.hold_for_block(folder.lock("start"), within_seconds=TURN_S):
        return locks.is_held(folder.lock("users"))


@contextmanager
def _lock_file(file: Path) -> Generator[None]:
    """Keep other commands from changing the key file.

    Of two that make a key at once, one key would be lost.
    """
    lock = locks.hold(file.with_name(f"{file.name}.lock"))
    if lock is None:
        raise OperatorError(f"Another command is changing the keys in {file}; let it end first.")
    try:
        yield
    finally:
        os.close(lock)


def _write(file: Path, keys: str) -> None:
    """Replace the keys in a file as a whole, readable by its owner alone."""
    where = file.resolve()
    try:
        status = where.stat()
        files.write(where, f"{keys}\n", owner=(status.st_uid, status.st_gid))
    except OSError as error:
        raise OperatorError(f"{file} cannot be changed: {error.strerror}.") from error


@contextmanager
def _progress() -> Generator[ReportRows]:
    """Show the progress on stderr: a bar if a person watches, else a line now and then."""
    if not sys.stderr.isatty():
        yield ProgressLines()
        return
    with Bar(console=Console(stderr=True)) as bar:
        task = bar.add_task("Wrapping keys", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class ProgressLines:
    """Print a line of progress now and then."""

    def __init__(self) -> None:
        self._printed = 0

    def __call__(self, done: int, total: int) -> None:
        """Hear how many rows of how many have been looked at."""
        if done < self._printed:  # another pass
            self._printed = 0
        if done - self._printed >= ROWS_BETWEEN_LINES:
            say(f"Looked at {done:,} of {total:,}.")
            self._printed = done
