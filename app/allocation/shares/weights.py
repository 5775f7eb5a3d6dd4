"""The regions' weights through time, as the ledger's leaves record them."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from app.allocation.shares.shares import divide

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

NOTHING: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class RegionWeights:
    """The weights of some regions from a day on; the other regions keep theirs."""

    valid_from: dt.date
    weights: Mapping[str, int]


class WeightHistory:
    """Weights by day; of two that begin on one day, the later one corrects the first."""

    def __init__(self, versions: Iterable[RegionWeights]) -> None:
        merged: dict[dt.date, dict[str, int]] = {}
        for version in versions:
            merged.setdefault(version.valid_from, {}).update(version.weights)
        self._begins = sorted(merged)
        self._tables: list[Mapping[str, int]] = []
        for day in self._begins:
            before = self._tables[-1] if self._tables else NOTHING
            self._tables.append({**before, **merged[day]})
        self._parts: dict[tuple[int, tuple[str, ...]], Mapping[str, int]] = {}

    def on(self, day: dt.date) -> Mapping[str, int]:
        """The weights in force on a day.

        Before the first version all regions bear the same.
        """
        version = bisect_right(self._begins, day)
        return self._tables[version - 1] if version else NOTHING

    def parts(self, lawful_regions: tuple[str, ...], day: dt.date) -> Mapping[str, int]:
        """Each region's part of the night of a day, in millionths."""
        key = (bisect_right(self._begins, day), lawful_regions)
        if key not in self._parts:
            self._parts[key] = divide(lawful_regions, self.on(day))
        return self._parts[key]

    def divide_nights(
        self, lawful_regions: tuple[str, ...], first: dt.date, after: dt.date
    ) -> Counter[str]:
        """Each region's part of some nights, in millionths, by the weights of each night."""
        parts: Counter[str] = Counter()
        for day, nights in self._spans(first, after):
            for region, part in self.parts(lawful_regions, day).items():
                parts[region] += part * nights
        return parts

    def _spans(self, first: dt.date, after: dt.date) -> Iterator[tuple[dt.date, int]]:
        """Cut days where other weights begin.

        Yield each piece's first day and length.
        """
        cuts = [first, *(day for day in self._begins if first < day < after), after]
        for begin, end in pairwise(cuts):
            if begin < end:
                yield begin, (end - begin).days


def region_weights_of(content: Mapping[str, Any]) -> RegionWeights:
    """What a leaf about weights says."""
    return RegionWeights(dt.date.fromisoformat(content["valid_from"]), content["weights"])
