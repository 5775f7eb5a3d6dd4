"""Whether one group of places still does for a household, by what is known now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.allocation.case import case_of
from app.allocation.rules import LASTING_RULES, cap
from app.allocation.values import Register, Situation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from app.allocation.policy import Policy
    from app.allocation.values import Need, PlaceGroup

STANDING_RULES = (*LASTING_RULES, cap)
"""What must be true until somebody is on the way; the others chose between offers, and have had their say."""

SAFETY = frozenset({"secrecy", "danger"})
"""Those that say where somebody would be in danger."""


def still_against(
    need: Need,
    group: PlaceGroup,
    *,
    as_of: datetime,
    clearances: Mapping[str, Mapping[str, int]],
    policy: Policy,
    capped_regions: frozenset[str] = frozenset(),
) -> tuple[str, ...]:
    """The codes of all the rules in the way of these places for this household, in the rules' order; none when it does.

    `clearances` are km by danger zone's municipality and site's municipality, as a situation has them.
    """
    situation = Situation(
        as_of=as_of,
        free={},
        confirmed_hours={},
        clearances=clearances,
        near_km={},
        deficits={},
        occupancy={},
        capped_regions=capped_regions,
        declined_sites=frozenset(),
    )
    case = case_of(need, Register((group,)), situation, policy)
    return tuple(rule.__name__ for rule in STANDING_RULES if not rule(group, case))
