"""A trial of another policy on recorded rankings, in counts that identify nobody."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.allocation.values import Offer, Ranking

FEW = 10
"""Below this a region's change could be one household's: it is not told."""

STEPS = ("0", "1", "2-5", "6+")
"""How many ranks an offer moved, among those that both rankings have."""


@dataclass(frozen=True, slots=True)
class FactorChange:
    """The points that one factor gave to the offers that both rankings have, added up."""

    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Trial:
    """What would have been different in some rankings.

    Attributes:
        rankings: how many were made again.
        other_first: how many would have had another first offer, one for the first time, or none
        any more.
        first_found: how many would have had an offer for the first time.
        first_lost: how many would have had none any more.
        let_through: places, by the rule that left them out and no longer does, added up over the
        rankings.
        left_out: places, by the rule that newly leaves them out.
        compared: offers that both rankings have; what follows is about these.
        moved: how many of them moved by how many ranks, by `STEPS`.
        other_band: how many would have been in the other band of safety.
        factors: what each factor gave them.
        regions: by how much the number of first offers in a region would have changed, where by
        `FEW` or more.
    """

    rankings: int
    other_first: int
    first_found: int
    first_lost: int
    let_through: Mapping[str, int]
    left_out: Mapping[str, int]
    compared: int
    moved: Mapping[str, int]
    other_band: int
    factors: Mapping[str, FactorChange]
    regions: Mapping[str, int]


class TrialTally:
    """Rankings made again, one after another, and what was different in them."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._let_through: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()
        self._moved: Counter[str] = Counter()
        self._before: Counter[str] = Counter()
        self._after: Counter[str] = Counter()
        self._regions: Counter[str] = Counter()

    def add(self, before: Ranking, after: Ranking) -> None:
        """Take in what became of one ranking."""
        self._counts["rankings"] += 1
        self._first(next(iter(before.offers), None), next(iter(after.offers), None))
        was, would_be = _left_out(before), _left_out(after)
        self._let_through += was - would_be
        self._left_out += would_be - was
        for one, other, moved in _common_offers(before, after):
            self._counts["compared"] += 1
            self._counts["other_band"] += one.band != other.band
            self._moved[_steps(moved)] += 1
            for counter, offer in ((self._before, one), (self._after, other)):
                for line in offer.points:
                    counter[line.factor] += line.points

    def _first(self, before: Offer | None, after: Offer | None) -> None:
        if before is not None:
            self._regions[before.group.region] -= 1
        if after is not None:
            self._regions[after.group.region] += 1
        self._counts["first_found"] += before is None and after is not None
        self._counts["first_lost"] += before is not None and after is None
        self._counts["other_first"] += (before and before.group.id) != (after and after.group.id)

    def trial(self) -> Trial:
        """What was different in all of them."""
        counts = self._counts
        return Trial(
            rankings=counts["rankings"],
            other_first=counts["other_first"],
            first_found=counts["first_found"],
            first_lost=counts["first_lost"],
            let_through=_sort_counts(self._let_through),
            left_out=_sort_counts(self._left_out),
            compared=counts["compared"],
            moved={steps: self._moved[steps] for steps in STEPS},
            other_band=counts["other_band"],
            factors={
                name: FactorChange(self._before[name], self._after[name])
                for name in sorted(self._before)
            },
            regions={
                region: net for region, net in sorted(self._regions.items()) if abs(net) >= FEW
            },
        )


def _left_out(ranking: Ranking) -> Counter[str]:
    """Places by the first rule in their way."""
    places: Counter[str] = Counter()
    for exclusion in ranking.excluded:
        places[exclusion.rule] += exclusion.places
    return places


def _common_offers(before: Ranking, after: Ranking) -> Iterator[tuple[Offer, Offer, int]]:
    """The offers that both rankings have, and by how many ranks each moved among them."""
    was = {offer.group.id: offer for offer in before.offers}
    would_be = [offer for offer in after.offers if offer.group.id in was]
    common = {offer.group.id for offer in would_be}
    place = {id_: place for place, id_ in enumerate(id_ for id_ in was if id_ in common)}
    for at, offer in enumerate(would_be):
        yield was[offer.group.id], offer, abs(at - place[offer.group.id])


def _steps(moved: int) -> str:
    """Which of `STEPS` a number of ranks is."""
    return STEPS[0 if moved == 0 else 1 if moved == 1 else 2 if moved <= 5 else 3]  # noqa: PLR2004 - as STEPS says


def _sort_counts(counter: Counter[str]) -> Mapping[str, int]:
    return dict(sorted(counter.items()))
