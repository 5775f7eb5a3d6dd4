from __future__ import annotations

import re
from dataclasses import replace
from random import Random

import pytest

from app.allocation.ranking.missing_facts import FACTS, MissingFact
from app.allocation.ranking.own_region import UNSUITABLE
from app.allocation.ranking.points import FACTORS
from app.allocation.ranking.rules import CODES
from app.allocation.shares.shares import NIGHT
from app.allocation.values import KINDS_FOR_URGENCY, Points
from app.reference import load
from app.words.ranking import (
    MISSING,
    POINTS,
    RULES,
    exclusion_text,
    missing_text,
    point_text,
    safety_text,
    there_text,
)
from tests.unit.allocation.cases import QUIET, SAFE_NEED, draw_world, only_offer, rank_one, zone


def test_every_rule_and_every_factor_has_words() -> None:
    assert set(RULES) == {*CODES, UNSUITABLE}
    assert {key.split(".")[0] for key in POINTS} == set(FACTORS)
    assert {key.split(".")[0] for key in MISSING} == set(FACTS)
    kinds = {
        f"fit.{urgency}_{kind}" for urgency, kinds in KINDS_FOR_URGENCY.items() for kind in kinds
    }
    assert kinds <= set(POINTS)


@pytest.mark.parametrize("language", load().country.languages)
def test_whatever_is_ranked_can_be_said(language: str) -> None:
    said: set[str] = set()
    for seed in range(1500):
        world = draw_world(Random(seed), most_groups=8)
        ranking = world.rank()
        for offer in ranking.offers:
            said |= {point_text(line, language=language) for line in offer.points}
            said.add(safety_text(offer, safety_assessed=ranking.safety_assessed, language=language))
        said |= {
            exclusion_text(out.rule, "5-19", language=language, region_name="Zwolle")
            for out in ranking.excluded
        }

    for sentence in said:
        assert re.fullmatch(r"[0-9A-Z][^{}%]*[.]", sentence), sentence


@pytest.mark.parametrize(
    "points, nl, en",
    [
        (
            Points("fit", 105, {"case": "acute_crisis", "spare": 1, "scarce": 0, "unused": 1}),
            "Crisisplek bij acute nood; groter of bijzonderder dan nodig.",
            "Crisis place for an acute need; larger or more particular than needed.",
        ),
        (
            Points("fit", 120, {"case": "planned_move_on", "spare": 0, "scarce": 0, "unused": 0}),
            "Doorstroomwoning, volgens plan; niet groter of bijzonderder dan nodig.",
            "Move-on home, as planned; no larger or more particular than needed.",
        ),
        (
            Points("nearness", 90, {"case": "within", "km": 60}),
            "50-75 km hemelsbreed van de gemeente waar ze in de buurt willen blijven.",
            "50-75 km, as the crow flies, from the municipality that they want to stay near.",
        ),
        (
            Points("nearness", 1, {"case": "within", "km": 195}),
            "150+ km hemelsbreed van de gemeente waar ze in de buurt willen blijven.",
            "150+ km, as the crow flies, from the municipality that they want to stay near.",
        ),
        (
            Points("freshness", 12, {"case": "stale", "hours": 50}),
            "Al 50 uur niet bijgewerkt: bel voor de zekerheid.",
            "Not updated for 50 hours: call to be sure.",
        ),
        (
            Points("continuity", 30, {"case": "moves", "moves": 1}),
            "Later nog 1 verhuizing.",
            "1 more move later on.",
        ),
    ],
)
def test_points_are_said_plainly(points: Points, nl: str, en: str) -> None:
    assert (point_text(points, language="nl"), point_text(points, language="en")) == (nl, en)


def test_an_exclusion_says_how_many_where_and_why() -> None:
    assert exclusion_text("danger", "5-19", language="nl", region_name="Den Haag") == (
        "5-19 plekken in Den Haag: te dicht bij een onveilig gebied."
    )
    assert exclusion_text("free", "20+", language="en") == (
        "20+ places: would do, and nothing like it is free now."
    )


def test_safety_is_said_with_the_room_it_leaves() -> None:
    need = replace(SAFE_NEED, danger_zones=(zone(radius_km=50),))
    roomy = only_offer(rank_one(need, situation=replace(QUIET, clearances={"home": {"away": 93}})))
    tight = only_offer(rank_one(need, situation=replace(QUIET, clearances={"home": {"away": 50}})))

    assert safety_text(roomy, safety_assessed=True, language="nl") == (
        "90 km vrij van elk onveilig gebied, 40 km meer dan nodig."
    )
    assert (
        safety_text(tight, safety_assessed=True, language="en")
        == "50 km clear of every unsafe area, just enough."
    )
    assert safety_text(roomy, safety_assessed=False, language="en").startswith(
        "Safety not assessed"
    )
    assert (
        safety_text(only_offer(rank_one()), safety_assessed=True, language="en")
        == "No unsafe area known."
    )


def test_solidarity_in_words_follows_the_sign() -> None:
    owing = only_offer(rank_one(situation=replace(QUIET, deficits={"AWAY": -200 * NIGHT})))

    assert (
        point_text(owing.points[4], language="en")
        == "This region has given at least 180 nights more than its share."
    )


def test_what_is_missing_is_said_with_what_it_counts_as_and_what_asking_may_bring() -> None:
    son = MissingFact("son_age", 1, 4)

    assert missing_text(son, offers="1-4", language="nl") == (
        "De leeftijd van de zoon (kind 2) is niet bekend; hij telt nu als 17. Vraag ernaar: er "
        "kunnen 1-4 aanbiedingen"
        " bij komen."
    )
    of_a_child = replace(son, fact="child_gender")
    assert missing_text(of_a_child, offers="20+", language="en").endswith(
        "20+ more offers may open."
    )
    ended = MissingFact("danger_assessment", None, 3, again=True)
    assert missing_text(ended, offers="1-4", language="en").startswith(
        "All unsafe areas have ended: assess the danger again."
    )
    assert missing_text(ended, offers="1-4", language="nl").startswith(
        "Alle onveilige gebieden zijn verlopen: beoordeel het gevaar"
    )


def test_danger_that_nobody_asked_about_is_never_called_safe() -> None:
    words = missing_text(MissingFact("danger_assessment", None, 3), offers="1-4", language="en")

    assert words.startswith("Nobody has asked yet where it is unsafe")
    assert "If it turns out safe there: 1-4 more offers may open." in words
    assert words.endswith("If it turns out unsafe elsewhere too, offers will fall away instead.")


@pytest.mark.parametrize(
    "places, ranks, nl",
    [
        ("0", [], "Zwolle heeft geen plekken in het register."),
        ("5-19", [], "Geen van de 5-19 plekken van Zwolle kan nu."),
        ("5-19", [3], "Zwolle staat in de rangorde, op plaats 3."),
        (
            "5-19",
            [1, 2, 4, 5, 8, 9],
            "Zwolle staat in de rangorde, op de plaatsen 1, 2, 4, 5, 8 en verder.",
        ),
    ],
)
def test_a_region_asked_about_by_name_is_answered_in_one_sentence(
    places: str, ranks: list[int], nl: str
) -> None:
    assert there_text("Zwolle", places=places, ranks=ranks, language="nl") == nl
