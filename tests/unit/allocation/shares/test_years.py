"""Households of a year by region: none of a few, whatever a reader knows or takes away."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from app.allocation.shares.nights import LedgerStay
from app.allocation.shares.years import CLASSES, year_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.allocation.figures.figures import Figures

REGIONS = ("A", "B", "C", "D", "E")
REASONS = ("capacity", "other", "safety")
STAY = LedgerStay(0, "A", "B", "safety", "3-4", ("B",), dt.date(2026, 1, 1), None, None)


def counts(*stays: LedgerStay) -> dict[str, Figures]:
    return dict(year_counts(stays, regions=REGIONS, reasons=REASONS))


def test_nine_households_are_blank_and_ten_are_not() -> None:
    few, ten = counts(*[STAY] * 9), counts(*[STAY] * 10)
    assert few["B"]["given"] is few["A"]["received"] is few["B"]["given.persons.3-4"] is None
    assert all(count is None for figures in few.values() for count in figures.values())
    assert ten["B"]["given"] == ten["A"]["received"] == 10


def test_a_reason_that_the_policy_added_counts_as_another() -> None:
    assert counts(*[replace(STAY, reason="new")] * 20)["B"]["given"] == 20


def test_what_a_partner_can_take_away_leaves_no_few_of_others() -> None:
    others = replace(STAY, origin="C")
    assert counts(*[STAY] * 30, *[others] * 3)["B"]["given"] is None
    assert counts(*[STAY] * 30, *[others] * 10)["B"]["given"] == 40


def test_a_class_is_blank_with_what_would_give_it_away() -> None:
    alone, family = replace(STAY, persons="1"), replace(STAY, persons="5+")
    found = counts(*[STAY] * 30, *[alone] * 12, *[family])["B"]
    shown = [found[f"given.persons.{one}"] for one in CLASSES]
    assert found["given"] is None or None in (shown[0], shown[2])
    assert shown[3] is None


@given(
    st.lists(
        st.tuples(
            st.sampled_from(REGIONS[:3]),
            st.sampled_from(REGIONS[1:]),
            st.sampled_from(CLASSES),
            st.integers(1, 25),
        ).filter(lambda one: one[0] != one[1]),
        max_size=6,
    )
)
def test_no_count_is_of_fewer_than_ten_households_with_or_without_a_partners_own(
    drawn: Sequence[tuple[str, str, str, int]],
) -> None:
    stays = [
        replace(STAY, origin=origin, receiving=receiving, persons=persons)
        for origin, receiving, persons, times in drawn
        for _ in range(times)
    ]
    for region, figures in counts(*stays).items():
        for name, count in figures.items():
            gave, _, code = name.replace("persons.", "").partition(".")
            if count is None or (code and code not in CLASSES):
                continue
            known: dict[str, int] = {}
            for stay in stays:
                whose, other = (
                    (stay.receiving, stay.origin)
                    if gave == "given"
                    else (stay.origin, stay.receiving)
                )
                if region == whose and code in {"", stay.persons}:
                    known[other] = known.get(other, 0) + 1
            assert count == sum(known.values()) >= 10
            assert len(known) == 1 or count - max(known.values()) >= 10
