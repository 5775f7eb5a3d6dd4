"""Small peaks, drawn or made by hand, and two other ways to find the best plan.

Trying everything, and programming.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from app.allocation.peaks import peaks
from app.allocation.peaks.peaks import AIMS, PeakChoice, PeakReferral
from app.allocation.values import Offer
from tests.unit.allocation.cases import PLACE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

BANDS = ("safety", "freshness")
MOST_POINTS = 7_000
"""Seven factors of at most 1,000 each."""


def offered(
    group: str, *, band: str = "ample", score: int = 100, freshness: str = "fresh"
) -> Offer:
    return Offer(
        replace(PLACE, id=group),
        1,
        band,
        score,
        (),
        1,
        cross_regional=True,
        clearance_km=None,
        margin_km=None,
        freshness=freshness,
    )


def asking(
    id_: str, *choices: Offer | PeakChoice, urgency: str = "acute", for_safety: bool = True
) -> PeakReferral:
    chosen = [PeakChoice(one) if isinstance(one, Offer) else one for one in choices]
    return PeakReferral(id_, urgency, for_safety, tuple(chosen), BANDS)


def abroad(group: str, **more: object) -> PeakChoice:
    return PeakChoice(offered(group, **more), leaves=True)  # type: ignore[arg-type]


def groups(made: peaks.Plan) -> list[str | None]:
    return [one.choice and one.choice.group for one in made.referrals]


def drawn(
    luck: Random, *, askers: int, groups: int, scores: int = 4
) -> tuple[list[PeakReferral], dict[str, int]]:
    """A peak with many ties: few scores, few places.

    Each asker's choices in the order of a ranking.
    """
    free = {f"g{number}": luck.choice((0, 1, 1, 2, 5)) for number in range(groups)}
    drawn: list[PeakReferral] = []
    for number in range(askers):
        for_safety, urgency = luck.random() < 0.6, luck.choice(peaks.URGENCIES)
        lawful = luck.sample(sorted(free), luck.randint(0, min(groups, 4)))
        choices = [
            PeakChoice(
                offered(
                    group,
                    band=luck.choice(("ample", "sufficient")),
                    score=luck.randrange(scores),
                    freshness=luck.choice(("fresh", "stale", "unknown")),
                ),
                leaves=not for_safety and place > 0,
            )
            for place, group in enumerate(lawful)
        ]
        one = PeakReferral(str(number), urgency, for_safety, (), luck.choice((BANDS, BANDS[:1])))
        choices.sort(
            key=lambda choice: (
                choice.leaves,
                one.lesser(choice),
                -choice.offer.score,
                choice.group,
            )
        )
        drawn.append(replace(one, choices=tuple(choices)))
    return drawn, free


def worth(askers: Sequence[PeakReferral], taken: Sequence[PeakChoice | None]) -> tuple[int, ...]:
    """What all aims come to, written another way than the plan has them.

    The more the better, the first first.
    """
    pairs = [(one, choice) for one, choice in zip(askers, taken, strict=True) if choice is not None]
    placed = Counter(one.urgency for one, _ in pairs)
    unsafe = Counter(one.for_safety for one, choice in pairs if choice.offer.band == "sufficient")
    return (
        placed["acute"],
        placed["urgent"],
        placed["planned"],
        -unsafe[True],
        -sum(choice.leaves for _, choice in pairs),
        -unsafe[False],
        -sum(
            "freshness" in one.bands and choice.offer.freshness == "unknown"
            for one, choice in pairs
        ),
        sum(choice.offer.score for _, choice in pairs),
    )


def tried(askers: Sequence[PeakReferral], free: Mapping[str, int]) -> list[PeakChoice | None]:
    """The best of every way there is.

    By its worth, then by who comes first and what they would take first.
    """

    def standing(taken: Sequence[PeakChoice | None]) -> tuple[object, ...]:
        order = [
            len(one.choices) if choice is None else one.choices.index(choice)
            for one, choice in zip(askers, taken, strict=True)
        ]
        return (*(-value for value in worth(askers, taken)), *order)

    ways = itertools.product(*((*one.choices, None) for one in askers))
    lawful = (
        way
        for way in ways
        if all(n <= free[g] for g, n in Counter(c.group for c in way if c).items())
    )
    return list(min(lawful, key=standing))


def solved(askers: Sequence[PeakReferral], free: Mapping[str, int]) -> tuple[int, ...]:
    """The best worth by integer programming, aim after aim, each kept at its best."""
    pairs = [(row, choice) for row, one in enumerate(askers) for choice in one.choices]
    once = np.array([[pair[0] == row for pair in pairs] for row in range(len(askers))], dtype=float)
    room = np.array([[pair[1].group == group for pair in pairs] for group in free], dtype=float)
    most: Any = np.array([*free.values()], dtype=float)
    limits = [LinearConstraint(once, -np.inf, 1), LinearConstraint(room, -np.inf, most)]
    best: list[int] = []
    for aim in range(len(AIMS)):
        values = np.array(
            [worth([askers[row]], [choice])[aim] for row, choice in pairs], dtype=float
        )
        found = milp(
            -values, constraints=limits, integrality=np.ones(len(pairs)), bounds=Bounds(0, 1)
        )
        best.append(round(float(values @ np.round(found.x))))
        limits.append(LinearConstraint(values[None, :], best[-1] - 0.5, np.inf))
    return tuple(best)
