"""Whether a place still does.

Every lasting rule is asked again, and those of the day are not.
"""

from __future__ import annotations

from dataclasses import replace

from app.allocation.ranking.obstacles import STANDING_RULES, still_against
from app.allocation.ranking.rules import OF_THE_DAY
from tests.unit.allocation.cases import PLACE, POLICY, QUIET, SAFE_NEED, family, zone


def test_nothing_is_in_the_way_of_a_place_that_still_does() -> None:
    paused = replace(PLACE, admission="paused")
    assert still_against(SAFE_NEED, paused, QUIET, policy=POLICY) == ()


def test_every_rule_in_the_way_is_named_in_the_rules_order() -> None:
    need = replace(
        SAFE_NEED,
        urgency="planned",
        reason="capacity",
        household=replace(family(), adults=family().adults * 2),
        needs=("wheelchair",),
        threat_level=3,
        danger_assessment="assessed",
        danger_zones=(zone("away"),),
        barred_providers=("p1",),
    )
    place = replace(PLACE, genders=("male",), exclusive_to=("addiction",), address_secrecy="known")
    against = still_against(
        need, place, replace(QUIET, capped_regions=frozenset({place.region})), policy=POLICY
    )
    assert against == tuple(rule.__name__ for rule in STANDING_RULES)
    assert OF_THE_DAY.intersection(against) == {"cap"}
