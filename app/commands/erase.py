"""`plek erase`: erase a referral, or again every one on a list."""

import asyncio
from pathlib import Path

import typer

from app.commands.installation import Installation, open_installation, say, settings_with
from app.errors import OperatorError
from app.placing import erasure
from app.placing.erasure import ErasureCandidate, RemainingRows
from app.placing.erasure_list import ErasureList


def erase(data_dir: Path | None, *, referral: str | None, file: Path | None) -> None:
    """Erase one referral, or every one that a list names."""
    if (referral is None) == (file is None):
        raise OperatorError(
            "Name a referral, by its id or its speakable code, or a file with --list."
        )
    with open_installation(settings_with(data_dir)) as installation:
        said = (
            _erase_one(installation, referral)
            if referral is not None
            else _erase_listed(installation, ErasureList(file or Path()))
        )
        typer.echo(asyncio.run(said))


async def _erase_one(installation: Installation, name: str) -> str:
    async with installation.transaction() as tx:
        before, first = await erasure.erase_referral(tx, name, listed=installation.erasures)
        kept = await erasure.count_remaining(tx, before.id)
    if not first:
        return (
            f"Referral {before.reference} was erased already, at "
            f"{before.erased_at:%Y-%m-%d %H:%M} UTC."
        )
    say(
        f"It is on the list in {installation.erasures.path}, which is applied again after a "
        "restore: keep a copy "
        "elsewhere. Backups made before still hold what was erased; docs/operations.md says "
        "what to do about them."
    )
    return _report(before, kept)


def _report(before: ErasureCandidate, kept: RemainingRows) -> str:
    return (
        f"Erased referral {before.reference} ({before.id}): its key is destroyed, and nothing "
        "opens any more what was "
        f"known of the household.\n"
        f"Erased with it: what its rankings saw ({kept.rankings:,}), answers kept for repeats, "
        "and its shield.\n"
        "What stays, with nobody in it: its urgency, reason and municipality of origin, holds "
        f"({kept.holds:,}), "
        f"placements ({kept.placements:,}), the ledger and the access log."
    )


async def _erase_listed(installation: Installation, given: ErasureList) -> str:
    if not given.path.is_file():
        raise OperatorError(f"There is no file {given.path}.")
    reading = given.read()
    if reading.faults:
        lines = ", ".join(map(str, reading.faults))
        raise OperatorError(
            f"{given.path} is no list of erasures; these lines do not begin with the id of a "
            f"referral: {lines}."
        )
    async with installation.transaction() as tx:
        await erasure.take_over_list(tx, reading.ids, listed=installation.erasures)
    async with installation.owner() as database:
        again = (await erasure.erase_again(database.transaction, reading.ids)).count
    return (
        f"Of {len(reading.ids):,} on the list {again:,} {'was' if again == 1 else 'were'} "
        "erased now; "
        "the others had been already, or are not here."
    )
