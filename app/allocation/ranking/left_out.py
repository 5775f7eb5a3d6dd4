"""What a ranking leaves out, and what a household could do without, in bands of places.

Nothing of it by region moves with what is taken or comes free.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from app.allocation.ranking.case import NEEDS_OF_THE_SITE
from app.allocation.ranking.fold import traits_of
from app.allocation.ranking.rules import (
    OWN_REGION_FIRST,
    RULES_WHEN_FREE,
    first_against,
    free,
    is_own_region,
    own_region_goes_first,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from app.allocation.ranking.case import Case
    from app.allocation.ranking.rank import RankingInputs
    from app.allocation.values import Ranking

Band: TypeAlias = Literal["0", "1-4", "5-19", "20+"]
"""How many, as it is told."""

BANDS: tuple[tuple[int, Band], ...] = ((0, "0"), (4, "1-4"), (19, "5-19"))
"""The most that each band stands for."""

FEW_OFFERS = 3
"""With fewer, it is said what the household could do without."""

FREE = free.__name__
"""The code of the rule that is told for the whole country: by region it would tell what was taken
there."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many places of a region, or with None of the country, one rule keeps away."""

    rule: str
    region: str | None
    places: int

    @property
    def band(self) -> Band:
        """The number as others may know it."""
        return band_of(self.places)


@dataclass(frozen=True, slots=True)
class Trade:
    """How many free places there were for a household that asked for one thing less.

    `need` is a feature; None stands for its animals.
    """

    need: str | None
    places: int

    @property
    def band(self) -> Band:
        """The number as others may know it."""
        return band_of(self.places)


def band_of(number: int) -> Band:
    """The band in which a number of places, offers or households is told."""
    for most, band in BANDS:
        if number <= most:
            return band
    return "20+"


def left_out(case: Case, inputs: RankingInputs, ranking: Ranking) -> tuple[LeftOut, ...]:
    """The places that each rule keeps away, by region and by the first rule in the way.

    `free` is asked last, so that nothing else depends on it, and told for the country: the places
    of all that would do and that no offer has any place of. So nothing moves that the offers do
    not show. Source: docs/design.md, section 6, invariant 9.
    """
    stays = stays_at_home(case, ranking)
    offered = {traits_of(offer.group) for offer in ranking.offers}
    counted: Counter[tuple[str, str | None]] = Counter()
    for group in inputs.register.groups:
        against = first_against(group, case, rules=RULES_WHEN_FREE)
        if against is not None:
            counted[against, group.region] += group.places
        elif stays and not is_own_region(group, case):
            counted[OWN_REGION_FIRST, group.region] += group.places
        elif traits_of(group) not in offered:
            counted[FREE, None] += group.places
    in_order = sorted(counted.items(), key=lambda item: (item[0][1] or "", item[0][0]))
    return tuple(LeftOut(rule, region, places) for (rule, region), places in in_order)


def count_by_rule(found: Iterable[LeftOut]) -> list[tuple[str, int]]:
    """How many places of the country each rule left out, most first."""
    counted: Counter[str] = Counter()
    for out in found:
        counted[out.rule] += out.places
    return counted.most_common()


def trades(case: Case, inputs: RankingInputs, ranking: Ranking) -> tuple[Trade, ...]:
    """What the household could do without, and the free places that this would open.

    Most first: an animal or a feature, one at a time; never what is about safety. What opens
    nothing is not named, and a wish for a region keeps nothing away. Source: docs/design.md,
    section 5.
    """
    offered = {offer.group.id for offer in ranking.offers}
    stays = stays_at_home(case, ranking)
    found = [
        Trade(need, _opened(replace(case, features=features), inputs, offered, stays=stays))
        for need, features in _without_one(case, inputs)
    ]
    in_order = sorted(found, key=lambda trade: (-trade.places, trade.need or ""))
    return tuple(trade for trade in in_order if trade.places)


def _without_one(case: Case, inputs: RankingInputs) -> Iterator[tuple[str | None, frozenset[str]]]:
    asked = frozenset(inputs.need.needs) - NEEDS_OF_THE_SITE
    if inputs.need.household.pets:
        yield None, case.features - {"pets"}
    for need in sorted(asked):
        if need != "pets" or not inputs.need.household.pets:
            yield need, case.features - {need}


def _opened(case: Case, inputs: RankingInputs, offered: set[str], *, stays: bool) -> int:
    lawful = [
        group
        for group in inputs.register.groups
        if group.id not in offered and first_against(group, case) is None
    ]
    at_home = stays or own_region_goes_first(lawful, case)
    return sum(
        case.situation.free[group.id]
        for group in lawful
        if not at_home or is_own_region(group, case)
    )


def stays_at_home(case: Case, ranking: Ranking) -> bool:
    """Whether `own_region_first` kept a household in its region when a ranking was made."""
    return not case.for_safety and any(not offer.cross_regional for offer in ranking.offers)
