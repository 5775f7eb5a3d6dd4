"""`plek ledger export` and `plek ledger key`: files and keys for a controller."""

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
from app.commands.installation import Installation, open_installation, settings_with
from app.errors import OperatorError
from app.ledger import checkpoints, entries

HASHES, CHECKPOINT = ".hashes", ".checkpoint"
"""The endings that name the two files beside an export."""


def export(data_dir: Path | None, *, file: Path, region: str | None) -> None:
    """Write the ledger to a file, up to its newest checkpoint."""
    with (
        open_installation(settings_with(data_dir)) as installation,
        _drafts(file) as drafts,
        _bar() as progress,
    ):
        written = asyncio.run(_export(installation, drafts, region=region, progress=progress))
    typer.echo(
        f"{written:,} leaves in {file}; beside it {file.name}{CHECKPOINT} and {file.name}{HASHES}."
    )


def show_keys(data_dir: Path | None, *, new: bool) -> None:
    """Print the keys that check checkpoints, after making a new one if asked."""

    async def act() -> list[VerifierKey]:
        async with installation.transaction(with_keys=True) as tx:
            if new:
                await checkpoints.add_key(tx)
            return await checkpoints.verifiers(tx)

    with open_installation(settings_with(data_dir)) as installation:
        keys = asyncio.run(act())
    for key in keys:
        typer.echo(key.to_text())


async def _export(
    installation: Installation,
    drafts: tuple[IO[bytes], ...],
    *,
    region: str | None,
    progress: Callable[[int, int], None],
) -> int:
    lines, hashes, note = drafts
    waiting = 1
    while waiting:  # a transaction each, so that others can go on
        async with installation.transaction(with_keys=True) as tx:
            waiting = await checkpoints.sign_tree(tx, signed=installation.signed)
    async with installation.transaction(with_keys=True) as tx:
        if region is not None and region not in (await tx.snapshots.reference(tx)).regions:
            raise OperatorError("There is no region with this code.")
        sealed = await checkpoints.newest(tx)
        assert sealed is not None  # noqa: S101 - it was sealed just now
        async for entry in entries.export_entries(tx, size=sealed.size, region=region):
            lines.write(export_line(entry.index, entry.content, entry.opening))
            hashes.write(hash_line(entry.content))
            progress(entry.index + 1, sealed.size)
        await entries.note_export(tx)
    note.write(sealed.note.encode())
    return sealed.size


@contextmanager
def _drafts(file: Path) -> Generator[tuple[IO[bytes], ...]]:
    """Open three files under names of drafts; name them properly once all is written."""
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
    """Show a bar on stderr if a person watches."""
    with Bar(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("Writing", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
