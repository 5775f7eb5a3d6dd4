"""`plek migrate`, `plek worker` and `plek replay`."""

import asyncio
from pathlib import Path
from uuid import UUID

import typer

from app.commands.installation import BOTH, Installation, open_installation, settings_with
from app.consistency import consistency
from app.consistency.consistency import Found
from app.errors import Erased, OperatorError
from app.prepare import Preparation


def migrate(data_dir: Path | None) -> None:
    """Migrate the tables to this release's, and load the country into an empty database."""
    with open_installation(settings_with(data_dir)) as installation:
        done = asyncio.run(installation.prepare())
    typer.echo(report(done))


def report(done: Preparation) -> str:
    """Return a sentence about what was done."""
    tables = "Migrated to this release's tables." if done.migrated else "The tables are up to date."
    return f"{tables} Loaded the reference data." if done.loaded else tables


def worker(data_dir: Path | None) -> None:
    """Do the work beside the requests, and nothing else, until report to stop."""
    with open_installation(settings_with(data_dir), wanted=BOTH, kept=True) as installation:
        asyncio.run(_work(installation))


async def _work(installation: Installation) -> None:
    from app import logs, main, worker  # noqa: PLC0415 - the whole service: other commands start without it

    async with installation.transaction() as tx:
        key = await installation.key(tx)
    logs.configure(installation.settings.log_level)
    parts = main.join(
        installation.settings,
        database_url=installation.database_url,
        redis_url=installation.redis_url,
        key=key,
    )
    try:
        asyncio.get_running_loop().call_soon(typer.echo, "Working.")
        await worker.work(parts)
    finally:
        await parts.link.close()
        await parts.database.close()


def replay(data_dir: Path | None, *, ranking_id: str) -> None:
    """Replay a recorded ranking.

    Exit 1 unless the same ranking comes out, or if its referral was erased.
    """
    try:
        with open_installation(settings_with(data_dir)) as installation:
            identical = asyncio.run(_replay(installation, ranking_id))
    except Erased:
        typer.echo(
            "The referral of this ranking was erased: nothing can make the ranking again.", err=True
        )
        raise typer.Exit(1) from None
    typer.echo(
        "identical" if identical else "NOT identical: what comes out now is not what was recorded"
    )
    if not identical:
        raise typer.Exit(1)


async def _replay(installation: Installation, ranking_id: str) -> bool:
    from app.database import access_log  # noqa: PLC0415 - as above
    from app.ranking import rankings  # noqa: PLC0415 - other commands start without the rules

    async with installation.transaction(with_keys=True) as tx:
        found = await rankings.read_sealed(tx, _id(ranking_id))
        if found is None:
            raise OperatorError(f"There is no ranking {ranking_id}.")
        row, key = found
        again = await rankings.recompute_ranking(tx, row, key)
        entry = access_log.of_actor(
            tx.actor, "replay", "ranking", row.id, referral_ids=(row.referral_id,)
        )
        await access_log.add(tx, entry)
        return rankings.is_identical(row, again)


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


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise OperatorError(f"{text} is not the id of a ranking.") from None
