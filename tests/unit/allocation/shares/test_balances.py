"""How regions stand as rankings see it.

Nights so far, some ahead, and given and owed always the same in sum.
"""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from app.allocation.shares.balances import BurdenShare, RegionBalance, region_balances
from app.allocation.shares.nights import LedgerStay
from app.allocation.shares.shares import NIGHT
from app.allocation.shares.weights import RegionWeights, WeightHistory

FIRST = dt.date(2026, 1, 1)
REGIONS = "ABCD"
WEIGHTS = WeightHistory([RegionWeights(FIRST, {"A": 1, "B": 1, "C": 2})])
NOTHING = dict.fromkeys(REGIONS, BurdenShare())
ON = FIRST + dt.timedelta(days=10)


def day(number: int) -> dt.date:
    return FIRST + dt.timedelta(days=number)


def stay(
    receiving: str = "A",
    *,
    lawful: str = "AB",
    came: int = 0,
    left: int | None = None,
    ready: int | None = None,
    reason: str = "safety",
) -> LedgerStay:
    return LedgerStay(
        arrival=0,
        origin="D",
        receiving=receiving,
        reason=reason,
        persons="1",
        lawful_regions=tuple(lawful),
        arrived_on=day(came),
        departed_on=None if left is None else day(left),
        ready_since=None if ready is None else day(ready),
    )


def reckoned(*stays: LedgerStay, ahead: int = 0) -> dict[str, tuple[float, float, float]]:
    found = region_balances(stays, NOTHING, since=FIRST, on=ON, weights=WEIGHTS, nights_ahead=ahead)
    return {
        region: (one.given / NIGHT, one.quota / NIGHT, one.deficit / NIGHT)
        for region, one in found.items()
        if one != RegionBalance(0, 0, 0)
    }


def test_each_night_so_far_is_given_by_one_and_owed_by_all_that_were_lawful() -> None:
    assert reckoned(stay()) == {"A": (10, 5, -5), "B": (0, 5, 5)}
    shared = reckoned(stay("C", came=2, left=5, lawful="BC"))
    assert shared == {"B": (0, 0.999999, 0.999999), "C": (3, 2.000001, -0.999999)}


def test_a_stay_that_runs_counts_some_nights_ahead_and_one_that_has_ended_none() -> None:
    assert reckoned(stay(), ahead=30) == {"A": (10, 5, -20), "B": (0, 5, 20)}
    assert reckoned(stay(left=10), ahead=30) == {"A": (10, 5, -5), "B": (0, 5, 5)}
    assert reckoned(stay(came=10), ahead=30) == {"A": (0, 0, -15), "B": (0, 0, 15)}


def test_who_is_ready_to_leave_counts_until_that_day_and_no_longer_ahead() -> None:
    assert reckoned(stay(ready=4), ahead=30) == {"A": (4, 2, -2), "B": (0, 2, 2)}


def test_a_stay_that_is_not_for_safety_counts_nowhere() -> None:
    for reason in ("capacity", "follow_on", "return"):
        assert reckoned(stay(reason=reason), ahead=30) == {}


def test_what_begins_later_does_not_count_yet() -> None:
    assert reckoned(stay(came=11), ahead=30) == {}


def test_nights_of_sealed_quarters_are_taken_from_their_totals_and_the_others_from_stays() -> None:
    before = NOTHING | {"A": BurdenShare(6 * NIGHT, 3 * NIGHT), "B": BurdenShare(0, 3 * NIGHT)}
    found = region_balances([stay()], before, since=day(6), on=ON, weights=WEIGHTS, nights_ahead=30)
    whole = region_balances([stay()], NOTHING, since=FIRST, on=ON, weights=WEIGHTS, nights_ahead=30)
    assert found == whole


def test_a_night_is_divided_by_the_weights_that_were_in_force_on_it() -> None:
    later = WeightHistory([RegionWeights(FIRST, {"A": 1, "B": 1}), RegionWeights(day(4), {"A": 3})])
    found = region_balances([stay()], NOTHING, since=FIRST, on=ON, weights=later, nights_ahead=0)
    assert found["A"].quota == 4 * NIGHT // 2 + 6 * NIGHT * 3 // 4


stays = st.builds(
    lambda receiving, lawful, came, lasts, ready: stay(
        receiving,
        lawful="".join(lawful),
        came=came,
        left=None if lasts is None else came + lasts,
        ready=ready,
    ),
    st.sampled_from(REGIONS),
    st.sets(st.sampled_from(REGIONS), min_size=1),
    st.integers(0, 20),
    st.none() | st.integers(0, 20),
    st.none() | st.integers(0, 30),
)


@given(st.lists(stays, max_size=12), st.integers(0, 90))
def test_what_all_gave_is_what_all_owed_and_what_one_is_under_others_are_over(
    stays: list[LedgerStay], ahead: int
) -> None:
    found = region_balances(
        stays, NOTHING, since=FIRST, on=ON, weights=WEIGHTS, nights_ahead=ahead
    ).values()

    assert sum(one.given for one in found) == sum(one.quota for one in found)
    assert sum(one.deficit for one in found) == 0
    assert min(one.given for one in found) >= 0
