"""`plek import`: import a file as a whole, or print its faults by line and column."""

import asyncio
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress as Bar

from app.commands.installation import Installation, open_installation, say, settings_with
from app.errors import OperatorError
from app.registry.imports import imports
from app.registry.imports.csv_files import ImportCounts, ImportFaults, Progress

LONG_LINES = 2_000


def import_csv(data_dir: Path | None, *, kind: str, file: Path, dry_run: bool) -> None:
    """Import a file; exit 1 with its first faults on stderr if there are any."""
    imports.kind_of(kind)
    raw = _read(file)
    try:
        with open_installation(settings_with(data_dir)) as installation, _bar(raw) as progress:
            imported = asyncio.run(
                _import(installation, kind, raw, dry_run=dry_run, progress=progress)
            )
    except ImportFaults as refused:
        for fault in refused.faults:
            say(f"{file}: {fault}")
        if refused.more:
            say(f"{file}: and {refused.more:,} more.")
        say(refused.detail)
        raise typer.Exit(1) from None
    typer.echo(f"{kind}: {imported}." + (" A dry run: nothing was written." if dry_run else ""))


async def _import(
    installation: Installation, kind: str, raw: bytes, *, dry_run: bool, progress: Progress | None
) -> ImportCounts:
    async with installation.transaction(with_keys=True) as tx, tx.rehearsal(keep=not dry_run):
        return await imports.import_file(tx, imports.kind_of(kind), raw, progress=progress)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise OperatorError(f"{file} cannot be read: {error.strerror}.") from error


@contextmanager
def _bar(raw: bytes) -> Generator[Progress | None]:
    """Show a bar on stderr if the file is long or a person watches."""
    lines = raw.count(b"\n")
    if lines <= LONG_LINES and not sys.stderr.isatty():
        yield None
        return
    with Bar(console=Console(stderr=True), transient=lines <= LONG_LINES) as bar:
        task = bar.add_task("Reading", total=lines)
        yield lambda done, total: bar.update(task, completed=done, total=total)
