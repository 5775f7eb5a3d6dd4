"""The division of a stay over the regions that could lawfully have given it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

STAY = 1_000_000
"""One stay in millionths: the unit of every quota, so that sums stay exact."""

NIGHT = STAY
"""One night of a stay is divided as the stay is."""


def divide(lawful_regions: Iterable[str], weights: Mapping[str, int]) -> Mapping[str, int]:
    """Each region's part of one stay by weight, in millionths that add up exactly.

    Largest remainder (Hamilton): everyone gets the whole part of what is due, and the millionths
    left over go to the largest remainders, ties to the region code that sorts first. A region
    without a weight bears nothing; where no lawful region has a weight, all of them bear the same.
    Nothing lawful: nothing to divide.

    Raises:
        ValueError: when a lawful region's weight is negative.
    """
    regions = sorted(set(lawful_regions))
    shares = {region: weights.get(region, 0) for region in regions}
    if any(weight < 0 for weight in shares.values()):
        raise ValueError("a weight is never below nought")
    if not any(shares.values()):
        shares = dict.fromkeys(regions, 1)
    total = sum(shares.values())
    parts = {region: STAY * weight // total for region, weight in shares.items()}
    left_over = STAY - sum(parts.values()) if parts else 0
    for region in sorted(regions, key=lambda region: (-(STAY * shares[region] % total), region))[
        :left_over
    ]:
        parts[region] += 1
    return parts


def total_relative_deviation(given: Mapping[str, int], quota: Mapping[str, int]) -> Fraction:
    """How unevenly a burden was shared: the sum of |given - quota| over that of quota.

    Zero when every region gave its quota, two when all was given by regions that owed nothing.
    Both maps count in the same unit (nights, or millionths of them); a region absent from one has
    zero there. Where nobody owed anything there is nothing to deviate from: zero. Source:
    docs/design.md, section 5.
    """
    owed = sum(quota.values())
    if not owed:
        return Fraction(0)
    off = sum(
        abs(given.get(region, 0) - quota.get(region, 0)) for region in given.keys() | quota.keys()
    )
    return Fraction(off, owed)
