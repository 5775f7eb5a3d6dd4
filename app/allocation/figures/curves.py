"""Curves of how long stays last, as far as everybody may see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.allocation.figures.suppression import FEW
from app.allocation.figures.survival import median_days, staying_after

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from app.allocation.figures.survival import SurvivalStep

EDGES = (14, 30, 60, 90, 180, 365)
"""Days at which a curve has a point; between two of them lies a class of stays by their length."""

CLASSES = ("0-13", "14-29", "30-59", "60-89", "90-179", "180-364", "365+")

MEDIAN_STEP_DAYS = 5
"""A median is told in steps: exactly, it is how long one household stayed."""


@dataclass(frozen=True, slots=True)
class Point:
    """What part of the stays, in whole per cent, lasts `days` days or longer."""

    days: int
    staying_percent: int


@dataclass(frozen=True, slots=True)
class Curve:
    """As many points as may be seen, and the median if it lies among them."""

    median_days: int | None
    points: tuple[Point, ...]


def class_of(days: int) -> str:
    """The class of a stay that lasted so many days."""
    return next(
        (name for edge, name in zip(EDGES, CLASSES, strict=False) if days < edge), CLASSES[-1]
    )


def curve(steps: Sequence[SurvivalStep], *, shown: Collection[str]) -> Curve:
    """The curve as far as it may be seen.

    `shown` are the classes whose number of ended stays may be seen.

    It ends before the first class that is hidden, and where fewer than ten stays are left to look
    at. The points rest on the same departures that are shown by class, so they say nothing of the
    others.
    """
    points: list[Point] = []
    for edge, name in zip(EDGES, CLASSES, strict=False):
        if name not in shown or any(step.at_risk < FEW for step in steps if step.days < edge):
            break
        points.append(Point(edge, round(staying_after(steps, days=edge - 1) * 100)))
    median = median_days(steps)
    if median is None or not points or median >= points[-1].days:
        return Curve(None, tuple(points))
    return Curve(
        (median + MEDIAN_STEP_DAYS // 2) // MEDIAN_STEP_DAYS * MEDIAN_STEP_DAYS, tuple(points)
    )
