"""The ranking: every lawful offer in order, and the rule that excluded each other place."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from app.allocation.ranking.case import case_of
from app.allocation.ranking.points import freshness_of, points_for
from app.allocation.ranking.rules import (
    OF_THE_DAY,
    OWN_REGION_FIRST,
    first_against,
    is_own_region,
    own_region_goes_first,
    would_do,
)
from app.allocation.ranking.safety import dangers_on
from app.allocation.values import Exclusion, Offer, Ranking

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.allocation.policy.policy import Policy
    from app.allocation.ranking.case import Case
    from app.allocation.ranking.safety import Dangers, DangersOn
    from app.allocation.values import Need, PlaceGroup, Points, Register, Situation

RULES_VERSION = "3"
"""Of everything in this package that decides: it goes up when the same inputs could give another
ranking."""


@dataclass(frozen=True, slots=True)
class RankingInputs:
    """All inputs of a ranking, for those who ask more of it than the ranking itself."""

    need: Need
    register: Register
    situation: Situation
    policy: Policy
    dangers_on: DangersOn = dangers_on
    """What counted as danger by the rules that made the ranking."""

    def rank(self) -> Ranking:
        """The ranking that they make."""
        return rank(
            self.need, self.register, self.situation, self.policy, dangers_on=self.dangers_on
        )

    def case(self, need: Need | None = None) -> Case:
        """What follows from the need, or from another one in its place."""
        asked = self.need if need is None else need
        return case_of(
            asked, self.register, self.situation, self.policy, dangers_on=self.dangers_on
        )

    @property
    def dangers(self) -> Dangers:
        """What was kept clear of, and whether that had been assessed."""
        return self.dangers_on(self.need, today=self.situation.today, policy=self.policy)


def rank(
    need: Need,
    register: Register,
    situation: Situation,
    policy: Policy,
    *,
    dangers_on: DangersOn = dangers_on,
) -> Ranking:
    """Rank all lawful offers, and count all others by region and first rule in the way.

    The order of what goes in makes no difference to what comes out. `dangers_on`: see case_of.
    """
    case = case_of(need, register, situation, policy, dangers_on=dangers_on)
    lawful, excluded, lawful_regions = _sift(register, case)
    return Ranking(
        offers=_in_order(lawful, case, policy, points_for(case, policy)),
        excluded=tuple(
            Exclusion(rule, region, places) for (rule, region), places in sorted(excluded.items())
        ),
        considered=register.places,
        safety_assessed=case.assessed,
        lawful_regions=tuple(sorted(lawful_regions)),
    )


def _sift(
    register: Register, case: Case
) -> tuple[list[PlaceGroup], Counter[tuple[str, str]], set[str]]:
    """The lawful groups; the places of all others by rule and region.

    The regions where some group would do.
    """
    lawful: list[PlaceGroup] = []
    excluded: Counter[tuple[str, str]] = Counter()
    lawful_regions: set[str] = set()
    for group in register.groups:
        against = first_against(group, case)
        if against is None:
            lawful.append(group)
            lawful_regions.add(group.region)
            continue
        excluded[against, group.region] += group.places
        if against in OF_THE_DAY and group.region not in lawful_regions and would_do(group, case):
            lawful_regions.add(group.region)
    if own_region_goes_first(lawful, case):
        for group in lawful:
            if not is_own_region(group, case):
                excluded[OWN_REGION_FIRST, group.region] += group.places
        lawful = [group for group in lawful if is_own_region(group, case)]
    return lawful, excluded, lawful_regions


class _Scored(NamedTuple):
    """A lawful group with its points.

    `standing` is what the order is made by, the smallest first.
    """

    standing: tuple[bool, bool, int, str]
    group: PlaceGroup
    lines: tuple[Points, ...]
    score: int
    freshness: str


def _in_order(
    lawful: list[PlaceGroup],
    case: Case,
    policy: Policy,
    lines_for: Callable[[PlaceGroup], tuple[Points, ...]],
) -> tuple[Offer, ...]:
    """The offers by the policy's bands, then by points, then by id: one order, no luck."""
    known_first = "freshness" in policy.bands
    confirmed_hours, fresh_hours = case.situation.confirmed_hours, policy.fresh_hours
    scored: list[_Scored] = []
    for group in lawful:
        lines = lines_for(group)
        score = sum([line.points for line in lines])
        freshness = freshness_of(confirmed_hours.get(group.site_id), fresh_hours=fresh_hours)
        less_safe, less_known = (
            case.rooms[group.municipality].band != "ample",
            freshness == "unknown",
        )
        standing = (less_safe, known_first and less_known, -score, group.id)
        scored.append(_Scored(standing, group, lines, score, freshness))
    scored.sort(key=attrgetter("standing"))
    return tuple(_offer(entry, case, rank=rank) for rank, entry in enumerate(scored, start=1))


def _offer(scored: _Scored, case: Case, *, rank: int) -> Offer:
    group, room = scored.group, case.rooms[scored.group.municipality]
    return Offer(
        group=group,
        rank=rank,
        band=room.band,
        score=scored.score,
        points=scored.lines,
        free=case.situation.free[group.id],
        cross_regional=not is_own_region(group, case),
        clearance_km=room.clearance_km,
        margin_km=room.margin_km,
        freshness=scored.freshness,
    )
