"""`plek review`: print the accounts that the weekly review names, and what came of asking."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import typer

from app.accounts import reviews
from app.accounts.reviews import FindingRow, ReviewStand
from app.commands.installation import open_installation, settings_with
from app.database import access_log
from app.words.access_review import fact_text

OFF = (
    "Accounts are not reviewed: no policy says since when the works councils have agreed"
    " (review.consented_on)."
)


def review(data_dir: Path | None, *, most: int) -> None:
    """Print the newest findings, also if there is none, and log that this was done."""

    async def act() -> tuple[ReviewStand, list[FindingRow], Mapping[str, str]]:
        async with installation.transaction() as tx:
            await access_log.add(tx, access_log.of_actor(tx.actor, "search", "finding", None))
            cards = await tx.snapshots.providers(tx)
            slugs = {id_: card.slug for id_, card in cards.items()}
            found = await reviews.list_findings(tx, limit=most)
            return await reviews.read_stand(tx), found, slugs

    with open_installation(settings_with(data_dir)) as installation:
        stand, found, slugs = asyncio.run(act())
    typer.echo("\n".join(report_lines(stand, found, slugs)))


def report_lines(
    stand: ReviewStand, found: Sequence[FindingRow], slugs: Mapping[str, str]
) -> Iterator[str]:
    """Yield how far the review is, and each finding with its facts; `slugs` names providers."""
    if stand.consented_on is None:
        yield OFF
    if stand.newest is None:
        yield "No week has been reviewed yet."
    else:
        yield (
            f"The newest week reviewed began on {stand.newest.first_day};"
            f" {stand.newest.accounts} accounts were compared."
        )
    if not found:
        yield "Nobody has to be asked anything."
    for one in found:
        answer = f"answered: {one.answer}" if one.answer else "not answered"
        yield f"{one.week}  {one.account_id}  {slugs.get(str(one.provider_id), '-')}  {answer}"
        yield from (f"    {fact_text(**fact, language='en')}" for fact in one.facts)
