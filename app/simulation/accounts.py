"""The safety account of a simulated year, kept night by night."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from app.allocation.shares.shares import NIGHT, divide, total_relative_deviation


@dataclass(frozen=True, slots=True, eq=False)
class RunningStay:
    """A running stay: one region gives its nights, all lawful regions owe a part of them."""

    receiving: str
    parts: Mapping[str, int]


class SafetyAccounts:
    """What each region gave and owed so far, and does each night, in millionths of a night."""

    def __init__(self, weights: Mapping[str, int]) -> None:
        self._weights = weights
        nothing = dict.fromkeys(sorted(weights), 0)
        self.given, self.quota = Counter(nothing), Counter(nothing)
        self._nightly_given, self._nightly_quota = Counter(nothing), Counter(nothing)

    def begin(self, receiving: str, *, lawful: Iterable[str]) -> RunningStay:
        """Let a stay count from the next midnight on."""
        stay = RunningStay(receiving, divide(lawful, self._weights))
        self._nightly_given[receiving] += NIGHT
        self._nightly_quota.update(stay.parts)
        return stay

    def end(self, stay: RunningStay) -> None:
        """Let a stay count no longer."""
        self._nightly_given[stay.receiving] -= NIGHT
        self._nightly_quota.subtract(stay.parts)

    def count_night(self) -> None:
        """Count one night of each running stay."""
        self.given.update(self._nightly_given)
        self.quota.update(self._nightly_quota)

    def deficits(self, *, nights_ahead: int) -> Mapping[str, int]:
        """Each region's deficit as rankings see it, with some nights of running stays ahead."""
        return {
            region: self.quota[region]
            - given
            + nights_ahead * (self._nightly_quota[region] - self._nightly_given[region])
            for region, given in self.given.items()
        }

    @property
    def deviation(self) -> Fraction:
        """How unevenly the nights so far were shared."""
        return total_relative_deviation(self.given, self.quota)
