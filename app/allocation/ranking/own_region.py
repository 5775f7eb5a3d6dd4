"""The rule "own region first".

What stood in the way at home, and what must go first.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.allocation.ranking.case import case_of
from app.allocation.ranking.left_out import LeftOut
from app.allocation.ranking.rules import RULES, free, is_own_region

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.allocation.policy.policy import Policy
    from app.allocation.ranking.fold import FoldedOffer
    from app.allocation.values import Need, Ranking, Register, Situation

OF_THE_PLACES = frozenset({"kind", "free", "admission"})
"""Rules that tell of the places and nothing of the household, beyond how urgent it is."""

UNSUITABLE = "unsuitable"
"""What stands for every other rule before those who may not know what a household fears or
needs."""


@dataclass(frozen=True, slots=True)
class OwnRegion:
    """What a ranking found in the household's own region.

    Where `offers` is zero, nothing lawful was free there at that moment, and `left_out` says why:
    the places of the region by the first rule in their way, and what would do in the country.
    """

    region: str
    offers: int
    left_out: tuple[LeftOut, ...]


def own_region(
    need: Need, offers: Sequence[FoldedOffer], found: Sequence[LeftOut]
) -> OwnRegion | None:
    """What a ranking says of the own region.

    None for those who flee, whom it does not keep.

    It follows from the ranking, so its replay covers it. Source: docs/design.md, section 5 (a
    capacity or planned referral leaves its region only when nothing lawful is free there).
    """
    if need.reason == "safety":
        return None
    region = need.origin_region
    return OwnRegion(
        region,
        offers=sum(not offer.first.cross_regional for offer in offers),
        left_out=tuple(out for out in found if out.region in {region, None}),
    )


def has_room_at_home(need: Need, ranking: Ranking) -> bool:
    """Whether something lawful was free in the region of a household that does not flee."""
    return need.reason != "safety" and any(not offer.cross_regional for offer in ranking.offers)


def hide_household_rules(found: OwnRegion) -> OwnRegion:
    """The same for an auditor: all rules about the household count as one.

    So it tells neither danger nor needs.
    """
    places: Counter[tuple[str, str | None]] = Counter()
    for out in found.left_out:
        rule = out.rule if out.rule in OF_THE_PLACES else UNSUITABLE
        places[rule, out.region] += out.places
    in_order = sorted(places.items(), key=lambda item: item[0][0])
    return OwnRegion(
        found.region,
        found.offers,
        tuple(LeftOut(rule, region, count) for (rule, region), count in in_order),
    )


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
