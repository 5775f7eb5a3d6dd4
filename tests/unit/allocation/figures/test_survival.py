"""How long stays last.

Against the textbook, against scipy, and against a count by hand.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import CensoredData, ecdf

from app.allocation.figures.survival import ObservedStay, median_days, staying_after, survival

stays = st.lists(
    st.builds(
        lambda entered, more, ended, count: ObservedStay(entered, entered + more, ended, count),
        st.integers(0, 12),
        st.integers(0, 12),
        st.booleans(),
        st.integers(1, 3),
    ),
    max_size=14,
)
from_the_start = st.lists(
    st.builds(ObservedStay, st.just(0), st.integers(0, 15), st.booleans()), min_size=1, max_size=20
)


def counted_by_hand(seen: list[ObservedStay], day: int) -> Fraction:
    """The part that lasts longer than a day.

    Go through every day, and count who is there.
    """
    part = Fraction(1)
    for today in range(day + 1):
        there = sum(stay.count for stay in seen if stay.entered <= today <= stay.left)
        ended = sum(stay.count for stay in seen if stay.ended and stay.left == today)
        if ended:
            part *= Fraction(there - ended, there)
    return part


@given(stays)
def test_it_is_what_one_gets_by_counting_who_is_there_on_each_day(seen: list[ObservedStay]) -> None:
    steps = survival(seen)

    for day in range(26):
        assert staying_after(steps, days=day) == counted_by_hand(seen, day)


@given(from_the_start)
def test_where_all_were_seen_from_the_start_it_is_what_scipy_says(seen: list[ObservedStay]) -> None:
    ended = [stay.left for stay in seen if stay.ended]
    going_on = [stay.left for stay in seen if not stay.ended]
    theirs = ecdf(CensoredData(uncensored=ended, right=going_on)).sf

    for step in survival(seen):
        assert float(step.staying) == pytest.approx(float(np.asarray(theirs.evaluate(step.days))))


def test_the_treated_patients_of_freireich_in_every_textbook() -> None:
    # Remission in weeks; a plus in the table is a patient still in remission.
    relapsed = (6, 6, 6, 7, 10, 13, 16, 22, 23)
    still = (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)
    ended = [ObservedStay(0, week, ended=True) for week in relapsed]
    patients = [*ended, *(ObservedStay(0, week, ended=False) for week in still)]
    steps = survival(patients)

    assert [(step.days, step.at_risk, round(float(step.staying), 3)) for step in steps] == [
        (6, 21, 0.857),
        (7, 17, 0.807),
        (10, 15, 0.753),
        (13, 12, 0.690),
        (16, 11, 0.627),
        (22, 7, 0.538),
        (23, 6, 0.448),
    ]
    assert median_days(steps) == 23


def test_open_stays_make_it_longer_than_the_ended_ones_alone_would() -> None:
    ended = [ObservedStay(0, day, ended=True) for day in (10, 20, 30)]
    with_open = [*ended, *(ObservedStay(0, 90, ended=False) for _ in range(9))]

    assert median_days(survival(ended)) == 20
    assert median_days(survival(with_open)) is None


def test_who_is_seen_late_says_nothing_of_the_days_before() -> None:
    early = [ObservedStay(0, 3, ended=True), ObservedStay(0, 8, ended=True)]

    assert staying_after(
        survival([*early, ObservedStay(5, 8, ended=True, count=98)]), days=3
    ) == Fraction(1, 2)


@given(stays)
def test_fewer_and_fewer_stay_and_nobody_ends_who_was_not_there(seen: list[ObservedStay]) -> None:
    steps = survival(seen)

    assert all(0 < step.ended <= step.at_risk for step in steps)
    assert [step.staying for step in steps] == sorted(
        (step.staying for step in steps), reverse=True
    )
    assert [step.days for step in steps] == sorted({stay.left for stay in seen if stay.ended})


@pytest.mark.parametrize("entered, left", [(-1, 3), (4, 3)])
def test_a_stay_is_not_left_before_it_was_entered(entered: int, left: int) -> None:
    with pytest.raises(ValueError, match="left no sooner"):
        survival([ObservedStay(entered, left, ended=True)])
