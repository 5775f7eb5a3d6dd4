"""The rule "own region first".

What stood in the way at home, and what must go first.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.allocation.ranking.case import case_of
from app.allocation.ranking.rules import RULES, free, is_own_region
from app.allocation.values import Exclusion

if TYPE_CHECKING:
    from app.allocation.policy.policy import Policy
    from app.allocation.values import Need, Ranking, Register, Situation

OF_THE_PLACES = frozenset({"kind", "free", "admission"})
"""Rules that tell of the places and nothing of the household, beyond how urgent it is."""

UNSUITABLE = "unsuitable"
"""What stands for every other rule before those who may not know what a household fears or
needs."""


@dataclass(frozen=True, slots=True)
class OwnRegion:
    """What a ranking found in the household's own region.

    Where `offers` is zero, nothing lawful was free there at that moment, and `excluded` says why:
    every place of the region stands in it once, by the first rule in its way.
    """

    region: str
    offers: int
    excluded: tuple[Exclusion, ...]


def own_region(need: Need, ranking: Ranking) -> OwnRegion | None:
    """What a ranking says of the own region.

    None for those who flee, whom it does not keep.

    Part of the ranking itself, so its digest and its replay cover it. Source: docs/design.md,
    section 5 (a capacity or planned referral leaves its region only when nothing lawful is free
    there).
    """
    if need.reason == "safety":
        return None
    region = need.origin_region
    return OwnRegion(
        region,
        offers=sum(not offer.cross_regional for offer in ranking.offers),
        excluded=tuple(out for out in ranking.excluded if out.region == region),
    )


def hide_household_rules(found: OwnRegion) -> OwnRegion:
    """The same for an auditor: all rules about the household count as one.

    So it tells neither danger nor needs.
    """
    places: Counter[str] = Counter()
    for out in found.excluded:
        places[out.rule if out.rule in OF_THE_PLACES else UNSUITABLE] += out.places
    excluded = tuple(Exclusion(rule, found.region, count) for rule, count in sorted(places.items()))
    return OwnRegion(found.region, found.offers, excluded)


def lawful_home_groups(
    need: Need, register: Register, situation: Situation, policy: Policy
) -> tuple[str, ...]:
    """The ids of the groups in the own region in which any place that is free would be lawful.

    Every rule but `free` is asked: what is free is looked up where the place is taken, in the same
    statement.
    """
    case = case_of(need, register, situation, policy)
    return tuple(
        group.id
        for group in register.groups
        if is_own_region(group, case)
        and all(rule(group, case) for rule in RULES if rule is not free)
    )
