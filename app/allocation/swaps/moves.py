"""The lawful moves of households to places that are free or could become so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.allocation.ranking.case import case_of
from app.allocation.ranking.points import points_for
from app.allocation.ranking.rules import (
    RULES_WHEN_FREE,
    first_against,
    is_own_region,
    own_region_goes_first,
)
from app.allocation.values import Register

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.allocation.policy.policy import Policy
    from app.allocation.ranking.case import Case
    from app.allocation.values import Household, Need, PlaceGroup, Points, Situation

OWN_SITE = "own_site"
"""The obstacle for a move within a household's own site: it makes nobody safer."""


@dataclass(frozen=True, slots=True)
class Mover:
    """A household that could move.

    Attributes:
        referral_id: whose household it is.
        need: what it needs now; for a household in stay, as it stands today.
        situation: how things stand for it. What is `free` in it is not looked at: `FreePlaces` says
        that.
        group_id: the group of places it lives in; None while it waits.
        school_children: how many of its children go to school.
    """

    referral_id: str
    need: Need
    situation: Situation
    group_id: str | None
    school_children: int = 0


def school_children(household: Household, *, policy: Policy) -> int:
    """How many children of a household go to school; one of unknown age is taken to."""
    ages = range(policy.school_from_age, policy.school_until_age + 1)
    return sum(child.age is None or child.age in ages for child in household.children)


@dataclass(frozen=True, slots=True)
class FreePlaces:
    """All groups of places, with how many of each can be given now, if any.

    Raises:
        ValueError: when `free` names a group that the register does not have.
    """

    register: Register
    free: Mapping[str, int]

    def __post_init__(self) -> None:
        if self.free.keys() - {group.id for group in self.register.groups}:
            raise ValueError("places of a group that is not in the register are not free")


@dataclass(frozen=True, slots=True)
class LawfulMove:
    """One household to one group.

    As a ranking would judge it, were a place there free.
    """

    group: PlaceGroup
    band: str
    points: tuple[Points, ...]
    score: int


class LawfulMoves:
    """The lawful moves of some households among the groups that matter to them.

    Where they live, and what is free.
    """

    def __init__(self, households: Iterable[Mover], places: FreePlaces, policy: Policy) -> None:
        self._policy = policy
        self._groups = {group.id: group for group in places.register.groups}
        self.free = {group_id: free for group_id, free in sorted(places.free.items()) if free > 0}
        lived_in = {
            household.group_id for household in households if household.group_id is not None
        }
        if lived_in - self._groups.keys():
            raise ValueError("nobody lives in a group of places that is not in the register")
        targets = sorted(lived_in | self.free.keys())
        self._register = Register(tuple(self._groups[group_id] for group_id in targets))
        self._known: dict[str, dict[str, LawfulMove]] = {}

    def of(self, mover: Mover) -> Mapping[str, LawfulMove]:
        """The household's lawful moves by group, in the order of the groups' ids."""
        if mover.referral_id not in self._known:
            self._known[mover.referral_id] = self._worked_out(mover)
        return self._known[mover.referral_id]

    def in_the_way(self, mover: Mover, groups: Iterable[str]) -> tuple[str, ...]:
        """The codes of the first obstacles for a household, for groups that have one."""
        case = self._case(mover)
        against = (self._rule_against(self._groups[group_id], mover, case) for group_id in groups)
        return tuple(code for code in against if code is not None)

    def changes_school(self, mover: Mover, group_id: str) -> int:
        """How many children would change school, which all do in another municipality."""
        here, there = self._groups.get(mover.group_id or ""), self._groups[group_id]
        return (
            0 if here is None or here.municipality == there.municipality else mover.school_children
        )

    def _case(self, mover: Mover) -> Case:
        return case_of(mover.need, self._register, mover.situation, self._policy)

    def _rule_against(self, group: PlaceGroup, mover: Mover, case: Case) -> str | None:
        if mover.group_id is not None and group.site_id == self._groups[mover.group_id].site_id:
            return OWN_SITE
        return first_against(group, case, rules=RULES_WHEN_FREE)

    def _worked_out(self, mover: Mover) -> dict[str, LawfulMove]:
        case = self._case(mover)
        lines_for = points_for(case, self._policy)
        lawful = [
            group
            for group in self._register.groups
            if self._rule_against(group, mover, case) is None
        ]
        if own_region_goes_first([group for group in lawful if group.id in self.free], case):
            lawful = [group for group in lawful if is_own_region(group, case)]
        moves: dict[str, LawfulMove] = {}
        for group in lawful:
            lines = lines_for(group)
            score = sum([line.points for line in lines])
            moves[group.id] = LawfulMove(group, case.rooms[group.municipality].band, lines, score)
        return moves
