"""Facts not known yet, and how many more offers each might open.

A rule takes what is not known for the worst that it can be: a child of unknown gender for a son,
one of unknown age for 17, an origin that nobody asked about, or not since all zones ended, for a
danger zone. Here each is taken for the best that it can be instead. That says nothing about what is
likely, and danger that was not assessed is never called safe: the answer may as well leave out
more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from app.allocation.ranking.case import oldest_son
from app.allocation.ranking.rules import first_against, is_own_region

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.allocation.ranking.case import Case
    from app.allocation.ranking.rank import RankingInputs
    from app.allocation.values import Child, Household, Need, PlaceGroup

SON_AGE, CHILD_AGE, CHILD_GENDER, DANGER = (
    "son_age",
    "child_age",
    "child_gender",
    "danger_assessment",
)
FACTS = (SON_AGE, CHILD_AGE, CHILD_GENDER, DANGER)
"""What can be missing, and keep an offer away."""

WHERE_IT_SHOWS = frozenset({"household", "danger"})
"""The rules that look at such a fact: only what one of them left out can be opened by knowing
it."""

YOUNGEST = 0
"""Years: the best that a son's age can be."""


@dataclass(frozen=True, slots=True)
class MissingFact:
    """An unknown fact, and how many more offers knowing it may open.

    `child` is the position of the child it is about, if any.

    `again`: the fact was known, but has run out.
    """

    fact: str
    child: int | None
    offers: int
    again: bool = False


@dataclass(frozen=True, slots=True)
class _Fact:
    name: str
    child: int | None = None
    again: bool = False


def missing_facts(inputs: RankingInputs) -> tuple[MissingFact, ...]:
    """The unknown facts that may open offers, those that may open most first.

    What a fact may open: the offers that it alone opens, and those that it opens where all the
    others turn out well.
    """
    unknown = frozenset(_unknown_facts(inputs.need, assessed=inputs.dangers.assessed))
    if not unknown:
        return ()
    opened_by = _opening(inputs)
    with_all = opened_by(unknown)
    counted = [
        MissingFact(
            fact.name,
            fact.child,
            len(opened_by(frozenset({fact})) | (with_all - opened_by(unknown - {fact}))),
            again=fact.again,
        )
        for fact in unknown
    ]
    in_order = sorted(
        counted, key=lambda fact: (-fact.offers, FACTS.index(fact.fact), fact.child or 0)
    )
    return tuple(fact for fact in in_order if fact.offers)


def _unknown_facts(need: Need, *, assessed: bool) -> Iterator[_Fact]:
    for position, child in enumerate(need.household.children):
        if child.gender is None:
            yield _Fact(CHILD_GENDER, position)
        if child.age is None and child.gender != "female":
            yield _Fact(CHILD_AGE if child.gender is None else SON_AGE, position)
    if not assessed:
        yield _Fact(DANGER, again=need.danger_assessment == "assessed")


def _opening(inputs: RankingInputs) -> Callable[[frozenset[_Fact]], frozenset[str]]:
    """A judge of the groups that are offered only once some facts turn out as good as can be.

    Facts matter by what follows from them, an oldest son and a danger zone: each pair of these is
    tried once, on the groups that a rule about them left out.
    """
    need, as_it_is = inputs.need, inputs.case()
    left_out, at_home = _left_out(inputs, as_it_is)
    assessed = inputs.case(replace(need, danger_assessment="none_known"))

    @cache
    def opened(eldest: int, asked: bool) -> frozenset[str]:  # noqa: FBT001 - a key of the cache
        case = replace(as_it_is, oldest_son=eldest, rooms=(assessed if asked else as_it_is).rooms)
        lawful = [group for group in left_out if first_against(group, case) is None]
        stays = not case.for_safety and (
            at_home or any(is_own_region(group, case) for group in lawful)
        )
        return frozenset(group.id for group in lawful if not stays or is_own_region(group, case))

    return lambda known: opened(
        oldest_son(_with_best_facts(need.household, known)),
        any(fact.name == DANGER for fact in known),
    )


def _left_out(inputs: RankingInputs, case: Case) -> tuple[list[PlaceGroup], bool]:
    """The groups that a fact may open, and whether the own region has a lawful free place."""
    left_out: list[PlaceGroup] = []
    at_home = False
    for group in inputs.register.groups:
        against = first_against(group, case)
        if against in WHERE_IT_SHOWS:
            left_out.append(group)
        at_home = at_home or (against is None and is_own_region(group, case))
    return left_out, at_home


def _with_best_facts(household: Household, known: frozenset[_Fact]) -> Household:
    """The household as it would be if these facts were the best that they can be."""
    children = tuple(
        _as_known(child, position, known) for position, child in enumerate(household.children)
    )
    return replace(household, children=children)


def _as_known(child: Child, position: int, known: frozenset[_Fact]) -> Child:
    age_known = not known.isdisjoint({_Fact(CHILD_AGE, position), _Fact(SON_AGE, position)})
    gender_known = _Fact(CHILD_GENDER, position) in known
    return replace(
        child,
        age=YOUNGEST if age_known else child.age,
        gender="female" if gender_known else child.gender,
    )
