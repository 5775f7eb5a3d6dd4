"""Every rule in the way of the places of a region or provider, not only the first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.allocation.ranking.case import case_of
from app.allocation.ranking.left_out import FREE, LeftOut, left_out, stays_at_home
from app.allocation.ranking.rules import (
    CODES,
    LASTING_RULES,
    OWN_REGION_FIRST,
    all_against,
    cap,
    is_own_region,
)
from app.allocation.values import Register

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.allocation.policy.policy import Policy
    from app.allocation.ranking.case import Case
    from app.allocation.ranking.rank import RankingInputs
    from app.allocation.values import Need, PlaceGroup, Ranking, Situation


STANDING_RULES = (*LASTING_RULES, cap)
"""What must be true until a household is on the way; the others chose between offers, and have had
their say."""

SAFETY = frozenset({"secrecy", "danger"})
"""The rules that say where a household would be in danger."""


@dataclass(frozen=True, slots=True)
class RegionOrProvider:
    """What is asked about by name: a region, or else a provider."""

    region: str | None = None
    provider_id: str | None = None

    def has(self, group: PlaceGroup) -> bool:
        """Whether these places are there."""
        return (
            group.region == self.region
            if self.provider_id is None
            else group.provider_id == self.provider_id
        )


@dataclass(frozen=True, slots=True)
class Obstacles:
    """What stands in the way there: by rule and region, most places first.

    A place counts under every rule that is in its way, so the counts may add up to more than
    `places`, which are all that there are, offered or not. Where something would do and is not
    offered, `free` comes last, told for the country as in a ranking.
    """

    places: int
    in_the_way: tuple[LeftOut, ...]


def obstacles(inputs: RankingInputs, ranking: Ranking, there: RegionOrProvider) -> Obstacles:
    """All the rules in the way of each group of places when the ranking was made.

    The same facts of a group are counted as in what a ranking leaves out, by region and no finer:
    no site, no distance, and not what is free.
    """
    case = inputs.case()
    stays = stays_at_home(case, ranking)
    counted: Counter[tuple[str, str]] = Counter()
    places, would_do = 0, False
    for group in filter(there.has, inputs.register.groups):
        places += group.places
        rules = tuple(_against(group, case, stays=stays))
        would_do = would_do or not rules
        for rule in rules:
            counted[rule, group.region] += group.places
    in_order = sorted(
        counted.items(), key=lambda item: (-item[1], CODES.index(item[0][0]), item[0][1])
    )
    found = [LeftOut(rule, region, count) for (rule, region), count in in_order]
    if would_do and not any(there.has(offer.group) for offer in ranking.offers):
        found += [out for out in left_out(case, inputs, ranking) if out.rule == FREE]
    return Obstacles(places, tuple(found))


def _against(group: PlaceGroup, case: Case, *, stays: bool) -> Iterator[str]:
    yield from all_against(group, case)
    if stays and not is_own_region(group, case):
        yield OWN_REGION_FIRST


def still_against(
    need: Need, group: PlaceGroup, situation: Situation, *, policy: Policy
) -> tuple[str, ...]:
    """The codes of all rules that stand in the way of these places, in the rules' order.

    Of the situation the day, the clearances and the caps that are reached are asked.
    """
    case = case_of(need, Register((group,)), situation, policy)
    return tuple(rule.__name__ for rule in STANDING_RULES if not rule(group, case))
