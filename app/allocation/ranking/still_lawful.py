"""Whether one group of places still does for a household, by what is known now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.allocation.ranking.case import case_of
from app.allocation.ranking.rules import LASTING_RULES, cap
from app.allocation.values import Register

if TYPE_CHECKING:
    from app.allocation.policy.policy import Policy
    from app.allocation.values import Need, PlaceGroup, Situation

STANDING_RULES = (*LASTING_RULES, cap)
"""What must be true until somebody is on the way; the others chose between offers, and have had their say."""

SAFETY = frozenset({"secrecy", "danger"})
"""Those that say where somebody would be in danger."""


def still_against(
    need: Need, group: PlaceGroup, situation: Situation, *, policy: Policy
) -> tuple[str, ...]:
    """The codes of all the rules in the way of these places for this household, in the rules' order; none when it does.

    Of the situation the day, the clearances and the caps that are reached are asked.
    """
    case = case_of(need, Register((group,)), situation, policy)
    return tuple(rule.__name__ for rule in STANDING_RULES if not rule(group, case))
