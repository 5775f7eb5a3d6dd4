"""One referral in one situation, with all that rules and points look up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.allocation.ranking.safety import dangers_on, lawful_rooms
from app.allocation.values import KINDS_FOR_URGENCY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.allocation.policy.policy import Policy
    from app.allocation.ranking.safety import DangersOn, Room
    from app.allocation.values import Household, Need, Register, Situation

HIGHEST_THREAT_LEVEL = 3

NEEDS_OF_THE_SITE = frozenset({"confidential_address", "supervision_24h"})
"""Needs that are no features: the site's address secrecy and supervision answer them."""

OLDEST_CHILD = 17
"""Years: what a child's age counts as when nobody knows it, for the unknown is never lawful by
assumption."""

NO_SONS = -1
"""Below the age of any son."""


@dataclass(frozen=True, slots=True)
class Case:
    """The need and the situation, with the sets and limits that follow from them."""

    need: Need
    situation: Situation
    kinds: frozenset[str]
    persons: int
    genders: frozenset[str]
    oldest_son: int
    target_groups: frozenset[str]
    features: frozenset[str]
    needs_confidential_address: bool
    needs_supervision_24h: bool
    at_highest_threat: bool
    for_safety: bool
    barred: frozenset[str]
    rooms: Mapping[str, Room]
    assessed: bool
    """Whether an assessment of the danger holds today."""


def case_of(
    need: Need,
    register: Register,
    situation: Situation,
    policy: Policy,
    *,
    dangers_on: DangersOn = dangers_on,
) -> Case:
    """What follows from a need in a situation, under a policy.

    `dangers_on`: what counts as danger; earlier rules saw less.
    """
    dangers = dangers_on(need, today=situation.today, policy=policy)
    return Case(
        need=need,
        situation=situation,
        kinds=KINDS_FOR_URGENCY[need.urgency],
        persons=need.household.persons,
        genders=frozenset(adult.gender for adult in need.household.adults),
        oldest_son=oldest_son(need.household),
        target_groups=frozenset(need.target_groups),
        features=features_asked_for(need),
        needs_confidential_address="confidential_address" in need.needs,
        needs_supervision_24h="supervision_24h" in need.needs,
        at_highest_threat=need.threat_level == HIGHEST_THREAT_LEVEL,
        for_safety=need.reason == "safety",
        barred=frozenset(need.barred_providers),
        rooms=lawful_rooms(
            register.municipalities,
            zones=dangers.zones,
            clearances=situation.clearances,
            ample_margin_km=policy.ample_margin_km,
        ),
        assessed=dangers.assessed,
    )


def features_asked_for(need: Need) -> frozenset[str]:
    """The features that a place must have.

    Needs that are features, and room for pets.
    """
    of_the_household = ("pets",) if need.household.pets else ()
    return frozenset((*need.needs, *of_the_household)) - NEEDS_OF_THE_SITE


def oldest_son(household: Household) -> int:
    """The age of the oldest possible son, in years.

    A child of unknown gender may be a son, and one of unknown age may be 17.
    """
    sons = [child for child in household.children if child.gender != "female"]
    return max((OLDEST_CHILD if son.age is None else son.age for son in sons), default=NO_SONS)
