"""Whole quarters in a query: `from` and `to`, as quarters by name or as days."""

import datetime as dt
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Query

from app.allocation.shares.quarters import Quarter, quarter_named, quarter_of, quarters_between
from app.api.kit.wire import YEARS
from app.errors import Fault, Invalid

MOST = 40
"""Ten years."""
NO_QUARTER = "must begin a quarter: 2026-Q1 or its first day"
NO_END = "must end a quarter: 2026-Q1, its last day, or the first day after it"


def read_quarters(
    from_: Annotated[
        str,
        Query(
            alias="from",
            max_length=10,
            description="The first quarter, or its first day.",
            examples=["2026-Q1"],
        ),
    ],
    to: Annotated[
        str,
        Query(
            max_length=10,
            description="The last quarter, its last day, or the first day after it.",
            examples=["2026-Q1", "2026-03-31"],
        ),
    ],
) -> tuple[Quarter, ...]:
    """Return the whole quarters that are asked for; anything else is a fault."""
    first, last = _begins(from_), _ends(to)
    if faults := tuple(_faults(first, last)):
        raise Invalid(*faults, detail="Only whole quarters are accounted for.")
    assert first is not None and last is not None  # noqa: PT018, S101 - their faults were told
    return quarters_between(first, last)


QuartersIn = Annotated[tuple[Quarter, ...], Depends(read_quarters)]


def _faults(first: Quarter | None, last: Quarter | None) -> Iterator[Fault]:
    if first is None:
        yield Fault("/from", NO_QUARTER)
    if last is None:
        yield Fault("/to", NO_END)
    if first is not None and last is not None and not first <= last:
        yield Fault("/to", "must not come before the quarter of `from`")
    elif first is not None and last is not None and len(quarters_between(first, last)) > MOST:
        yield Fault("/to", f"must lie within {MOST} quarters")


def _begins(text: str) -> Quarter | None:
    day = _day(text)
    if day is None:
        return _quarter(text)
    return quarter_of(day) if day == quarter_of(day).first else None


def _ends(text: str) -> Quarter | None:
    day = _day(text)
    if day is None:
        return _quarter(text)
    before = quarter_of(day - dt.timedelta(days=1))
    # The first day of a quarter can only mean that the one before is the last.
    return (
        before if day == before.after else quarter_of(day) if day == quarter_of(day).last else None
    )


def _quarter(text: str) -> Quarter | None:
    try:
        return quarter_named(text)
    except ValueError:
        return None


def _day(text: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(text) if len(text) == len("2026-01-31") else None
    except ValueError:
        return None
    return day if day is not None and day.year in YEARS else None
