"""How each region stands in the safety account as rankings are to see it: nights so far, and some of those to come."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.allocation.nights import SAFETY, nights_between
from app.allocation.shares import NIGHT, divide

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from app.allocation.nights import Stay


@dataclass(frozen=True, slots=True)
class Standing:
    """Millionths of a night: what a region gave so far, what was its part, and how far it is under it.

    `deficit` counts nights ahead of the stays that run; the others do not.
    """

    given: int
    quota: int
    deficit: int


def standings(
    stays: Iterable[Stay], regions: Iterable[str], *, on: dt.date, weights: Mapping[str, int], nights_ahead: int
) -> Mapping[str, Standing]:
    """How every region stands on a day, before its first night.

    Each night of a stay for safety until the household was ready to leave is given by the region where it is, and
    divided over the regions that were lawful for it; a stay that still counts stands for `nights_ahead` more. Without
    these, whoever is far behind would be sent everybody until the nights begin to show, and then be far ahead.
    """
    given: Counter[str] = Counter(dict.fromkeys(sorted(regions), 0))
    quota, to_give, to_owe = Counter(given), Counter(given), Counter(given)
    for stay in stays:
        if stay.account != SAFETY:
            continue
        nights = nights_between(stay, stay.arrived_on, on)
        so_far = nights.counted if nights is not None else 0
        runs_on = stay.departed_on is None and stay.ready_since is None and stay.arrived_on <= on
        ahead = nights_ahead if runs_on else 0
        given[stay.receiving] += so_far * NIGHT
        to_give[stay.receiving] += ahead * NIGHT
        for region, part in divide(stay.lawful_regions, weights).items():
            quota[region] += so_far * part
            to_owe[region] += ahead * part
    return {
        region: Standing(given[region], quota[region], quota[region] + to_owe[region] - given[region] - to_give[region])
        for region in given
    }
