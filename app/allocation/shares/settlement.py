"""What two regions settle: nights of stays whose opening is due, booked once in a quarter."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.allocation.shares.nights import StayBook, nights_between
from app.allocation.shares.quarters import month_after

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence

    from app.allocation.ledger.openings import OpeningContent
    from app.allocation.shares.nights import LedgerStay
    from app.allocation.shares.quarters import Quarter


@dataclass(frozen=True, slots=True)
class QuarterSeal:
    """When a quarter was sealed, and how many leaves there were."""

    quarter: Quarter
    leaves: int
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class DatedOpening:
    """A leaf's opening, from when on it is due, and the leaf by which the stay ended, if any."""

    leaf: int
    opens_at: dt.datetime
    departure: int | None
    content: OpeningContent

    def is_due(self, seal: QuarterSeal) -> bool:
        """Whether the auditors of its two regions could read it when a quarter was sealed."""
        ended = self.departure is not None and self.departure < seal.leaves
        return self.leaf < seal.leaves and (ended or self.opens_at <= seal.at)


@dataclass(frozen=True, slots=True, order=True)
class Flow:
    """Where nights went, in which month and why."""

    origin: str
    receiving: str
    month: dt.date
    reason: str


@dataclass(slots=True)
class Amount:
    """Nights that count, nights after the household was ready to leave, stays that had any."""

    nights: int = 0
    after_ready: int = 0
    stays: int = 0

    def add(self, other: Amount, *, times: int = 1) -> None:
        """Add another amount, or take it off with `times` -1."""
        self.nights += times * other.nights
        self.after_ready += times * other.after_ready
        self.stays += times * other.stays

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.nights or self.after_ready or self.stays)


@dataclass(frozen=True, slots=True)
class SettledLine:
    """What one quarter books of a flow; below zero it takes back what was booked before."""

    quarter: Quarter
    flow: Flow
    amount: Amount


def settled_lines(
    openings: Sequence[DatedOpening], seals: Sequence[QuarterSeal]
) -> Iterator[SettledLine]:
    """What regions settle with each other in each of `seals` but the first.

    `openings`, in order, are all those of each stay that had one told or due between these seals,
    or that was not over. As in the quarter's totals, a quarter books what is known and due
    at its seal, less what was so at the seal before; so the lines of a quarter never change, and
    their sum is what is true of the stays that are due.
    """
    booked = defaultdict[Flow, Amount](Amount)
    for number, seal in enumerate(seals):
        book = StayBook()
        for one in openings:
            if one.is_due(seal):
                book.take(one.leaf, one.content)
        known = _amounts(book.stays(), seal.quarter.after)
        for flow in sorted(known.keys() | booked.keys()) if number else ():
            amount = Amount()
            amount.add(known[flow])
            amount.add(booked[flow], times=-1)
            if amount:
                yield SettledLine(seal.quarter, flow, amount)
        booked = known


def _amounts(stays: Iterable[LedgerStay], after: dt.date) -> defaultdict[Flow, Amount]:
    """What all nights before a day come to, by flow."""
    found = defaultdict[Flow, Amount](Amount)
    for stay in stays:
        month = stay.arrived_on.replace(day=1)
        while month < after:
            nights = nights_between(stay, month, min(month_after(month), after))
            if nights is None:
                break
            flow = Flow(stay.origin, stay.receiving, month, stay.reason)
            found[flow].add(Amount(nights.counted, nights.after_ready, 1))
            month = month_after(month)
    return found
