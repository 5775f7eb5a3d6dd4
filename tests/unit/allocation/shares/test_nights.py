"""Nights of stays: local midnights, corrections, and nights after readiness to leave."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.allocation.ledger.openings import NOT_ARRIVED, Correction, OpeningContent
from app.allocation.shares.nights import LedgerStay, Nights, StayBook, nights_between
from app.allocation.shares.quarters import (
    Quarter,
    last_closed_quarter,
    quarter_named,
    quarter_of,
    quarters_between,
)

NEW_YEAR = dt.date(2026, 1, 1)
Q1 = Quarter(2026, 1)
ARRIVAL = OpeningContent(
    type="arrival",
    origin="A",
    receiving="B",
    kind="crisis",
    date=dt.date(2026, 2, 3),
    reason="safety",
    persons="3-4",
    lawful_regions=("B", "C"),
    policy_hash="sha256:0",
    swap_id=None,
)
DAY = dt.timedelta(days=1)
days = st.dates(dt.date(2025, 11, 1), dt.date(2026, 12, 31))


def departure(day: int, *, arrival: int | None = 0, month: int = 2) -> OpeningContent:
    return replace(ARRIVAL, type="departure", date=dt.date(2026, month, day), arrival=arrival)


def correcting(
    said: OpeningContent, leaf: int, *, code: str = "arrived_other_day", arrival: int = 0
) -> OpeningContent:
    correction = Correction(leaf, "coordinator", "B", code)
    return replace(said, type="correction", arrival=arrival, correction=correction)


def stays(*openings: OpeningContent) -> list[LedgerStay]:
    book = StayBook()
    for index, opening in enumerate(openings):
        book.take(index, opening)
    return list(book.stays())


def counted(stay: LedgerStay, quarter: Quarter = Q1) -> tuple[int, int]:
    nights = nights_between(stay, quarter.first, quarter.after)
    return (0, 0) if nights is None else (nights.counted, nights.after_ready)


# --- quarters -------------------------------------------------------------------------


@given(days)
def test_every_day_lies_in_the_quarter_that_it_is_of(day: dt.date) -> None:
    quarter = quarter_of(day)
    assert quarter.first <= day <= quarter.last < quarter.after == quarter.next.first
    assert quarter_named(str(quarter)) == quarter
    assert day.replace(day=1) in quarter.months
    assert quarter < quarter.next


@given(days, days)
def test_quarters_from_one_to_another_follow_each_other_without_a_gap(
    one: dt.date, other: dt.date
) -> None:
    found = quarters_between(quarter_of(one), quarter_of(other))
    assert [quarter.after for quarter in found[:-1]] == [quarter.first for quarter in found[1:]]
    assert bool(found) == (quarter_of(one) <= quarter_of(other))


@pytest.mark.parametrize("name", ["2026-Q5", "2026-Q0", "2026Q1", "26-Q1", "2026-q1", ""])
def test_what_is_no_quarter_has_no_name_of_one(name: str) -> None:
    with pytest.raises(ValueError, match="2026-Q1"):
        quarter_named(name)


@given(days, st.integers(0, 60))
def test_the_newest_quarter_that_is_over_has_been_for_that_long_and_the_next_has_not(
    day: dt.date, wait: int
) -> None:
    over = last_closed_quarter(day, days=wait)
    assert over.after + wait * DAY <= day < over.next.after + wait * DAY


# --- nights ---------------------------------------------------------------------------


def test_a_night_is_a_midnight_and_bears_the_date_on_which_it_begins() -> None:
    assert counted(stays(ARRIVAL, departure(5))[0]) == (2, 0)
    assert counted(stays(ARRIVAL, departure(3))[0]) == (0, 0)


@pytest.mark.parametrize(
    "arrived, left, nights",
    [
        ("2026-03-28", "2026-03-30", 2),  # the clocks go forward in the night of the 28th
        ("2026-10-24", "2026-10-26", 2),  # and back in that of the 24th
        (
            "2026-03-31",
            "2026-04-01",
            1,
        ),  # the last night of a quarter belongs to the quarter in which it begins
        ("2024-02-28", "2024-03-01", 2),
    ],
)
def test_no_change_of_clocks_or_calendar_gives_or_takes_a_night(
    arrived: str, left: str, nights: int
) -> None:
    came, went = dt.date.fromisoformat(arrived), dt.date.fromisoformat(left)
    stay = stays(replace(ARRIVAL, date=came), replace(departure(1), date=went))[0]
    assert counted(stay, quarter_of(came)) == (nights, 0)


def test_a_running_stay_counts_to_the_end_of_the_quarter_and_goes_on_in_the_next() -> None:
    running = stays(ARRIVAL)[0]
    assert counted(running) == (26 + 31, 0)
    assert counted(running, Q1.next) == (30 + 31 + 30, 0)
    assert counted(running, Quarter(2025, 4)) == (0, 0)


@given(days, st.integers(0, 400), st.none() | days)
def test_nights_of_all_quarters_are_the_nights_of_the_stay(
    come: dt.date, lasts: int, ready: dt.date | None
) -> None:
    stay = replace(
        stays(ARRIVAL)[0], arrived_on=come, departed_on=come + lasts * DAY, ready_since=ready
    )
    parts = [
        counted(stay, quarter)
        for quarter in quarters_between(quarter_of(come), quarter_of(come + lasts * DAY))
    ]
    assert sum(night for part in parts for night in part) == lasts
    in_time = lasts if ready is None else min(lasts, max(0, (ready - come).days))
    assert sum(part[0] for part in parts) == in_time


def test_who_left_on_the_first_day_of_a_quarter_was_not_there_and_who_came_and_went_on_it_was() -> (
    None
):
    stay = replace(stays(ARRIVAL)[0], departed_on=NEW_YEAR + DAY)
    before = replace(stay, arrived_on=NEW_YEAR - 9 * DAY, departed_on=NEW_YEAR)
    within = replace(stay, arrived_on=NEW_YEAR, departed_on=NEW_YEAR)
    assert nights_between(before, Q1.first, Q1.after) is None
    assert nights_between(within, Q1.first, Q1.after) == Nights(NEW_YEAR, NEW_YEAR, 0)
    assert (
        nights_between(replace(within, arrived_on=Q1.after, departed_on=None), Q1.first, Q1.after)
        is None
    )


def test_nights_after_the_household_was_ready_to_leave_are_apart() -> None:
    ready = dt.date(2026, 2, 4)
    assert counted(stays(ARRIVAL, replace(departure(9), ready_since=ready))[0]) == (1, 5)
    assert counted(stays(correcting(replace(ARRIVAL, ready_since=ready), 0))[0]) == (1, 56)


# --- what the openings come to --------------------------------------------------------


def test_the_newest_correction_takes_the_leafs_place() -> None:
    later = replace(ARRIVAL, date=dt.date(2026, 2, 4))
    latest = replace(ARRIVAL, date=dt.date(2026, 2, 5), reason="capacity")
    openings = (ARRIVAL, departure(9), correcting(later, 0), correcting(latest, 0))
    found = stays(*openings)
    assert [(stay.arrived_on.day, stay.account, counted(stay)) for stay in found] == [
        (5, "capacity", (4, 0))
    ]
    assert counted(stays(*openings, correcting(departure(12), 1))[0]) == (7, 0)


def test_a_stay_that_never_was_has_no_nights_whatever_else_was_said_of_it() -> None:
    assert stays(ARRIVAL, departure(9), correcting(ARRIVAL, 0, code=NOT_ARRIVED)) == []


def test_an_end_whose_beginning_cannot_be_read_is_no_stay() -> None:
    assert stays(departure(9, arrival=7)) == []
    assert stays(departure(9, arrival=None)) == []
    assert stays(replace(ARRIVAL, type="correction")) == []


def test_ends_that_name_no_beginning_end_the_oldest_that_is_alike() -> None:
    second, other = replace(ARRIVAL, date=dt.date(2026, 2, 10)), replace(ARRIVAL, receiving="C")
    found = stays(ARRIVAL, second, other, departure(12, arrival=None), departure(14, arrival=None))
    assert [stay.departed_on and stay.departed_on.day for stay in found] == [12, 14, None]
    named = stays(ARRIVAL, second, departure(12), departure(14, arrival=None))
    assert [stay.departed_on and stay.departed_on.day for stay in named] == [12, 14]


@given(st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80)), max_size=6))
def test_whoever_is_taken_to_have_left_nights_come_to_the_same(
    spans: list[tuple[int, int]],
) -> None:
    """Of stays that are alike.

    Pairing ends with the oldest beginnings changes no quarter's nights.
    """
    acts: list[tuple[dt.date, int, OpeningContent]] = []
    for number, (come, lasts) in enumerate(spans):
        came = dt.date(2026, 2, 20) + come * DAY
        acts.append((came, 0, replace(ARRIVAL, date=came, swap_id=str(number))))
        left = came + lasts * DAY
        acts.append((left, 1, replace(departure(1, arrival=None), date=left, swap_id=str(number))))
    acts.sort(key=lambda act: act[:2])
    named: list[OpeningContent] = []
    for _, _, opening in acts:
        arrival = None
        if opening.type == "departure":
            arrival = next(i for i, one in enumerate(named) if one.swap_id == opening.swap_id)
        named.append(replace(opening, arrival=arrival))
    for quarter in quarters_between(Q1, Q1.next.next):
        by_name = sum(counted(stay, quarter)[0] for stay in stays(*named))
        assert by_name == sum(
            counted(stay, quarter)[0] for stay in stays(*(act[2] for act in acts))
        )
