"""The outcome of a simulated year in figures."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from statistics import fmean

from app.simulation.assumptions import HOUR


@dataclass(frozen=True, slots=True)
class YearOutcome:
    """The figures of one way of choosing.

    Attributes:
        name: of the way.
        households: how many came.
        deviation: total relative deviation of the safety nights.
        safety_nights: nights given across regions for safety.
        within_hour: share of all households that were placed within an hour.
        at_once: share of all households for which something lawful was free when they came.
        placed: share of all households that were placed at all.
        wait_hours: mean, of those placed.
        wish_km: mean distance from what those placed wanted near, of those who wanted something.
        home_km: mean distance from home of those placed.
        moves: moves a household, of those placed.
        left_region: share of the clients placed who were placed in another region, by reason.
        violations: what the independent check found, by what it is.
        given, quota: nights by region, in millionths.
        by_day: the deviation at each midnight.
    """

    name: str
    households: int
    deviation: Fraction
    safety_nights: int
    within_hour: float
    at_once: float
    placed: float
    wait_hours: float
    wish_km: float
    home_km: float
    moves: float
    left_region: Mapping[str, float]
    violations: Mapping[str, int]
    given: Mapping[str, int]
    quota: Mapping[str, int]
    by_day: tuple[Fraction, ...]


@dataclass(slots=True)
class YearTally:
    """What is written down while the year goes by."""

    came: int = 0
    at_once: int = 0
    moves: int = 0
    clients: int = 0
    waits: list[int] = field(default_factory=list[int])
    """Minutes until each placement, answers included."""
    wish_km: list[int] = field(default_factory=list[int])
    home_km: list[int] = field(default_factory=list[int])
    left_region: Counter[str] = field(default_factory=Counter[str])
    violations: Counter[str] = field(default_factory=Counter[str])
    by_day: list[Fraction] = field(default_factory=list[Fraction])

    def outcome(
        self, name: str, *, given: Mapping[str, int], quota: Mapping[str, int]
    ) -> YearOutcome:
        """Return the figures of the year."""
        came, clients = max(1, self.came), max(1, self.clients)
        return YearOutcome(
            name=name,
            households=self.came,
            deviation=self.by_day[-1],
            safety_nights=sum(given.values()),
            within_hour=sum(wait <= HOUR for wait in self.waits) / came,
            at_once=self.at_once / came,
            placed=len(self.waits) / came,
            wait_hours=_mean(self.waits) / HOUR,
            wish_km=_mean(self.wish_km),
            home_km=_mean(self.home_km),
            moves=self.moves / max(1, len(self.waits)),
            left_region={
                reason: count / clients for reason, count in sorted(self.left_region.items())
            },
            violations=dict(sorted(self.violations.items())),
            given=dict(given),
            quota=dict(quota),
            by_day=tuple(self.by_day),
        )


def _mean(numbers: list[int]) -> float:
    return fmean(numbers) if numbers else 0.0
