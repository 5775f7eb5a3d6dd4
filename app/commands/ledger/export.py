"""`plek ledger export` and `plek ledger key`: what a controller takes along."""

import asyncio
import os
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import typer
from rich.console import Console
from rich.progress import Progress as Bar

from app.allocation.ledger.exports import export_line, hash_line
from app.allocation.ledger.notes import VerifierKey
from app.commands.installation import Installation, opened, settings_with
from app.errors import OperatorError
from app.ledger import checkpoints, entries

HASHES, CHECKPOINT = ".hashes", ".checkpoint"
"""What is added to an export's name for the files beside it."""


def export(data_dir: Path | None, *, file: Path, region: str | None) -> None:
    """Write the ledger to a file, as far as it has been signed by now."""
    with opened(settings_with(data_dir)) as installation, _drafts(file) as drafts, _bar() as told:
        written = asyncio.run(_export(installation, drafts, region=region, told=told))
    typer.echo(
        f"{written:,} leaves in {file}; beside it {file.name}{CHECKPOINT} and {file.name}{HASHES}."
    )


def show_keys(data_dir: Path | None, *, new: bool) -> None:
    """Print the keys by which others check checkpoints, after making a new one if asked."""

    async def act() -> list[VerifierKey]:
        async with installation.transaction(with_keys=True) as tx:
            if new:
                await checkpoints.add_key(tx)
            return await checkpoints.verifiers(tx)

    with opened(settings_with(data_dir)) as installation:
        keys = asyncio.run(act())
    for key in keys:
        typer.echo(key.to_text())


async def _export(
    installation: Installation,
    drafts: tuple[IO[bytes], ...],
    *,
    region: str | None,
    told: Callable[[int, int], None],
) -> int:
    lines, hashes, note = drafts
    waiting = 1
    while waiting:  # a transaction each, so that others can go on
        async with installation.transaction(with_keys=True) as tx:
            waiting = await checkpoints.sign_tree(tx)
    async with installation.transaction(with_keys=True) as tx:
        if region is not None and region not in (await tx.snapshots.reference(tx)).regions:
            raise OperatorError("There is no region with this code.")
        sealed = await checkpoints.newest(tx)
        assert sealed is not None  # noqa: S101 - it was sealed just now
        async for entry in entries.export_entries(tx, size=sealed.size, region=region):
            lines.write(export_line(entry.index, entry.content, entry.opening))
            hashes.write(hash_line(entry.content))
            told(entry.index + 1, sealed.size)
    note.write(sealed.note.encode())
    return sealed.size


@contextmanager
def _drafts(file: Path) -> Generator[tuple[IO[bytes], ...]]:
    """Open the three files under other names, and give them their own once all of it is written."""
    named = [file, file.with_name(file.name + HASHES), file.with_name(file.name + CHECKPOINT)]
    drafts = [one.with_name(f".{one.name}.{os.getpid()}") for one in named]
    try:
        with ExitStack() as stack:
            yield tuple(stack.enter_context(draft.open("wb")) for draft in drafts)
        for draft, one in zip(drafts, named, strict=True):
            draft.replace(one)
    except OSError as error:
        raise OperatorError(f"{file} cannot be written: {error.strerror}.") from error
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)


@contextmanager
def _bar() -> Generator[Callable[[int, int], None]]:
    """Show a bar on stderr to somebody who watches."""
    with Bar(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("Writing", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
