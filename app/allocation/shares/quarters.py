"""The quarters of a year, by which regions account for nights."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

MONTHS = 3
_NAME = re.compile(r"(20[0-9]{2})-Q([1-4])")


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """One quarter of a year; `number` is 1 to 4."""

    year: int
    number: int

    @property
    def first(self) -> dt.date:
        """Its first day."""
        return dt.date(self.year, self.number * MONTHS - 2, 1)

    @property
    def after(self) -> dt.date:
        """The first day that is not in it any more."""
        return self.next.first

    @property
    def last(self) -> dt.date:
        """Its last day."""
        return self.after - dt.timedelta(days=1)

    @property
    def next(self) -> Quarter:
        """The quarter after it."""
        return Quarter(self.year + self.number // 4, self.number % 4 + 1)

    @property
    def before(self) -> Quarter:
        """The quarter before it."""
        return Quarter(self.year - (self.number == 1), (self.number - 2) % 4 + 1)

    @property
    def months(self) -> tuple[dt.date, ...]:
        """The first day of each of its months."""
        return tuple(self.first.replace(month=self.first.month + more) for more in range(MONTHS))

    def __str__(self) -> str:
        return f"{self.year}-Q{self.number}"


def quarter_of(day: dt.date) -> Quarter:
    """The quarter in which a day lies."""
    return Quarter(day.year, (day.month - 1) // MONTHS + 1)


def month_after(month: dt.date) -> dt.date:
    """The first day of the month after the one that begins on a day."""
    return (month + dt.timedelta(days=31)).replace(day=1)


def quarter_named(name: str) -> Quarter:
    """The quarter that is called so: `2026-Q1`.

    Raises:
        ValueError: where it is not the name of one.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError("a quarter is called for example 2026-Q1")
    return Quarter(int(found[1]), int(found[2]))


def quarters_between(first: Quarter, last: Quarter) -> tuple[Quarter, ...]:
    """All quarters from one to another, both included.

    None where the last comes first.
    """
    found: list[Quarter] = []
    while first <= last:
        found.append(first)
        first = first.next
    return tuple(found)


def last_closed_quarter(today: dt.date, *, days: int) -> Quarter:
    """The newest quarter that has been over for so many days.

    What is noted late is in by then.
    """
    return quarter_of(today - dt.timedelta(days=days)).before
