r"""A quarter's totals: what each region gave and received, exact and in clear.

The content of a leaf of the type `quarter_total`; every number is whole, and every region that
there is stands in it::

    {"quarter":"2026-Q1","leaves":1204,"open_from":"2026-07-03","regions":{"GM0193":{"given_safety":412,...},...},
     "pairs":{"GM0518":{"GM0193":37}},"months":{"2026-01":{"capacity":12,"safety":340},...}}

`leaves` is how many leaves, from the first one on, they were made from; `open_from` the day by
which every opening that they rest on is open to its auditors. A region's own figures (all of them
nights, unless they say otherwise):

==========================
==========================================================================================
`given_safety`              at its providers, by households that had to leave another region for
safety `given_capacity`            at its providers, by households of other regions that came for
another reason `given_after_ready`         at its providers, after the household was ready to leave;
in neither of the two above `received_...`              the same three, of households that came from
it `quota`                     its part of everybody's safety nights, in millionths of a night
`stays_given`               stays at its providers that were there in the quarter `stays_received`
stays of households that came from it `person_nights_given`       at the least: a household's size
is known as a class `person_nights_received`    the same ==========================
==========================================================================================

`pairs` are place-nights from an origin to a receiving region, `months` place-nights by the month in
which they begin and the reason; small ones are left out of both as disclosure.py says.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from app.allocation.shares.disclosure import shown_cells
from app.allocation.shares.nights import AT_LEAST_PERSONS, SAFETY, account_of, nights_between
from app.allocation.shares.shares import STAY

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from app.allocation.shares.nights import LedgerStay, Nights
    from app.allocation.shares.quarters import Quarter
    from app.allocation.shares.weights import WeightHistory

GIVEN = (
    "given_safety",
    "given_capacity",
    "given_after_ready",
    "stays_given",
    "person_nights_given",
)
RECEIVED = (
    "received_safety",
    "received_capacity",
    "received_after_ready",
    "stays_received",
    "person_nights_received",
)
OWN = (*GIVEN, *RECEIVED)
"""What a region can work out from the openings that it may read."""
QUOTA = "quota"
FIGURES = (*OWN, QUOTA)
NIGHT = STAY
"""One night in the unit of quotas."""


@dataclass(frozen=True, slots=True, order=True)
class Flow:
    """Where nights went, why and when: what the two regions concerned may settle."""

    origin: str
    receiving: str
    reason: str
    month: dt.date


@dataclass(slots=True)
class Amount:
    """How much went there.

    Nights that count, nights after the household was ready to leave, stays that had any.
    """

    nights: int = 0
    after_ready: int = 0
    stays: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """One quarter's figures by region, and the same nights by where they went."""

    regions: Mapping[str, Mapping[str, int]]
    flows: Mapping[Flow, Amount]


@dataclass(slots=True)
class _Sums:
    regions: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    flows: defaultdict[Flow, Amount] = field(default_factory=lambda: defaultdict(Amount))


def totals_of(
    quarter: Quarter, stays: Iterable[LedgerStay], *, weights: WeightHistory, regions: Iterable[str]
) -> Totals:
    """Add up a quarter; every one of `regions` is in it, and any other that a stay names."""
    sums = _Sums()
    for region in regions:
        sums.regions[region].update()
    for stay in stays:
        nights = nights_between(stay, quarter.first, quarter.after)
        if nights is not None:
            _add_stay(sums, stay, nights)
            _add_flows(sums, stay, quarter)
            if stay.account == SAFETY:
                for region, part in weights.divide_nights(
                    stay.lawful, nights.first, nights.after
                ).items():
                    sums.regions[region][QUOTA] += part
    figures = {
        region: {name: sums.regions[region][name] for name in FIGURES}
        for region in sorted(sums.regions)
    }
    return Totals(figures, dict(sums.flows))


def _add_stay(sums: _Sums, stay: LedgerStay, nights: Nights) -> None:
    persons = AT_LEAST_PERSONS[stay.persons] * (nights.counted + nights.after_ready)
    for region, gave in ((stay.receiving, "given"), (stay.origin, "received")):
        figures = sums.regions[region]
        figures[f"{gave}_{stay.account}"] += nights.counted
        figures[f"{gave}_after_ready"] += nights.after_ready
        figures[f"stays_{gave}"] += 1
        figures[f"person_nights_{gave}"] += persons


def _add_flows(sums: _Sums, stay: LedgerStay, quarter: Quarter) -> None:
    months = (*quarter.months, quarter.after)
    for first, after in pairwise(months):
        nights = nights_between(stay, first, after)
        if nights is not None:
            amount = sums.flows[Flow(stay.origin, stay.receiving, stay.reason, first)]
            amount.nights += nights.counted
            amount.after_ready += nights.after_ready
            amount.stays += 1


def content_of(
    quarter: Quarter, totals: Totals, *, leaves: int, open_from: dt.date
) -> dict[str, Any]:
    """The content of the leaf that has a quarter's totals."""
    return {
        "quarter": str(quarter),
        "leaves": leaves,
        "open_from": open_from.isoformat(),
        "regions": {region: dict(figures) for region, figures in totals.regions.items()},
        "pairs": _pairs(totals.flows),
        "months": _months(totals.flows),
    }


def have_same_figures(content: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two contents have the same figures, from however many leaves they were made."""
    return all(content[name] == other[name] for name in ("quarter", "regions", "pairs", "months"))


def _pairs(flows: Mapping[Flow, Amount]) -> dict[str, dict[str, int]]:
    cells: Counter[tuple[str, str]] = Counter()
    for flow, amount in flows.items():
        cells[flow.origin, flow.receiving] += amount.nights + amount.after_ready
    shown: dict[str, dict[str, int]] = {}
    for (origin, receiving), nights in sorted(shown_cells(cells).items()):
        shown.setdefault(origin, {})[receiving] = nights
    return shown


def _months(flows: Mapping[Flow, Amount]) -> dict[str, dict[str, int]]:
    cells: Counter[tuple[str, str]] = Counter()
    for flow, amount in flows.items():
        cells[f"{flow.month:%Y-%m}", flow.reason] += amount.nights + amount.after_ready
    shown: dict[str, dict[str, int]] = {}
    # What both accounts come to is known; several reasons share one.
    for (month, reason), nights in sorted(
        shown_cells(cells, known=lambda cell: account_of(cell[1])).items()
    ):
        shown.setdefault(month, {})[reason] = nights
    return shown
