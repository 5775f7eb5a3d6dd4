"""How far back new facts reach: never less far than what they change."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from app.allocation.ledger.openings import NOT_ARRIVED, READY_TO_LEAVE, Correction, OpeningContent
from app.allocation.shares.changed_nights import first_changed_day
from app.allocation.shares.nights import LedgerStay, StayBook, nights_between
from app.allocation.shares.weights import RegionWeights

DAY = dt.timedelta(days=1)
BEGIN = dt.date(2026, 1, 1)
FAR_OFF = dt.date(2030, 1, 1)
ARRIVAL = OpeningContent(
    "arrival", "A", "B", "crisis", BEGIN + 20 * DAY, "safety", "2", ("B",), "h", None
)


def departure(day: int) -> OpeningContent:
    return replace(ARRIVAL, type="departure", arrival=0, date=BEGIN + day * DAY)


def correction(said: OpeningContent, leaf: int, code: str) -> OpeningContent:
    by = Correction(leaf, "coordinator", "B", code)
    return replace(said, type="correction", arrival=0, correction=by)


def reached(*openings: OpeningContent, since: int) -> int | None:
    day = first_changed_day(
        ((index, "stay", one) for index, one in enumerate(openings)), [], since=since
    )
    return None if day is None else (day - BEGIN).days


def test_an_end_reaches_back_to_its_day_and_an_arrival_to_its() -> None:
    assert reached(ARRIVAL, departure(90), since=1) == 90
    assert reached(ARRIVAL, departure(90), since=0) == 20
    assert reached(ARRIVAL, since=1) is None


def test_an_end_that_says_since_when_they_were_ready_reaches_back_to_that() -> None:
    assert reached(ARRIVAL, replace(departure(90), ready_since=BEGIN + 50 * DAY), since=1) == 50


def test_a_correction_reaches_back_to_whatever_was_or_is_said() -> None:
    ready = replace(ARRIVAL, ready_since=BEGIN + 60 * DAY)
    assert reached(ARRIVAL, correction(ready, 0, READY_TO_LEAVE), since=1) == 60
    sooner = replace(ARRIVAL, ready_since=BEGIN + 70 * DAY)
    said = (ARRIVAL, correction(ready, 0, READY_TO_LEAVE), correction(sooner, 0, READY_TO_LEAVE))
    assert reached(*said, since=2) == 60
    assert (
        reached(ARRIVAL, departure(90), correction(departure(80), 1, "departed_other_day"), since=2)
        == 20
    )
    assert reached(ARRIVAL, correction(ARRIVAL, 0, READY_TO_LEAVE), since=1) == 20


def test_weights_reach_back_to_the_day_from_which_they_count() -> None:
    weights = [(3, RegionWeights(BEGIN, {})), (9, RegionWeights(BEGIN + 5 * DAY, {}))]
    assert first_changed_day([], weights, since=4) == BEGIN + 5 * DAY
    assert first_changed_day([], weights, since=10) is None


days = st.integers(0, 120).map(lambda day: BEGIN + day * DAY)
openings = st.one_of(
    st.builds(
        lambda day, ready: replace(departure(0), date=day, ready_since=ready),
        days,
        st.none() | days,
    ),
    st.builds(
        lambda ready: correction(replace(ARRIVAL, ready_since=ready), 0, READY_TO_LEAVE),
        st.none() | days,
    ),
    st.builds(lambda day: correction(replace(ARRIVAL, date=day), 0, "arrived_other_day"), days),
    st.builds(
        lambda day: correction(replace(departure(0), date=day), 1, "departed_other_day"), days
    ),
    st.just(correction(ARRIVAL, 0, NOT_ARRIVED)),
)


@given(st.lists(openings, max_size=4), st.lists(openings, min_size=1, max_size=3))
def test_no_night_before_the_day_that_is_reached_changes(
    old: list[OpeningContent], new: list[OpeningContent]
) -> None:
    """In the order in which a service writes them or any other.

    Also where an end comes twice.
    """
    everything = [ARRIVAL, *old, *new]
    day = reached(*everything, since=1 + len(old))
    assert day is not None
    for number in range(day):
        before, after = (
            told(everything[:count], number) for count in (1 + len(old), len(everything))
        )
        assert before == after


def told(said: list[OpeningContent], day: int) -> list[tuple[int, int]]:
    book = StayBook()
    for index, opening in enumerate(said):
        book.take(index, opening)
    return [night for stay in book.stays() for night in of_day(stay, BEGIN + day * DAY)]


def of_day(stay: LedgerStay, day: dt.date) -> list[tuple[int, int]]:
    nights = nights_between(stay, day, day + DAY)
    return [] if nights is None else [(nights.counted, nights.after_ready)]
