"""The versions of the rules: a recorded ranking is replayed by those that made it.

When a change to this package could give the same inputs another ranking, RULES_VERSION goes up.
What decided before is kept, under its old number, for as long as a ranking cites it;
tests/unit/allocation/ranking/corpus has rankings of each version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from app.allocation.ranking.rank import RULES_VERSION, rank
from app.allocation.ranking.replay import digest
from app.allocation.ranking.safety import Dangers, dangers_on, dangers_with_origin, zones_in_force
from app.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from app.allocation.policy.policy import Policy
    from app.allocation.ranking.safety import DangersOn
    from app.allocation.values import Need, Ranking, Register, Situation

Rank: TypeAlias = "Callable[[Need, Register, Situation, Policy], Ranking]"


@dataclass(frozen=True, slots=True)
class Rules:
    """One version of everything that decides."""

    version: str
    rank: Rank
    digest: Callable[[Ranking], str]
    """What a ranking of this version is recorded by."""
    dangers_on: DangersOn
    """What counts as danger on a day."""


# --- what earlier versions decided otherwise ------------------------------------------


def rank_2(need: Need, register: Register, situation: Situation, policy: Policy) -> Ranking:
    """Rank by version 2, for which an assessment still held when all zones had ended.

    Days were UTC's, as they still are in a situation that says nothing of the country's own.
    """
    return rank(need, register, situation, policy, dangers_on=dangers_once_asked)


def dangers_once_asked(need: Need, *, today: date, policy: Policy) -> Dangers:
    """The zones in force, and the origin beside them only where nobody had ever asked."""
    in_force = zones_in_force(need.danger_zones, today=today)
    if need.danger_assessment == "not_asked":
        return dangers_with_origin(need, in_force, policy=policy)
    return Dangers(in_force, assessed=True)


# --- every version --------------------------------------------------------------------

VERSIONS: Mapping[str, Rules] = {
    "2": Rules("2", rank_2, digest, dangers_once_asked),
    "3": Rules("3", rank, digest, dangers_on),
}
"""Every version by which a ranking may still have to be made again."""

NEWEST = VERSIONS[RULES_VERSION]
"""Those by which new rankings are made."""


class UnknownRules(Conflict):
    """A ranking made by rules that this release does not have."""

    def __init__(self, version: str) -> None:
        super().__init__(
            "rules_unknown",
            "This ranking was made by version %(version)s of the rules,"
            " which this release of Plek does not have: it cannot be made again here.",
            version=version,
        )


def rules_of(version: str) -> Rules:
    """The rules of a version.

    Raises:
        UnknownRules: where they are not here.
    """
    try:
        return VERSIONS[version]
    except KeyError:
        raise UnknownRules(version) from None
