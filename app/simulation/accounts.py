"""The safety account of a simulated year, kept night by night as the ledger's shares are."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from app.allocation.shares import STAY, divide, total_relative_deviation


@dataclass(frozen=True, slots=True, eq=False)
class Running:
    """A stay that counts each night: one region gives, all that were lawful owe their part of it."""

    receiving: str
    parts: Mapping[str, int]


class Accounts:
    """What each region gave and owed so far, in millionths of a night, and what runs on."""

    def __init__(self, regions: Iterable[str]) -> None:
        self.given: Counter[str] = Counter(dict.fromkeys(regions, 0))
        self.quota: Counter[str] = Counter(dict.fromkeys(self.given, 0))
        self.stays: Counter[str] = Counter(dict.fromkeys(self.given, 0))
        self._running: Counter[str] = Counter(dict.fromkeys(self.given, 0))

    def begin(self, receiving: str, lawful: Iterable[str], weights: Mapping[str, int]) -> Running:
        """Let a stay count from the next midnight on."""
        stay = Running(receiving, divide(lawful, weights))
        self._change(stay, by=1, account=self._running)
        self._change(stay, by=1, account=self.stays)
        return stay

    def end(self, stay: Running) -> None:
        """Let a stay count no longer."""
        self._change(stay, by=-1, account=self._running)

    @staticmethod
    def _change(stay: Running, *, by: int, account: Counter[str]) -> None:
        for region, part in stay.parts.items():
            account[region] += by * part
        account[stay.receiving] -= by * STAY

    def midnight(self, running: Iterable[Running]) -> None:
        """Count one night of each running stay."""
        for stay in running:
            self.given[stay.receiving] += STAY
            self.quota.update(stay.parts)

    def deficits(self, measure: str, *, stay_nights: int) -> Mapping[str, int]:
        if measure == "stays":
            return dict(self.stays)
        ahead = {"nights": 0, "ahead": stay_nights}.get(measure)
        if ahead is None:
            ahead = int(measure)
        return {
            r: (self.quota[r] - self.given[r] + ahead * self._running[r]) // stay_nights for r in self.given
        }

    @property
    def deviation(self) -> Fraction:
        """How unevenly the nights so far were shared."""
        return total_relative_deviation(self.given, self.quota)
