"""The ways of choosing that are set side by side, and years of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from app.allocation.policy.policy import Policy
from app.reference import ReferenceFiles, arrivals_by_hour
from app.simulation.arrivals import Arrival, draw
from app.simulation.assumptions import DAYS_A_YEAR
from app.simulation.choosing import best, nearest, phone_round
from app.simulation.outcome import Outcome
from app.simulation.world import World, demo_world
from app.simulation.year import Way, Year

SWEPT = (0, 12, 25, 50, 100, 150, 200, 300, 400)
"""Points a stay that a sweep tries."""

PHONE_ROUND, PLEK, UNSTEERED = "Phone round", "Plek", "Plek, no solidarity"

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many nights have gone by, of how many."""


def side_by_side(policy: Policy) -> tuple[Way, ...]:
    """Return the ways that are compared, Plek under a policy among them."""
    return (
        Way("Nearest safe place", policy, nearest),
        Way(PHONE_ROUND, policy, phone_round),
        Way(UNSTEERED, weighing(policy, stay=0), best),
        Way(PLEK, policy, best),
        Way("Plek with caps", policy, best, caps=True),
    )


def sweep(policy: Policy) -> tuple[Way, ...]:
    """Return Plek with less and with more solidarity, the policy's own weight among them."""
    own = policy.points.solidarity.stay
    return tuple(
        Way(str(stay), weighing(policy, stay=stay), best) for stay in sorted({*SWEPT, own})
    )


def weighing(policy: Policy, *, stay: int) -> Policy:
    """Return a policy with another weight of solidarity."""
    points = policy.points
    return replace(policy, points=replace(points, solidarity=replace(points.solidarity, stay=stay)))


@dataclass(frozen=True, slots=True)
class Scene:
    """The same country and the same households, for every way."""

    world: World
    arrivals: tuple[Arrival, ...]
    days: int

    def outcomes(
        self, ways: Sequence[Way], *, progress: Progress = lambda _done, _total: None
    ) -> Iterator[Outcome]:
        """Yield what comes of each way."""
        total = len(ways) * self.days
        for number, way in enumerate(ways):
            nights = iter(range(1 + number * self.days, total + 1))
            year = Year(
                self.world, way, progress=lambda nights=nights: progress(next(nights), total)
            )
            yield year.run(self.arrivals, days=self.days)


def scene(
    reference: ReferenceFiles, policy: Policy, *, seed: int, days: int = DAYS_A_YEAR
) -> Scene:
    """Return the demo country and its arrivals, from a seed."""
    return Scene(
        world=demo_world(reference, seed=seed),
        arrivals=draw(
            reference,
            by_hour=arrivals_by_hour(reference.country.jurisdiction),
            seed=seed,
            days=days,
            answer_minutes=policy.answer_minutes,
        ),
        days=days,
    )
