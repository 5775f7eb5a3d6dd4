"""The check of a ledger's export: a region's own figures against the sealed totals.

Made for controllers, without the service: it knows nothing but the leaves, and the openings that
a reader may read.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from app.allocation.shares.fairness import contradictions
from app.allocation.shares.nights import StayBook
from app.allocation.shares.quarters import quarter_named
from app.allocation.shares.totals import (
    EARLIER,
    LATE_FROM,
    OWN,
    QUOTA,
    Account,
    booked,
    earlier_figures,
    nights_by_region,
)
from app.allocation.shares.weights import WeightHistory, region_weights_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from app.allocation.ledger.leaves import ParsedLeaf
    from app.allocation.ledger.openings import OpeningContent
    from app.allocation.shares.weights import RegionWeights


@dataclass(frozen=True, slots=True)
class SealedTotal:
    """A leaf that has a quarter's totals, or (in the earlier edition) corrects one that had."""

    index: int
    quarter: str
    content: Mapping[str, Any]

    @property
    def leaves(self) -> int:
        """From how many leaves it was made."""
        return self.content["leaves"]

    @property
    def books_late(self) -> bool:
        """Whether it books what became known of earlier quarters, and is never sealed anew."""
        return LATE_FROM in self.content


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
        self._book, self._taken, self._told = StayBook(), 0, 0
        self._accounts: dict[int, Account] = {}
        """The last two that were asked for: each total needs its own and that of the one before."""

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
        newest: dict[str, SealedTotal] = {}
        before: SealedTotal | None = None
        for total in sorted(self.totals, key=lambda one: one.index):
            faults = [*_in_itself(total), *_in_its_place(total, before, newest.get(total.quarter))]
            newest[total.quarter] = before = total
            apart: list[str] = []
            if region is not None:
                apart += self._against(total, newest.values(), region=region)
            yield TotalCheck(
                total, tuple(faults), tuple(apart), bisect_left(self._shut, total.leaves)
            )

    def _account(self, leaves: int) -> Account:
        """What the first leaves tell, as far as they can be read."""
        if leaves not in self._accounts:
            if leaves < self._told:
                self._book, self._taken = StayBook(), 0
            while self._taken < len(self._openings) and self._openings[self._taken][0] < leaves:
                self._book.take(*self._openings[self._taken])
                self._taken += 1
            weights = WeightHistory(one for index, one in self._weights if index < leaves)
            kept = {told: one for told, one in self._accounts.items() if told == self._told}
            self._accounts = {**kept, leaves: Account(list(self._book.stays()), weights)}
            self._told = leaves
        return self._accounts[leaves]

    def _against(
        self, total: SealedTotal, sealed: Iterable[SealedTotal], *, region: str
    ) -> Iterator[str]:
        """Compare what was sealed with what a region's openings come to.

        Its own figures are the same to the last digit. Quotas also come from stays that it may not
        read: all sealed quarters together are at least what its own openings divide.
        """
        said = total.content["regions"].get(region, {})
        for name, found in self._own(total, region).items():
            if found != said.get(name):
                yield f"{region} {name}: {said.get(name)} was sealed, its openings come to {found}"
        quotas = Counter[str]()
        for one in sealed if total.books_late else (total,):
            for other, figures in one.content["regions"].items():
                quotas[other] += figures[QUOTA]
        quarter = quarter_named(total.quarter)
        first = date.min if total.books_late else quarter.first
        for other, figures in nights_by_region(
            self._account(total.leaves), first, quarter.after
        ).items():
            if figures[QUOTA] > quotas[other]:
                yield (
                    f"{other} quota: {quotas[other]} was sealed, the openings of {region} alone "
                    f"come to {figures[QUOTA]}"
                )

    def _own(self, total: SealedTotal, region: str) -> Mapping[str, int]:
        """What a region's openings come to, of the figures that it can work out."""
        quarter = quarter_named(total.quarter)
        if total.books_late:
            before, now = self._account(total.content[LATE_FROM]), self._account(total.leaves)
            figures = booked(quarter, now, before, since=date.min, regions=[region])[region]
            return {name: figures[name] for name in OWN}
        figures = earlier_figures(self._account(total.leaves), quarter, region)
        return {name: figures[name] for name in (*OWN, *EARLIER)}


def _in_itself(total: SealedTotal) -> Iterator[str]:
    for wrong in contradictions(total.content):
        yield f"{wrong} do not agree in sum"


def _in_its_place(
    total: SealedTotal, before: SealedTotal | None, same: SealedTotal | None
) -> Iterator[str]:
    """Compare a total with the one sealed `before` it, and with the one of the `same` quarter."""
    if not total.books_late:
        corrects, first = total.content.get("corrects"), None if same is None else same.index
        if corrects != first:
            yield f"it corrects {_leaf(corrects)}, and should correct {_leaf(first)}"
        if before is not None and before.books_late:
            yield "it is sealed by the rules of before, after one that books what became known late"
        return
    if same is not None:
        yield f"its quarter is sealed anew, and was sealed by {_leaf(same.index)}"
    elif before is not None and quarter_named(total.quarter) != quarter_named(before.quarter).next:
        yield f"it follows {before.quarter}, and is not the quarter after it"
    late_from, known = total.content[LATE_FROM], 0 if before is None else before.leaves
    if late_from != known:
        yield f"it books late facts from leaf {late_from} on, and should from leaf {known} on"


def _leaf(index: int | None) -> str:
    return "no leaf" if index is None else f"leaf {index}"
