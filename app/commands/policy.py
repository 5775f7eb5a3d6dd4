"""`plek policy`: publish a policy, list or compare policies, try a draft."""

import asyncio
import json
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress as Bar

from app.allocation.policy.differences import ADDED, REMOVED, Difference, differences
from app.allocation.policy.trial import FEW
from app.api.kit.bodies import read_json
from app.commands.installation import open_installation, say, settings_with
from app.errors import Invalid, OperatorError
from app.policy import policies, policy_trials
from app.policy.policies import PublishedPolicy
from app.policy.policy_trials import Progress, TrialReport
from app.reference import load

TROUBLE = 2
"""The exit code for a file that is no policy; 1 says that two policies differ."""
MOST_LISTED = 200
NOT_STATED = "not stated"


def publish(data_dir: Path | None, *, file: Path) -> None:
    """Publish the policy in a file, in force from the moment that it names."""
    document = document_in(file)

    async def act() -> PublishedPolicy:
        async with installation.transaction() as tx:
            return await policies.publish_policy(tx, document)

    with faults_of(file):
        policies.policy_row_of(document, files=load())  # before anything is started for it
        with open_installation(settings_with(data_dir)) as installation:
            row = asyncio.run(act()).row
    typer.echo(
        f"Published {row.version}, in force from {row.valid_from:%Y-%m-%d %H:%M:%S} UTC: {row.hash}"
    )


def list_policies(data_dir: Path | None) -> None:
    """Print the policies, the one that begins last first."""

    async def act() -> list[PublishedPolicy]:
        async with installation.transaction() as tx:
            return await policies.list_policies(tx, limit=MOST_LISTED, before=None)

    with open_installation(settings_with(data_dir)) as installation:
        found = asyncio.run(act())
    rows = [
        (
            one.row.version,
            f"{one.row.valid_from:%Y-%m-%d %H:%M:%S}",
            "now" if one.is_current else "",
            one.row.hash,
        )
        for one in found
    ]
    typer.echo("\n".join(_columns([("version", "in force from, UTC", "", "hash"), *rows])))


def diff(data_dir: Path | None, *, a: str, b: str) -> None:
    """Print what policy B changes in A; each is a version, a hash or a file.

    Exit 1 if they differ.
    """
    files = {name: document_in(Path(name)) for name in (a, b) if Path(name).is_file()}
    if published := [name for name in (a, b) if name not in files]:

        async def act() -> dict[str, object]:
            async with installation.transaction() as tx:
                return {
                    name: (await policies.find_policy(tx, name)).row.document for name in published
                }

        with open_installation(settings_with(data_dir)) as installation:
            files |= asyncio.run(act())
    for name in (a, b):
        with faults_of(name):
            policies.parse_document(files[name])
    found = differences(files[a], files[b])
    if found:
        typer.echo("\n".join(_columns([_row(one) for one in found])))
        raise typer.Exit(1)
    typer.echo("No differences.")


def try_out(data_dir: Path | None, *, file: Path, last: int) -> None:
    """Rank recent referrals again under a draft policy; print how many would have changed."""
    document = document_in(file)

    async def act(progress: Progress) -> TrialReport:
        async with installation.transaction(with_keys=True) as tx:
            return await policy_trials.try_draft(tx, document, last=last, progress=progress)

    with faults_of(file):
        policies.parse_document(document)
        with open_installation(settings_with(data_dir)) as installation, _bar() as progress:
            tried = asyncio.run(act(progress))
    typer.echo("\n".join(trial_lines(tried)))


def trial_lines(tried: TrialReport) -> Iterator[str]:
    """Yield lines that say what a draft would have changed."""
    trial = tried.trial
    yield (
        f"{trial.rankings:,} referrals, each as it was ranked last; {tried.passed_over:,} could "
        "not be made again."
    )
    if not trial.rankings:
        return
    steps = ", ".join(f"{count:,} by {step}" for step, count in trial.moved.items())
    rows = [
        ("another first offer", f"{trial.other_first:,}"),
        ("an offer where there was none", f"{trial.first_found:,}"),
        ("no offer any more", f"{trial.first_lost:,}"),
        *(
            (f"places let through by {rule}", f"{places:,}")
            for rule, places in trial.let_through.items()
        ),
        *((f"places left out by {rule}", f"{places:,}") for rule, places in trial.left_out.items()),
        ("offers in both", f"{trial.compared:,}"),
        ("moved, in ranks", steps),
        ("in another band", f"{trial.other_band:,}"),
    ]
    for factor, change in trial.factors.items():
        means = (f"{points / trial.compared:.1f}" for points in (change.before, change.after))
        rows.append((f"points for {factor}, on average", " -> ".join(means)))
    for region, net in trial.regions.items():
        rows.append((f"first offers in {region}", f"{net:+,}"))
    yield from _columns(rows)
    yield f"Regions are named where their first offers change by {FEW} or more."


def _row(found: Difference) -> tuple[str, ...]:
    before, after = json.dumps(found.before), json.dumps(found.after)
    if found.change == ADDED:
        before = NOT_STATED if found.before is None else f"{before} ({NOT_STATED})"
    if found.change == REMOVED:
        after = NOT_STATED if found.after is None else f"{after} ({NOT_STATED})"
    return found.change, found.pointer, f"{before} -> {after}"


def _columns(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def document_in(file: Path) -> object:
    """Return the JSON in a file; raise OperatorError if it cannot be read."""
    try:
        return read_json(file.read_bytes())
    except OSError as error:
        raise OperatorError(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise OperatorError(f"{file} is not plain JSON ({type(error).__name__}).") from error


@contextmanager
def faults_of(named: Path | str) -> Generator[None]:
    """Print every fault of a policy on stderr, and exit."""
    try:
        yield
    except Invalid as refused:
        for fault in refused.faults:
            say(f"{named}: {fault.pointer or '/'} {fault.message}")
        say(refused.detail)
        raise typer.Exit(TROUBLE) from None


@contextmanager
def _bar() -> Generator[Progress]:
    """Show a bar on stderr if a person watches."""
    with Bar(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("Ranking again", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
