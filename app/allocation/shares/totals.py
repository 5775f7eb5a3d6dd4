r"""What a quarter's leaf books of every region: nights and quotas, exact and in clear.

The content of a leaf of the type `quarter_total`; every number is whole, and every region that
there is stands in it::

    {"quarter":"2026-Q1","leaves":1204,"late_from":871,"open_from":"2026-07-03",
     "regions":{"GM0193":{"given_safety":412,...},...}}

A quarter is sealed once. Its leaf books the nights of the quarter itself by what the first `leaves`
leaves tell; and, in the same numbers, what the leaves from `late_from` on (the `leaves` of the
totals before) change in the nights before it. So the sum of the quarters up to any is what was true
at its end, as it was known when that one was sealed, whatever became known in which order; nothing
sealed changes; and no number is one late fact's alone, or the difference of two that are published.
A number may be below zero.

`open_from` is the day by which every opening that the totals rest on is open to its auditors. A
region's own figures, all of them nights:

* `given_safety`: at its providers, by households that had to leave another region for safety;
* `given_capacity`: at its providers, by households of other regions that came for another reason;
* `given_after_ready`: at its providers, after the household was ready to leave; in neither of the
  two above;
* `received_...`: the same three, of households that came from it;
* `quota`: its part of everybody's safety nights, in millionths of a night.

Content without `late_from` is of an earlier edition: the quarter's own nights alone, sealed anew by
a correction when a later fact changed them. It also counted stays and person-nights by region
(EARLIER), and pairs of regions and months; nothing of these is written any more.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.allocation.shares.nights import AT_LEAST_PERSONS, SAFETY, nights_between

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from app.allocation.shares.nights import LedgerStay
    from app.allocation.shares.quarters import Quarter
    from app.allocation.shares.weights import WeightHistory

GIVEN = ("given_safety", "given_capacity", "given_after_ready")
RECEIVED = ("received_safety", "received_capacity", "received_after_ready")
OWN = (*GIVEN, *RECEIVED)
"""What a region can work out from the openings that it may read."""
QUOTA = "quota"
FIGURES = (*OWN, QUOTA)
EARLIER = ("stays_given", "person_nights_given", "stays_received", "person_nights_received")
"""What totals of the earlier edition counted besides."""
LATE_FROM = "late_from"
"""The key by which content that books late facts is known."""


@dataclass(frozen=True, slots=True)
class Account:
    """The stays and the weights that the ledger's first leaves tell of."""

    stays: Sequence[LedgerStay]
    weights: WeightHistory


def nights_by_region(
    account: Account, first: dt.date, after: dt.date, *, regions: Iterable[str] = ()
) -> dict[str, Counter[str]]:
    """The FIGURES of the nights from one day to before another, of each region that has some.

    Every one of `regions` is there as well.
    """
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for region in regions:
        sums[region].update()
    for stay in account.stays:
        nights = nights_between(stay, first, after)
        if nights is None:
            continue
        for region, gave in ((stay.receiving, "given"), (stay.origin, "received")):
            sums[region][f"{gave}_{stay.account}"] += nights.counted
            sums[region][f"{gave}_after_ready"] += nights.after_ready
        if stay.account == SAFETY:
            divided = account.weights.divide_nights(stay.lawful, nights.first, nights.after)
            for region, part in divided.items():
                sums[region][QUOTA] += part
    return dict(sums)


def booked(
    quarter: Quarter,
    now: Account,
    before: Account,
    *,
    since: dt.date,
    regions: Iterable[str] = (),
) -> dict[str, dict[str, int]]:
    """What a quarter's leaf books of each region.

    The nights up to its end by what is told now, less those up to its beginning by what was told
    when the totals before were made. `since` is a day before which the two tell the same.
    """
    sums = nights_by_region(now, since, quarter.after, regions=regions)
    for region, figures in nights_by_region(before, since, quarter.first).items():
        sums.setdefault(region, Counter()).subtract(figures)
    return {region: {name: sums[region][name] for name in FIGURES} for region in sorted(sums)}


def content_of(
    quarter: Quarter,
    regions: Mapping[str, Mapping[str, int]],
    *,
    leaves: int,
    late_from: int,
    open_from: dt.date,
) -> dict[str, Any]:
    """The content of the leaf that has a quarter's totals."""
    return {
        "quarter": str(quarter),
        "leaves": leaves,
        LATE_FROM: late_from,
        "open_from": open_from.isoformat(),
        "regions": {region: dict(figures) for region, figures in regions.items()},
    }


def earlier_figures(account: Account, quarter: Quarter, region: str) -> dict[str, int]:
    """What the earlier edition says of a region: a quarter's own nights, and EARLIER."""
    figures = Counter(nights_by_region(account, quarter.first, quarter.after).get(region, {}))
    for stay in account.stays:
        nights = nights_between(stay, quarter.first, quarter.after)
        if nights is None:
            continue
        persons = AT_LEAST_PERSONS[stay.persons] * (nights.counted + nights.after_ready)
        for whose, gave in ((stay.receiving, "given"), (stay.origin, "received")):
            if whose == region:
                figures[f"stays_{gave}"] += 1
                figures[f"person_nights_{gave}"] += persons
    return {name: figures[name] for name in (*FIGURES, *EARLIER)}
