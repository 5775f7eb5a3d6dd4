"""Reasons in words on the wire: points, exclusions, and facts that are missing."""

from functools import lru_cache
from typing import Literal

from pydantic import Field

from app.allocation.ranking.left_out import LeftOut, Trade, band_of
from app.allocation.ranking.missing_facts import MissingFact
from app.allocation.values import Points
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


Places = Literal["1-4", "5-19", "20+"]
"""How many places, in a band."""


class ExclusionOut(Out):
    """How many places in a region one rule left out, in a band."""

    rule: str
    region: str | None = Field(description="Null for `free`, which is told for the country.")
    places: Places
    text: TextOut


class WithoutPetsOut(Out):
    """That a household would do without its animals."""

    pets: Literal[True]


class WithoutNeedOut(Out):
    """That a household would do without a feature."""

    need: str


class TradeOut(Out):
    """How many free places there would be without one thing, in a band."""

    without: WithoutPetsOut | WithoutNeedOut
    places: Places


class MissingOut(Out):
    """Something not known of the household that may keep offers away."""

    fact: Literal["son_age", "child_age", "child_gender", "danger_assessment"]
    pointer: str = Field(
        description="JSON pointer to it in the referral.", examples=["/household/children/0/age"]
    )
    offers: Places = Field(
        description="How many more offers may open once it is known, at best, in a band."
    )
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


def exclusion_out(found: LeftOut, reference: Reference) -> ExclusionOut:
    """Return how many places a rule left out, in words too."""
    name = None if found.region is None else reference.regions[found.region].name
    return _exclusion(found.rule, found.region, found.band, name)


@lru_cache(maxsize=SENTENCES)
def _exclusion(rule: str, region: str | None, places: str, region_name: str | None) -> ExclusionOut:
    words = TextOut(
        nl=exclusion_text(rule, places, language="nl", region_name=region_name),
        en=exclusion_text(rule, places, language="en", region_name=region_name),
    )
    return ExclusionOut.model_validate(
        {"rule": rule, "region": region, "places": places, "text": words}
    )


def trade_out(trade: Trade) -> TradeOut:
    """Return what a household could do without, and how many free places that would open."""
    without = WithoutPetsOut(pets=True) if trade.need is None else WithoutNeedOut(need=trade.need)
    return TradeOut.model_validate({"without": without, "places": trade.band})


def missing_out(missing: MissingFact) -> MissingOut:
    """Return a fact that is missing, and where it stands in the referral."""
    offers = band_of(missing.offers)
    words = TextOut(
        nl=missing_text(missing, offers=offers, language="nl"),
        en=missing_text(missing, offers=offers, language="en"),
    )
    pointer = POINTERS[missing.fact].format(child=missing.child)
    return MissingOut.model_validate(
        {"fact": missing.fact, "pointer": pointer, "offers": offers, "text": words}
    )
