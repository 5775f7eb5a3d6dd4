"""Households that came to another region in a year, counted where they are not few.

A year is counted from the leaves of its arrivals, and its counts are shown once. Years that are
shown have no leaf in common: so no difference between two of them tells of anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from app.allocation.figures.figures import Figures, Measure, RegionCount, figures

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from app.allocation.shares.nights import LedgerStay

QUARTERS = 4
GAVE, RECEIVED = "given", "received"
PERSONS, REASON = "persons", "reason"
CLASSES = ("1", "2", "3-4", "5+")

YearCounts: TypeAlias = "Mapping[str, Figures]"
"""By region: `given`, `given.persons.3-4`, `received.reason.safety` and so on.

None: fewer than ten, or a number that would give fewer away.
"""


def year_counts(
    arrivals: Iterable[LedgerStay], *, regions: Sequence[str], reasons: Sequence[str]
) -> YearCounts:
    """The households of a year's arrivals that each region gave a place to, and that it sent.

    Each region knows its own with every other (by settlements and openings), so what is left of a
    count without these is not below ten either. What all regions gave is what all received: so that
    neither tells of the other, what they come to is not shown.
    """
    breakdowns = {PERSONS: CLASSES, REASON: tuple(reasons)}
    measures = [
        Measure(name, breakdowns, by_origin=True, of_country=False) for name in (GAVE, RECEIVED)
    ]
    found = figures(measures, _counted(arrivals), regions=regions, served=())
    return {region: found[region] for region in regions}


def _counted(arrivals: Iterable[LedgerStay]) -> Iterator[RegionCount]:
    for one in arrivals:
        codes = {PERSONS: one.persons, REASON: one.reason}
        yield RegionCount(GAVE, one.receiving, one.origin, 1, codes)
        yield RegionCount(RECEIVED, one.origin, one.receiving, 1, codes)
