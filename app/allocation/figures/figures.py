"""A quarter's figures by region, in tables that hide what not everybody may see."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from app.allocation.figures.suppression import FEW, Sum, hidden_cells

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

COUNTRY = ""
"""Stands where a region's code does, for all of them together."""

REST = "*"
"""Stands for all regions without a figure that can be shown."""

OTHER = "other"
"""What a code counts as that a breakdown does not have."""

Cell: TypeAlias = tuple[str, str, str, str]
"""Measure, breakdown, code and region; a measure's total has neither breakdown nor code."""


@dataclass(frozen=True, slots=True)
class Measure:
    """Something that is counted.

    `breakdowns` has the codes of each way in which it is divided.

    `adds_up`: whether each breakdown divides all of it, so that its parts come to the total. Else
    one thing may count under several codes, or under none, and there is no total.

    `of_country`: whether what all regions come to may be seen. Else nobody can work it out either.
    """

    name: str
    breakdowns: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    adds_up: bool = True
    by_origin: bool = False
    of_country: bool = True


@dataclass(frozen=True, slots=True)
class RegionCount:
    """How many of one kind there were in a region, of those that one provider knows.

    `codes` are by breakdown.

    Where they do not say under which code of the measure's first breakdown they fall, they are in
    the total already.
    """

    measure: str
    region: str
    provider: str
    count: int
    codes: Mapping[str, str] = field(default_factory=dict[str, str])


Figures: TypeAlias = dict[str, "int | None"]
"""What may be seen of a region, by `measure` or `measure.breakdown.code`; None stands for what may
not."""


def figures(
    measures: Sequence[Measure],
    counted: Iterable[RegionCount],
    *,
    regions: Sequence[str],
    served: Collection[str],
) -> dict[str, Figures]:
    """What everybody may see of each region, and of the country.

    No count under ten, nor what would give one away.

    `served` are the regions that have places.

    A reader knows every sum there is: of the parts of a measure, and of the regions to the country.
    Some providers know more, their own part of each count. Where the rest, that of the others, is
    under ten, the count is hidden as well.
    """
    by_measure: defaultdict[str, list[RegionCount]] = defaultdict(list)
    for one in counted:
        by_measure[one.measure].append(one)
    shown: dict[str, Figures] = {region: {} for region in (COUNTRY, *regions)}
    for measure in measures:
        counts = by_measure[measure.name]
        with_any = {*served, *(one.region for one in counts)}
        reached = [region for region in regions if measure.by_origin or region in with_any]
        for cell, count in _shown_cells(measure, counts, reached).items():
            shown[cell[-1]][name_of(cell)] = count
    for region in regions:
        shown[region] = {name: shown[region].get(name) for name in shown[COUNTRY]}
    return shown


def name_of(cell: Cell) -> str:
    """What a cell is called among a region's figures."""
    measure, breakdown, code, _ = cell
    return f"{measure}.{breakdown}.{code}" if breakdown else measure


def _shown_cells(
    measure: Measure, counted: Iterable[RegionCount], regions: Sequence[str]
) -> Mapping[Cell, int | None]:
    kinds = [(breakdown, code) for breakdown, codes in measure.breakdowns.items() for code in codes]
    if measure.adds_up:
        kinds.insert(0, ("", ""))
    of_providers: dict[Cell, Counter[str]] = {
        (measure.name, *kind, region): Counter() for kind in kinds for region in (COUNTRY, *regions)
    }
    for one in counted:
        for kind in _kinds_of(one, measure):
            for region in (COUNTRY, one.region):
                of_providers[measure.name, *kind, region][one.provider] += one.count
    counts = {cell: parts.total() for cell, parts in of_providers.items()}
    few = {
        cell
        for cell, parts in of_providers.items()
        if (parts and _rest(parts) < FEW and len(_providers_counted(parts)) > 1)
        or (cell[-1] == COUNTRY and not measure.of_country)
    }
    hidden = _cells_to_hide(measure, counts, few, regions)
    return {cell: None if cell in hidden else count for cell, count in counts.items()}


def _cells_to_hide(
    measure: Measure, counts: Mapping[Cell, int], few: Collection[Cell], regions: Sequence[str]
) -> set[object]:
    """The cells to hide.

    Regions with nothing to show, which most of them are, are audited as one.

    Nobody can tell from what is shown how to divide what is left over among them: all of it may be
    in any one. So the values that a cell of such a region can have begin with zero and end where
    those of their sum end.
    """
    total = (measure.name, "", "")
    silent = {
        region
        for region in regions
        if measure.adds_up and _is_hidden((*total, region), counts, few)
    }
    joined: Counter[Cell] = Counter()
    for (name, breakdown, code, region), count in counts.items():
        joined[name, breakdown, code, REST if region in silent else region] += count
    loud = [region for region in regions if region not in silent]
    also = {cell for cell in joined if cell[-1] == REST} | {
        cell for cell in few if cell[-1] not in silent
    }
    kinds = list(dict.fromkeys(cell[1:3] for cell in counts))
    found = hidden_cells(joined, _sums(measure, kinds, [*loud, REST] if silent else loud), few=also)
    return {*found, *(cell for cell in counts if cell[-1] in silent)}


def _is_hidden(cell: Cell, counts: Mapping[Cell, int], few: Collection[Cell]) -> bool:
    return counts[cell] < FEW or cell in few


def _kinds_of(one: RegionCount, measure: Measure) -> list[tuple[str, str]]:
    kinds = [
        (breakdown, code if code in measure.breakdowns[breakdown] else OTHER)
        for breakdown, code in one.codes.items()
    ]
    first = next(iter(measure.breakdowns), None)
    return (
        [("", ""), *kinds] if measure.adds_up and (first is None or first in one.codes) else kinds
    )


def _rest(parts: Counter[str]) -> int:
    """What the one who knows most of a count does not know of it."""
    return parts.total() - max(parts.values())


def _providers_counted(parts: Counter[str]) -> list[str]:
    return [provider for provider, count in parts.items() if count]


def _sums(measure: Measure, kinds: Iterable[tuple[str, str]], regions: Sequence[str]) -> list[Sum]:
    down = [
        Sum(
            (measure.name, *kind, COUNTRY),
            tuple((measure.name, *kind, region) for region in regions),
        )
        for kind in kinds
    ]
    if not measure.adds_up:
        return down
    across = [
        Sum(
            (measure.name, "", "", region),
            tuple((measure.name, breakdown, code, region) for code in codes),
        )
        for region in (COUNTRY, *regions)
        for breakdown, codes in measure.breakdowns.items()
    ]
    return [*across, *down]
