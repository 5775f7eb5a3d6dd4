"""Nights: stays as the ledger's openings have them, and their nights in a span of days.

A night is a local midnight; it bears the date of the day on which it begins. So a stay from the 3rd
to the 5th has the nights of the 3rd and the 4th, one that ends on the day on which it began has
none, and no change of the clocks gives or takes one. A running stay has every night that there has
been.

Nights from the day on which a household was ready to leave are shown apart: they earn no credit and
make no quota.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from app.allocation.ledger.openings import NOT_ARRIVED, NOT_DEPARTED

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Hashable, Iterator

    from app.allocation.ledger.openings import OpeningContent

SAFETY, CAPACITY = "safety", "capacity"
"""The two accounts. They are never netted: neither with each other, nor what a region gave with
what it received."""

AT_LEAST_PERSONS = {"1": 1, "2": 2, "3-4": 3, "5+": 5}
"""How many persons a class has at the least: all that can honestly be counted of persons."""

Key: TypeAlias = "Hashable"
Kept = TypeVar("Kept", str, tuple[str, ...])


def account_of(reason: str) -> str:
    """The account of a reason: that of safety, or that of every other reason.

    What follows on a stay for safety bears the reason `safety` itself.
    """
    return SAFETY if reason == SAFETY else CAPACITY


@dataclass(frozen=True, slots=True)
class LedgerStay:
    """A cross-regional stay as the ledger now records it.

    `arrival` is its leaf's index.
    """

    arrival: int
    origin: str
    receiving: str
    reason: str
    persons: str
    lawful_regions: tuple[str, ...]
    arrived_on: dt.date
    departed_on: dt.date | None
    ready_since: dt.date | None

    @property
    def account(self) -> str:
        """Which account its nights belong to."""
        return account_of(self.reason)

    @property
    def lawful(self) -> tuple[str, ...]:
        """The regions over which its nights are divided.

        Where none was lawful, nobody else could have given them: the region that did bears them,
        and sums stay equal.
        """
        return self.lawful_regions or (self.receiving,)


@dataclass(frozen=True, slots=True)
class Nights:
    """The nights of one stay in some days.

    Those that count, and those after readiness.
    """

    first: dt.date
    after: dt.date
    after_ready: int

    @property
    def counted(self) -> int:
        """How many count in an account."""
        return (self.after - self.first).days


def nights_between(stay: LedgerStay, first: dt.date, after: dt.date) -> Nights | None:
    """A stay's nights from one day to before another; None where it was not there."""
    begin = max(first, stay.arrived_on)
    end = after if stay.departed_on is None else min(after, stay.departed_on)
    if end < begin or begin >= after or (end == begin and stay.arrived_on < first):
        return None
    ready = end if stay.ready_since is None else min(end, max(begin, stay.ready_since))
    return Nights(begin, ready, (end - ready).days)


class StayBook:
    """Openings, taken in the ledger's order, and the stays that they tell of.

    The newest correction of a leaf takes the leaf's place. A reader of only some openings gets
    the stays of these.
    """

    def __init__(self) -> None:
        self._arrivals: dict[int, OpeningContent | None] = {}
        self._departures: dict[int, OpeningContent] = {}
        """By the arrival that they end."""
        self._open: defaultdict[Key, deque[int]] = defaultdict(deque)
        """Running arrivals, by what a departure of version 1 shares with its arrival."""
        self._same: dict[Key, Key] = {}

    def take(self, index: int, opening: OpeningContent) -> None:
        """Take the opening of the next leaf about a stay."""
        opening = self._slim(opening)
        if opening.correction is not None:
            self._correct(opening, opening.correction.corrects)
        elif opening.type == "arrival":
            self._arrivals[index] = opening
            self._open[_alike(opening)].append(index)
        else:
            arrival = self._arrival_of(opening)
            if arrival is not None:
                self._departures[arrival] = opening

    def stays(self) -> Iterator[LedgerStay]:
        """Every stay, in the order of the arrivals' leaves."""
        for index, arrival in sorted(self._arrivals.items()):
            if arrival is not None:
                departure = self._departures.get(index)
                yield LedgerStay(
                    arrival=index,
                    origin=arrival.origin,
                    receiving=arrival.receiving,
                    reason=arrival.reason,
                    persons=arrival.persons,
                    lawful_regions=arrival.lawful_regions,
                    arrived_on=arrival.date,
                    departed_on=None if departure is None else departure.date,
                    ready_since=(departure or arrival).ready_since,
                )

    def _correct(self, said: OpeningContent, corrects: int) -> None:
        arrival = corrects if said.arrival is None else said.arrival
        void = said.correction is not None and said.correction.code == NOT_ARRIVED
        if void or corrects == arrival:
            self._arrivals[arrival] = None if void else said
        elif said.correction is not None and said.correction.code == NOT_DEPARTED:
            self._departures.pop(arrival, None)
        else:
            self._departures[arrival] = said

    def _arrival_of(self, departure: OpeningContent) -> int | None:
        """Return the arrival that a departure ends.

        Version 1 did not say. Of arrivals that are alike the oldest is as good as any: whichever of
        them left, their nights come to the same in every stretch of days.
        """
        if departure.arrival is not None:
            return departure.arrival
        waiting = self._open[_alike(departure)]
        while waiting and waiting[0] in self._departures:
            waiting.popleft()
        return waiting.popleft() if waiting else None

    def _slim(self, opening: OpeningContent) -> OpeningContent:
        """Let an opening share its codes with the others, which saves memory."""
        return replace(
            opening,
            origin=self._keep_one(opening.origin),
            receiving=self._keep_one(opening.receiving),
            kind=self._keep_one(opening.kind),
            reason=self._keep_one(opening.reason),
            persons=self._keep_one(opening.persons),
            lawful_regions=self._keep_one(opening.lawful_regions),
            policy_hash=self._keep_one(opening.policy_hash),
            swap_id=None,
        )

    def _keep_one(self, value: Kept) -> Kept:
        return cast("Kept", self._same.setdefault(value, value))


def _alike(opening: OpeningContent) -> Key:
    return (
        opening.origin,
        opening.receiving,
        opening.kind,
        opening.reason,
        opening.persons,
        opening.lawful_regions,
        opening.policy_hash,
    )
