"""The balance of each region in the safety account, as rankings use it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.allocation.shares.nights import SAFETY, nights_between
from app.allocation.shares.shares import NIGHT

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from app.allocation.shares.nights import LedgerStay
    from app.allocation.shares.weights import WeightHistory


@dataclass(frozen=True, slots=True)
class BurdenShare:
    """Millionths of a night: what a region gave, and what was its part."""

    given: int = 0
    quota: int = 0


@dataclass(frozen=True, slots=True)
class RegionBalance:
    """As `BurdenShare`, so far, and how far a region is under its part.

    `deficit` counts nights ahead of the stays that run; the others do not.
    """

    given: int
    quota: int
    deficit: int


def region_balances(
    stays: Iterable[LedgerStay],
    before: Mapping[str, BurdenShare],
    *,
    since: dt.date,
    on: dt.date,
    weights: WeightHistory,
    nights_ahead: int,
) -> Mapping[str, RegionBalance]:
    """How every region of `before` stands on a day, before its first night.

    `before` are the nights before `since`.

    Each night of a stay for safety until the household was ready to leave is given by the region
    where it is, and divided over the regions that were lawful for it, by the weights of that night;
    a stay that still counts stands for `nights_ahead` more. Without these, a region far behind
    would be sent everybody until the nights begin to show, and then be far ahead.
    """
    given = Counter({region: shared.given for region, shared in before.items()})
    quota = Counter({region: shared.quota for region, shared in before.items()})
    to_give, to_owe = Counter[str](), Counter[str]()
    for stay in stays:
        if stay.account != SAFETY:
            continue
        nights = nights_between(stay, since, on)
        if nights is not None:
            given[stay.receiving] += nights.counted * NIGHT
            quota.update(weights.divide_nights(stay.lawful, nights.first, nights.after))
        if stay.departed_on is None and stay.ready_since is None and stay.arrived_on <= on:
            to_give[stay.receiving] += nights_ahead * NIGHT
            for region, part in weights.parts(stay.lawful, on).items():
                to_owe[region] += nights_ahead * part
    return {
        region: RegionBalance(
            given[region],
            quota[region],
            quota[region] + to_owe[region] - given[region] - to_give[region],
        )
        for region in before
    }
