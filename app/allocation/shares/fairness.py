"""Fair shares: what each region gave against its part, over whole quarters."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.allocation.shares.shares import NIGHT
from app.allocation.shares.totals import FIGURES, QUOTA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MILLION = 1_000_000
"""Parts in which ratios are stated."""


@dataclass(frozen=True, slots=True)
class RegionShare:
    """A region's share in millionths: of a night, and of its quota for `deviation`."""

    region: str
    figures: Mapping[str, int]
    """As the totals name them, over all the quarters."""
    quota: int
    credit: int
    """What it gave for safety less its quota: negative, it still owes."""
    deviation: int | None
    """None where it had no part to bear, or what became known later took it away."""


@dataclass(frozen=True, slots=True)
class FairShares:
    """Every region's share, and the total deviation in millionths of all quotas."""

    regions: tuple[RegionShare, ...]
    total_relative_deviation: int


def fair_shares(contents: Iterable[Mapping[str, Any]]) -> FairShares:
    """What some quarters come to, from the contents of their totals.

    The total relative deviation is the sum of |given - quota| over the sum of quotas; zero where
    there was nothing to share. Source: docs/design.md, section 5 (credit = given - quota; two
    accounts, never netted).
    """
    sums: dict[str, Counter[str]] = {}
    for content in contents:
        for region, figures in content["regions"].items():
            sums.setdefault(region, Counter()).update({name: figures[name] for name in FIGURES})
    regions = tuple(_share(region, figures) for region, figures in sorted(sums.items()))
    off, quota = sum(abs(share.credit) for share in regions), sum(share.quota for share in regions)
    return FairShares(regions, millionths(off, quota) if quota > 0 else 0)


def _share(region: str, figures: Counter[str]) -> RegionShare:
    quota = figures[QUOTA]
    credit = figures["given_safety"] * NIGHT - quota
    whole = {name: figures[name] for name in FIGURES}
    deviation = millionths(credit, quota) if quota > 0 else None
    return RegionShare(region, whole, quota, credit, deviation)


def millionths(part: int, whole: int) -> int:
    """A part of a positive whole in millionths, to the nearest, halves away from zero."""
    sign = -1 if part < 0 else 1
    return sign * ((2 * abs(part) * MILLION + whole) // (2 * whole))


def contradictions(content: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the sums in a quarter's totals that should be equal and are not.

    Whatever one region gave another received, and what was given for safety was divided to the last
    millionth. Totals of the earlier edition counted stays and person-nights as well.
    """
    sums: Counter[str] = Counter()
    for figures in content["regions"].values():
        sums.update(figures)
    pairs = [
        (f"given_{what}", f"received_{what}") for what in ("safety", "capacity", "after_ready")
    ]
    pairs += [("stays_given", "stays_received"), ("person_nights_given", "person_nights_received")]
    wrong = [f"{one} and {other}" for one, other in pairs if sums[one] != sums[other]]
    if sums["given_safety"] * NIGHT != sums[QUOTA]:
        wrong.append(f"given_safety and {QUOTA}")
    return tuple(wrong)
