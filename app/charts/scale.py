"""Scales: from numbers to positions, with round numbers for the ticks."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
"""The steps allowed between two ticks, times a power of ten."""
ABOUT = 5
"""About how many ticks an axis has."""
NOTHING = 1e-6
"""Numbers closer together than this part of their size count as equal."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear scale from `least` to `most`, with ticks from one to the other."""

    least: float
    most: float
    ticks: tuple[float, ...]

    def at(self, value: float, *, start: float, end: float) -> float:
        """The position of a value, with `least` at `start` and `most` at `end`."""
        return start + (value - self.least) / (self.most - self.least) * (end - start)


def scale_over(values: Iterable[float], *, from_nought: bool) -> Scale:
    """A scale that holds all values and begins and ends at a tick.

    0 to 1 without values.

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
