"""`plek simulate`: simulate a year of the demo country under several ways of choosing.

It answers whether the choice makes the burden fair.
"""

import csv
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress as Bar
from rich.table import Table

from app.allocation.policy.policy import Policy
from app.commands.installation import say
from app.commands.policy import document_in, faults_of
from app.errors import OperatorError
from app.policy import policies
from app.reference import load, policy_document
from app.simulation.figures import frontier, pictures, rows
from app.simulation.outcome import YearOutcome
from app.simulation.ways import PHONE_ROUND, PLEK, Progress, compared_ways, scene, solidarity_sweep

WIDEST = 200
"""The width of the table in columns if its output is no terminal."""


def simulate(
    *, seed: int, days: int, policy_file: Path | None, swept: bool, out: Path | None
) -> None:
    """Run the ways of choosing, print their outcomes, and draw them.

    Exit 1 if the check finds a household unsafe.
    """
    policy = _policy(policy_file)
    years = scene(load(), policy, seed=seed, days=days)
    typer.echo(
        f"Seed {seed}: {len(years.arrivals):,} households in {days:,} days, "
        f"{years.world.register.places:,} places,"
        f" {len(years.world.weights)} regions. Policy {policy.version}."
    )
    with _bar("Living through it") as progress:
        outcomes = list(years.outcomes(compared_ways(policy), progress=progress))
    _print(("", *(one.name for one in outcomes)), list(rows(outcomes)))
    typer.echo(_verdict(outcomes))
    drawn = dict(pictures(outcomes))
    tables = {"figures": outcomes}
    if swept:
        with _bar("Sweeping") as progress:
            tables["sweep"] = list(years.outcomes(solidarity_sweep(policy), progress=progress))
        _print(
            ("Points a stay", *(one.name for one in tables["sweep"])),
            list(rows(tables["sweep"])),
        )
        drawn["frontier"] = frontier(tables["sweep"], own=policy.points.solidarity.stay)
    if out is not None:
        _write(out, {f"{name}.svg": svg for name, svg in drawn.items()})
        _write(out, {f"{name}.csv": _as_csv(table) for name, table in tables.items()})
        say(f"Pictures and tables are in {out}.")
    if any(one.violations for table in tables.values() for one in table):
        raise typer.Exit(1)


def _policy(file: Path | None) -> Policy:
    document = policy_document(load().country.jurisdiction) if file is None else document_in(file)
    with faults_of(file or "the country's policy"):
        policies.policy_row_of(document, files=load())
        return policies.parse_document(document)


def _verdict(outcomes: Sequence[YearOutcome]) -> str:
    by_name = {one.name: one for one in outcomes}
    plek, phone = by_name[PLEK], by_name[PHONE_ROUND]
    part = float(plek.deviation / phone.deviation) if phone.deviation else 0.0
    return (
        f"Plek deviates by {100 * float(plek.deviation):.2f}%, a phone round by "
        f"{100 * float(phone.deviation):.2f}%:"
        f" {100 * part:.1f}% of it."
    )


def _print(titles: tuple[str, ...], lines: Sequence[tuple[str, ...]]) -> None:
    table = Table(*titles)
    for column in table.columns[1:]:
        column.justify = "right"
    for line in lines:
        table.add_row(*line)
    console = Console(width=None if sys.stdout.isatty() else WIDEST)
    console.print(table)


def _as_csv(outcomes: Sequence[YearOutcome]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("figure", *(one.name for one in outcomes)))
    writer.writerows(rows(outcomes))
    return text.getvalue()


def _write(folder: Path, files: dict[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_text(content, encoding="utf-8")
    except OSError as error:
        raise OperatorError(f"{folder} cannot be written: {error.strerror}.") from error


@contextmanager
def _bar(what: str) -> Generator[Progress]:
    """Show a bar on stderr if a person watches."""
    with Bar(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
