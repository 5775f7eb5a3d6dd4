"""The check of a ledger's export: a region's own figures against the sealed totals.

Made for controllers, without the service: it knows nothing but the leaves, and the openings that
a reader may read.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from app.allocation.shares.fairness import contradictions
from app.allocation.shares.nights import StayBook
from app.allocation.shares.quarters import quarter_named
from app.allocation.shares.totals import OWN, QUOTA, totals_of
from app.allocation.shares.weights import WeightHistory, region_weights_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from app.allocation.ledger.leaves import ParsedLeaf
    from app.allocation.ledger.openings import OpeningContent
    from app.allocation.shares.nights import LedgerStay
    from app.allocation.shares.weights import RegionWeights


@dataclass(frozen=True, slots=True)
class SealedTotal:
    """A leaf that has a quarter's totals, or corrects one that had."""

    index: int
    quarter: str
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TotalCheck:
    """A total, and everything in it that is not as it should be, each as a sentence."""

    total: SealedTotal
    faults: tuple[str, ...]
    """Faults that every reader finds."""
    apart: tuple[str, ...]
    """Where a region's own openings come to something else."""
    shut: int
    """Leaves about stays that it was made from, and whose opening is not in the export: others', or
    not open yet."""

    def is_early(self, today: date) -> bool:
        """Whether own openings may still be shut today, so that a gap proves no fault."""
        return self.shut > 0 and today < date.fromisoformat(self.total.content["open_from"])


class Export:
    """The leaves of an export, taken in order."""

    def __init__(self) -> None:
        self.totals: list[SealedTotal] = []
        self._shut: list[int] = []
        self._openings: list[tuple[int, OpeningContent]] = []
        self._weights: list[tuple[int, RegionWeights]] = []

    def take(self, leaf: ParsedLeaf, opening: OpeningContent | None) -> None:
        """Take the next leaf, with its opening where it is there."""
        content = leaf.content
        if opening is not None:
            self._openings.append((leaf.index, opening))
        elif content is None:
            self._shut.append(leaf.index)
        elif leaf.type == "weights":
            self._weights.append((leaf.index, region_weights_of(content)))
        elif leaf.type == "quarter_total" or (leaf.type == "correction" and "quarter" in content):
            self.totals.append(SealedTotal(leaf.index, content["quarter"], content))

    def newest(self) -> dict[str, SealedTotal]:
        """Each quarter's newest totals, the quarters in order."""
        found = {total.quarter: total for total in self.totals}
        return {quarter: found[quarter] for quarter in sorted(found)}

    def regions(self) -> frozenset[str]:
        """The regions that every opening concerns.

        The one whose export this is, if there is one.
        """
        found: frozenset[str] | None = None
        for _, opening in self._openings:
            concerned = frozenset((opening.origin, opening.receiving))
            found = concerned if found is None else found & concerned
        return found or frozenset()

    def check_totals(self, region: str | None) -> Iterator[TotalCheck]:
        """Check every total, the one that was made from the fewest leaves first."""
        book, taken = StayBook(), 0
        before: dict[str, int] = {}
        for total in sorted(self.totals, key=lambda one: one.index):
            faults = [*_in_itself(total, before.get(total.quarter))]
            before[total.quarter] = total.index
            while (
                taken < len(self._openings) and self._openings[taken][0] < total.content["leaves"]
            ):
                book.take(*self._openings[taken])
                taken += 1
            apart: list[str] = []
            if region is not None:
                weights = [one for index, one in self._weights if index < total.content["leaves"]]
                apart += _compare_total(
                    total, list(book.stays()), WeightHistory(weights), region=region
                )
            yield TotalCheck(
                total, tuple(faults), tuple(apart), bisect_left(self._shut, total.content["leaves"])
            )


def _in_itself(total: SealedTotal, before: int | None) -> Iterator[str]:
    for wrong in contradictions(total.content):
        yield f"{wrong} do not agree in sum"
    corrects = total.content.get("corrects")
    if corrects != before:
        yield f"it corrects {_leaf(corrects)}, and should correct {_leaf(before)}"


def _leaf(index: int | None) -> str:
    return "no leaf" if index is None else f"leaf {index}"


def _compare_total(
    total: SealedTotal, stays: Sequence[LedgerStay], weights: WeightHistory, *, region: str
) -> Iterator[str]:
    """Compare what was sealed with what a region's openings come to.

    Its own figures are the same to the last digit. Quotas also come from stays that it may not
    read: each is at least what its own openings divide.
    """
    sealed = total.content["regions"]
    regions = totals_of(
        quarter_named(total.quarter), stays, weights=weights, regions=[region]
    ).regions
    for name in OWN:
        found, said = regions[region][name], sealed.get(region, {}).get(name)
        if found != said:
            yield f"{region} {name}: {said} was sealed, its openings come to {found}"
    for other, figures in regions.items():
        said = sealed.get(other, {}).get(QUOTA, 0)
        if figures[QUOTA] > said:
            yield (
                f"{other} quota: {said} was sealed, the openings of {region} alone come to "
                f"{figures[QUOTA]}"
            )
