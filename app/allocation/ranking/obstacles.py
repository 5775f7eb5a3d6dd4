"""Every rule in the way of the places of a region or provider, not only the first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.allocation.ranking.case import case_of
from app.allocation.ranking.rules import (
    CODES,
    LASTING_RULES,
    OWN_REGION_FIRST,
    all_against,
    cap,
    is_own_region,
    own_region_goes_first,
)
from app.allocation.values import Exclusion, Register

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.allocation.policy.policy import Policy
    from app.allocation.ranking.case import Case
    from app.allocation.ranking.rank import RankingInputs
    from app.allocation.values import Need, PlaceGroup, Situation


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
    `places`, which are all that there are, offered or not.
    """

    places: int
    in_the_way: tuple[Exclusion, ...]


def obstacles(inputs: RankingInputs, there: RegionOrProvider) -> Obstacles:
    """All the rules in the way of each group of places when the ranking was made.

    The same facts of a group are counted as in a ranking, by region and no finer: no site, no
    distance.
    """
    case = inputs.case()
    goes_first = _own_region_goes_first(inputs.register, case)
    counted: Counter[tuple[str, str]] = Counter()
    places = 0
    for group in filter(there.has, inputs.register.groups):
        places += group.places
        for rule in _rules_against(group, case, goes_first=goes_first):
            counted[rule, group.region] += group.places
    in_order = sorted(
        counted.items(), key=lambda item: (-item[1], CODES.index(item[0][0]), item[0][1])
    )
    return Obstacles(
        places, tuple(Exclusion(rule, region, count) for (rule, region), count in in_order)
    )


def _own_region_goes_first(register: Register, case: Case) -> bool:
    own = [group for group in register.groups if is_own_region(group, case)]
    return own_region_goes_first(
        [group for group in own if not any(all_against(group, case))], case
    )


def _rules_against(group: PlaceGroup, case: Case, *, goes_first: bool) -> Iterator[str]:
    yield from all_against(group, case)
    if goes_first and not is_own_region(group, case):
        yield OWN_REGION_FIRST


def still_against(
    need: Need, group: PlaceGroup, situation: Situation, *, policy: Policy
) -> tuple[str, ...]:
    """The codes of all rules that stand in the way of these places, in the rules' order.

    Of the situation the day, the clearances and the caps that are reached are asked.
    """
    case = case_of(need, Register((group,)), situation, policy)
    return tuple(rule.__name__ for rule in STANDING_RULES if not rule(group, case))
