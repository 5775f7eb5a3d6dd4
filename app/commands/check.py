"""`plek check`: compare all that is recorded twice, and print what differs."""

import asyncio
from pathlib import Path

import typer

from app.commands.installation import open_installation, settings_with
from app.consistency import consistency
from app.consistency.consistency import Found


def check(data_dir: Path | None) -> None:
    """Print what differs by code and id, or that nothing does; exit 1 if something does."""

    async def act() -> tuple[int, set[Found]]:
        days, differ = 0, set[Found]()
        async with installation.transaction(with_keys=True) as tx:
            async for day, found in consistency.check_everything(tx):
                days += day is not None
                differ |= found
        return days, differ

    with open_installation(settings_with(data_dir)) as installation:
        days, differ = asyncio.run(act())
    typer.echo(f"Compared all claims, and the stays and leaves of {days} days.")
    for code, subject in sorted(differ):
        typer.echo(f"{code} {subject}")
    if differ:
        raise typer.Exit(1)
    typer.echo("Nothing differs.")
