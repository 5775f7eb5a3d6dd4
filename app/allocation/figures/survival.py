"""The survival curve of stays; some go on, or began before they were observed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class ObservedStay:
    """A stay as far as it was observed.

    From its day `entered` to its day `left`, both included; it begins on day 0.

    `ended`: whether it ended on that last day; else it went on when nobody looked any more. `count`
    stays were alike.
    """

    entered: int
    left: int
    ended: bool
    count: int = 1


@dataclass(frozen=True, slots=True)
class SurvivalStep:
    """Day `days` of a stay.

    Of the `at_risk` that were observed on it `ended` ended, and `staying` is what is left.

    `staying` is the part of all stays that lasts longer than that day, an exact fraction.
    """

    days: int
    at_risk: int
    ended: int
    staying: Fraction


def survival(stays: Iterable[ObservedStay]) -> tuple[SurvivalStep, ...]:
    """The product-limit estimate: a step for each day on which a stay ended, in order.

    Stays that go on count as long as they were seen, and those that had begun before from when they
    were. Source: Kaplan and Meier, Nonparametric estimation from incomplete observations, 1958;
    with late entry: Klein and Moeschberger, Survival analysis, 2003, section 4.6.

    Raises:
        ValueError: where a stay was left before it was entered.
    """
    joins, leaves, ends = Counter[int](), Counter[int](), Counter[int]()
    for stay in stays:
        if not 0 <= stay.entered <= stay.left:
            raise ValueError(
                "a stay is entered on day nought or later, and left no sooner than that"
            )
        joins[stay.entered] += stay.count
        leaves[stay.left + 1] += stay.count
        if stay.ended:
            ends[stay.left] += stay.count
    steps: list[SurvivalStep] = []
    at_risk, staying = 0, Fraction(1)
    for day in sorted(joins.keys() | leaves.keys() | ends.keys()):
        at_risk += joins[day] - leaves[day]
        if ends[day]:
            staying *= Fraction(at_risk - ends[day], at_risk)
            steps.append(SurvivalStep(day, at_risk, ends[day], staying))
    return tuple(steps)


def staying_after(steps: Iterable[SurvivalStep], *, days: int) -> Fraction:
    """The part of all stays that lasts longer than some days."""
    return min((step.staying for step in steps if step.days <= days), default=Fraction(1))


def median_days(steps: Iterable[SurvivalStep]) -> int | None:
    """The first day after which at most half of all stays go on.

    None where more than half go on as far as was seen.
    """
    return next((step.days for step in steps if step.staying <= Fraction(1, 2)), None)
