"""The ways of choosing that are set side by side, and years of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from app.allocation.policy.policy import Policy
from app.reference import ReferenceFiles, arrivals_by_hour
from app.simulation.arrivals import SimulatedArrival, draw_arrivals
from app.simulation.assumptions import DAYS_A_YEAR
from app.simulation.choosers import choose_best, choose_by_phone_round, choose_nearest
from app.simulation.outcome import YearOutcome
from app.simulation.world import World, demo_world
from app.simulation.year import Way, Year

SWEPT = (0, 12, 25, 50, 100, 150, 200, 300, 400)
"""Points a stay that a sweep tries."""

PHONE_ROUND, PLEK, UNSTEERED = "Phone round", "Plek", "Plek, no solidarity"

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many nights have gone by, of how many."""


def compared_ways(policy: Policy) -> tuple[Way, ...]:
    """Return the ways that are compared, Plek under a policy among them."""
    return (
        Way("Nearest safe place", policy, choose_nearest),
        Way(PHONE_ROUND, policy, choose_by_phone_round),
        Way(UNSTEERED, with_solidarity(policy, stay=0), choose_best),
        Way(PLEK, policy, choose_best),
        Way("Plek with caps", policy, choose_best, caps=True),
    )


def solidarity_sweep(policy: Policy) -> tuple[Way, ...]:
    """Return Plek with less and with more solidarity, the policy's own weight among them."""
    own = policy.points.solidarity.stay
    return tuple(
        Way(str(stay), with_solidarity(policy, stay=stay), choose_best)
        for stay in sorted({*SWEPT, own})
    )


def with_solidarity(policy: Policy, *, stay: int) -> Policy:
    """Return a policy with another weight of solidarity."""
    points = policy.points
    return replace(policy, points=replace(points, solidarity=replace(points.solidarity, stay=stay)))


@dataclass(frozen=True, slots=True)
class Scene:
    """The same country and the same households, for every way."""

    world: World
    arrivals: tuple[SimulatedArrival, ...]
    days: int

    def outcomes(
        self, ways: Sequence[Way], *, progress: Progress = lambda _done, _total: None
    ) -> Iterator[YearOutcome]:
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
        arrivals=draw_arrivals(
            reference,
            by_hour=arrivals_by_hour(reference.country.jurisdiction),
            seed=seed,
            days=days,
            answer_minutes=policy.answer_minutes,
        ),
        days=days,
    )
