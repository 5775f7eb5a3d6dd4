"""Reasons in words on the wire: points, exclusions, and facts that are missing."""

from functools import lru_cache
from typing import Literal

from pydantic import Field

from app.allocation.ranking.missing_facts import MissingFact
from app.allocation.values import Exclusion, Points
from app.api.kit.wire import Out
from app.database.reference import Reference
from app.words.ranking import exclusion_text, missing_text, point_text

SENTENCES = 4096
"""How many sentences of a kind are kept; they name rules and regions, never a household."""

POINTERS = {
    "son_age": "/household/children/{child}/age",
    "child_age": "/household/children/{child}/age",
    "child_gender": "/household/children/{child}/gender",
    "danger_assessment": "/dangerAssessment",
}


class TextOut(Out):
    """The same words in each language."""

    nl: str
    en: str


class PointsOut(Out):
    """What one factor gave."""

    factor: str
    points: int
    text: TextOut


class ExclusionOut(Out):
    """How many places in a region one rule left out."""

    rule: str
    region: str
    places: int
    text: TextOut


class MissingOut(Out):
    """Something not known of the household that may keep offers away."""

    fact: Literal["son_age", "child_age", "child_gender", "danger_assessment"]
    pointer: str = Field(
        description="JSON pointer to it in the referral.", examples=["/household/children/0/age"]
    )
    offers: int = Field(description="How many more offers may open once it is known, at best.")
    text: TextOut


# A ranking has some two hundred sentences, and the next one nearly the same: they are worded once
# and kept.


def points_out(line: Points) -> PointsOut:
    """Return the points that a factor gave, and why, in words."""
    return _line(line.factor, line.points, tuple(line.params.items()))


@lru_cache(maxsize=SENTENCES)
def _line(factor: str, points: int, params: tuple[tuple[str, int | str], ...]) -> PointsOut:
    line = Points(factor, points, dict(params))
    words = TextOut(nl=point_text(line, language="nl"), en=point_text(line, language="en"))
    return PointsOut(factor=factor, points=points, text=words)


def exclusion_out(excluded: Exclusion, reference: Reference) -> ExclusionOut:
    """Return how many places of a region a rule left out, in words too."""
    return _exclusion(excluded, reference.regions[excluded.region].name)


@lru_cache(maxsize=SENTENCES)
def _exclusion(excluded: Exclusion, region_name: str) -> ExclusionOut:
    words = TextOut(
        nl=exclusion_text(excluded, language="nl", region_name=region_name),
        en=exclusion_text(excluded, language="en", region_name=region_name),
    )
    return ExclusionOut(
        rule=excluded.rule, region=excluded.region, places=excluded.places, text=words
    )


def missing_out(missing: MissingFact) -> MissingOut:
    """Return a fact that is missing, and where it stands in the referral."""
    words = TextOut(
        nl=missing_text(missing, language="nl"), en=missing_text(missing, language="en")
    )
    pointer = POINTERS[missing.fact].format(child=missing.child)
    return MissingOut.model_validate(
        {"fact": missing.fact, "pointer": pointer, "offers": missing.offers, "text": words}
    )
