"""One stay, divided over the regions that could have given it.

Exact, and the same for everybody who computes it.
"""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.allocation.shares.shares import STAY, divide, total_relative_deviation

regions = st.lists(st.sampled_from("ABCDEFGH"))
weights = st.dictionaries(st.sampled_from("ABCDEFGH"), st.integers(0, 10**9))


@given(regions, weights)
def test_the_parts_add_up_to_one_stay_exactly(lawful: list[str], weights: dict[str, int]) -> None:
    parts = divide(lawful, weights)

    assert parts.keys() == set(lawful)
    assert sum(parts.values()) == (STAY if lawful else 0)


@given(regions, weights)
def test_nobody_is_a_millionth_or_more_off_what_is_due(
    lawful: list[str], weights: dict[str, int]
) -> None:
    total = sum(weights.get(region, 0) for region in set(lawful))

    for region, part in divide(lawful, weights).items():
        if total:
            assert abs(part - Fraction(STAY * weights.get(region, 0), total)) < 1


@given(st.permutations("ABCDE"), weights)
def test_the_order_of_the_regions_changes_nothing(
    lawful: list[str], weights: dict[str, int]
) -> None:
    assert divide(lawful, weights) == divide("ABCDE", weights)


def test_the_millionth_left_over_goes_to_the_largest_remainder_then_to_the_first_code() -> None:
    assert divide("CBA", {"A": 1, "B": 1, "C": 1}) == {"A": 333_334, "B": 333_333, "C": 333_333}
    assert divide("AB", {"A": 1, "B": 2}) == {"A": 333_333, "B": 666_667}


def test_a_region_without_a_weight_bears_nothing_unless_nobody_has_one() -> None:
    assert divide("AB", {"A": 5}) == {"A": STAY, "B": 0}
    assert divide("AB", {"A": 0, "C": 9}) == {"A": STAY // 2, "B": STAY // 2}
    assert divide((), {"A": 5}) == {}


def test_a_weight_is_never_below_nought() -> None:
    with pytest.raises(ValueError, match="below nought"):
        divide("AB", {"A": 5, "B": -1})
    assert divide("A", {"A": 5, "B": -1}) == {"A": STAY}


def test_a_burden_borne_by_quota_deviates_by_nothing_and_one_borne_by_others_by_two() -> None:
    quota = {"A": 30, "B": 10}

    assert total_relative_deviation(quota, quota) == 0
    assert total_relative_deviation({"C": 40}, quota) == 2
    assert total_relative_deviation({"A": 29, "B": 11}, quota) == Fraction(2, 40)
    assert total_relative_deviation({"A": 7}, {"A": 0}) == 0


@given(weights, weights, st.integers(1, 10**6))
def test_the_deviation_does_not_depend_on_the_unit(
    had: dict[str, int], owed: dict[str, int], unit: int
) -> None:
    in_unit = ({region: unit * nights for region, nights in side.items()} for side in (had, owed))

    assert total_relative_deviation(*in_unit) == total_relative_deviation(had, owed)
