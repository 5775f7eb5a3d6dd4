"""What earlier versions of the rules decided otherwise: kept, so that their rankings can be made again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.allocation.ranking.rank import rank
from app.allocation.ranking.safety import Dangers, dangers_with_origin, zones_in_force

if TYPE_CHECKING:
    from datetime import date

    from app.allocation.policy.policy import Policy
    from app.allocation.values import Need, Ranking, Register, Situation


def rank_2(need: Need, register: Register, situation: Situation, policy: Policy) -> Ranking:
    """The ranking by version 2, for which whoever had once been asked about danger was safe when all zones had ended.

    Days were UTC's, as they still are in a situation that says nothing of the country's own.
    """
    return rank(need, register, situation, policy, dangers_on=dangers_once_asked)


def dangers_once_asked(need: Need, *, today: date, policy: Policy) -> Dangers:
    """The zones in force, and the origin beside them only where nobody had ever asked."""
    in_force = zones_in_force(need.danger_zones, today=today)
    if need.danger_assessment == "not_asked":
        return dangers_with_origin(need, in_force, policy=policy)
    return Dangers(in_force, assessed=True)
