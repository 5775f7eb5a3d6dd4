"""`plek ledger shares`: sealed totals checked against a region's own openings.

It also prints the national table. All of it comes from an export.
"""

import base64
import json
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress as Bar

from app.allocation.ledger.exports import LONGEST_LINE, ExportReader, WrongLeaf
from app.allocation.ledger.leaves import parse_leaf
from app.allocation.ledger.openings import parse_opening
from app.allocation.shares.export_checks import Export, SealedTotal, TotalCheck
from app.allocation.shares.fairness import MILLION, fair_shares
from app.allocation.shares.totals import LATE_FROM
from app.commands.installation import say
from app.config import program
from app.errors import OperatorError

HEAD = (
    "region",
    "quota",
    "given",
    "received",
    "credit",
    "deviation",
    "capacity given",
    "capacity debt",
    "after ready",
)
STEP_BYTES = 1 << 20
"""The bytes between two steps of the bar."""


def check(file: Path, *, region: str | None, quarter: str | None, today: date) -> None:
    """Check an export's totals and print every region's share of a quarter.

    Exit 1 if a total is wrong.

    Openings of the region may still be shut `today`: its figures cannot be checked yet, which is
    printed, and no fault.
    """
    export = _read(file)
    own = region if region is not None else _own_region(export)
    try:
        checked = list(export.check_totals(own))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise OperatorError(
            f"{file} has totals that cannot be read; `{program()} ledger verify` says which."
        ) from None
    for one in checked:
        typer.echo("\n".join(_verdict(one, own, today)))
    newest = export.newest()
    if not newest:
        raise OperatorError(
            f"{file} has no totals of a quarter: none is over yet, or none has been sealed."
        )
    name = quarter if quarter is not None else list(newest)[-1]
    if name not in newest:
        raise OperatorError(f"{file} has no totals of {name}; it has those of {', '.join(newest)}.")
    typer.echo("\n".join(("", *_table(newest[name]))))
    if own is None:
        say(
            "No opening in this file says whose it is: --region names the region whose figures "
            "are to be checked."
        )
    if any(one.faults or (one.apart and not one.is_early(today)) for one in checked):
        raise typer.Exit(1)


def _read(file: Path) -> Export:
    export, reading = Export(), ExportReader()
    try:
        with (
            file.open("rb") as lines,
            Bar(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar,
        ):
            task = bar.add_task("Reading", total=file.stat().st_size)
            while line := lines.readline(LONGEST_LINE):
                reading.read(line)
                said = json.loads(line)  # what was read is the next leaf, and its opening fits it
                opening = None if said["opening"] is None else parse_opening(said["opening"])
                export.take(parse_leaf(base64.b64decode(said["leaf"])), opening)
                bar.advance(task, len(line))
    except OSError as error:
        raise OperatorError(f"{file} cannot be read: {error.strerror}.") from error
    except WrongLeaf as wrong:
        typer.echo(f"WRONG. leaf {wrong.index}: {wrong.why}.")
        raise typer.Exit(1) from None
    return export


def _own_region(export: Export) -> str | None:
    """Return the one region that every opening concerns.

    None if there is no opening, or if it could be either of two regions.
    """
    regions = export.regions()
    return next(iter(regions)) if len(regions) == 1 else None


def _verdict(one: TotalCheck, region: str | None, today: date) -> Iterator[str]:
    total = one.total
    yield f"{total.quarter}, leaf {total.index}: {_made(total)}."
    wrong = one.faults if one.is_early(today) else one.faults + one.apart
    if wrong:
        yield from (f"  WRONG. {fault}." for fault in wrong)
        if one.shut and one.apart:
            yield (
                f"  {one.shut:,} of these leaves are about stays and have no opening in this "
                "file. If it was exported"
                f" before {one.total.content['open_from']}, export it anew: own ones may be "
                "among them."
            )
    elif one.apart:
        yield (
            f"  Not to be told yet. Its sums agree; {one.shut:,} of these leaves are about "
            "stays and have no opening in"
            " this file. They are other regions', or shut: export it anew on "
            f"{one.total.content['open_from']}, when"
            f" those of {region} are all open."
        )
    elif region is None:
        yield (
            "  Its sums agree: what was given was received, and divided to the last millionth "
            "of a night."
        )
    else:
        yield (
            f"  Right. Its sums agree, and the openings of {region} come to the same figures, "
            "digit for digit."
        )


def _made(total: SealedTotal) -> str:
    leaves, corrects = total.content["leaves"], total.content.get("corrects")
    if total.books_late:
        late = total.content[LATE_FROM]
        late = f"leaves from {late:,} on" if late < leaves else "no leaf"
        return f"sealed, from {leaves:,} leaves; books what {late} changed in earlier quarters"
    if corrects is None:
        return f"sealed, from {leaves:,} leaves"
    return f"sealed anew, for {total.content['code']}, instead of leaf {corrects}, from {leaves:,} leaves"


def _table(total: SealedTotal) -> Iterator[str]:
    shares = fair_shares([total.content])
    rows = [
        (
            share.region,
            f"{share.quota / MILLION:.6f}",
            str(share.figures["given_safety"]),
            str(share.figures["received_safety"]),
            f"{share.credit / MILLION:+.6f}",
            "-" if share.deviation is None else f"{share.deviation / 10_000:+.2f}%",
            str(share.figures["given_capacity"]),
            str(share.figures["received_capacity"]),
            str(share.figures["given_after_ready"]),
        )
        for share in shares.regions
    ]
    widths = [max(len(row[column]) for row in (HEAD, *rows)) for column in range(len(HEAD))]
    yield f"{total.quarter}, in nights (leaf {total.index})"
    for row in (HEAD, *rows):
        first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join((first, *others))
    yield f"Total relative deviation: {shares.total_relative_deviation / 10_000:.2f}%"
