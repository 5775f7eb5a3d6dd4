"""`plek review`: print the access log's findings that should be asked about."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

import typer

from app.accounts import access_log
from app.accounts.access_log import LogReview
from app.commands.installation import open_installation, settings_with
from app.words.access_review import finding_text

HEAD = ("account", "provider", "roles", "from", "finding")


def review(data_dir: Path | None, *, days: int) -> None:
    """Print what is unusual in the last days' access log, also if nothing is."""

    async def act() -> tuple[LogReview, Mapping[str, str]]:
        async with installation.transaction() as tx:
            reviewed = await access_log.review_by_operator(tx, days=days)
            cards = await tx.snapshots.providers(tx)
            return reviewed, {id_: card.slug for id_, card in cards.items()}

    with open_installation(settings_with(data_dir)) as installation:
        reviewed, slugs = asyncio.run(act())
    typer.echo("\n".join(report_lines(reviewed, slugs)))


def report_lines(reviewed: LogReview, slugs: Mapping[str, str]) -> Iterator[str]:
    """Yield a table of the findings; `slugs` names providers by id."""
    yield (
        f"The access log from {reviewed.since:%Y-%m-%d %H:%M} to "
        f"{reviewed.until:%Y-%m-%d %H:%M} UTC."
    )
    if not reviewed.findings:
        yield "Nothing in it has to be asked about."
        return
    rows = [
        (
            finding.account_id,
            slugs.get(finding.provider_id or "", "-"),
            ", ".join(finding.roles),
            str(finding.threshold),
            finding_text(finding.code, count=finding.count, language="en"),
        )
        for finding in reviewed.findings
    ]
    widths = [max(len(row[column]) for row in (HEAD, *rows)) for column in range(len(HEAD))]
    for row in (HEAD, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
