"""From numbers to positions, and the round numbers that an axis names."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
"""What a step between two ticks may be, times a power of ten."""
ABOUT = 5
"""Ticks on an axis: about so many."""
NOTHING = 1e-6
"""Numbers that lie no farther apart than this part of them are one number to the eye."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight scale from `least` to `most` onto positions; `ticks` lie between them, both included."""

    least: float
    most: float
    ticks: tuple[float, ...]

    def at(self, value: float, *, start: float, end: float) -> float:
        """Return the position of a value, where the least lies at `start` and the most at `end`."""
        return start + (value - self.least) / (self.most - self.least) * (end - start)


def scale_over(values: Iterable[float], *, from_nought: bool) -> Scale:
    """Return a scale that has room for all values and begins and ends at a tick; from 0 to 1 for no value at all.

    Raises:
        ValueError: for a value that is not finite.
    """
    numbers = list(values)
    if not all(isfinite(number) for number in numbers):
        raise ValueError("a chart shows finite numbers")
    least, most = min(numbers, default=0.0), max(numbers, default=1.0)
    if from_nought:
        least, most = min(0.0, least), max(0.0, most)
    if most - least < NOTHING * max(1.0, abs(most)):
        most = least + 1.0
    step = _step((most - least) / ABOUT)
    first, last = floor(least / step), ceil(most / step)
    ticks = tuple(round(number * step, 10) for number in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], ticks)


def _step(rough: float) -> float:
    power = 10.0 ** floor(log10(rough))
    return next(power * step for step in STEPS if power * step >= rough * (1 - 1e-9))
