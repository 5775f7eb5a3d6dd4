"""A household's time at a provider and its leaves agree, or how they do not has a code."""

import datetime as dt
from dataclasses import replace

import pytest

from app.allocation.ledger.agreement import LivedTime, disagreement
from app.allocation.ledger.openings import Correction, OpeningContent

CAME, LEFT, OTHER = dt.date(2026, 3, 1), dt.date(2026, 3, 9), dt.date(2026, 3, 2)
ARRIVAL = OpeningContent(
    *("arrival", "GM0518", "GM0193", "crisis", CAME, "safety", "2", ("GM0193",), "sha256:0", None)
)
DEPARTURE = replace(ARRIVAL, type="departure", date=LEFT, arrival=0)
STAYS = LivedTime(cross_regional=True, arrived_on=CAME, departed_on=None)
ENDED = replace(STAYS, departed_on=LEFT)
INSIDE, NEVER = replace(STAYS, cross_regional=False), replace(STAYS, arrived_on=None)


def taken_back(opening: OpeningContent, code: str) -> OpeningContent:
    by = Correction(0, "coordinator", "GM0193", code)
    return replace(opening, type="correction", arrival=0, correction=by)


@pytest.mark.parametrize(
    "lived, arrival, departure, code",
    [
        (STAYS, ARRIVAL, None, None),
        (ENDED, ARRIVAL, DEPARTURE, None),
        (STAYS, taken_back(ARRIVAL, "ready_to_leave"), None, None),
        (STAYS, ARRIVAL, taken_back(DEPARTURE, "not_departed"), None),
        (INSIDE, None, None, None),
        (NEVER, None, None, None),
        (NEVER, taken_back(ARRIVAL, "not_arrived"), None, None),
        (INSIDE, ARRIVAL, None, "leaf_undue"),
        (NEVER, ARRIVAL, None, "leaf_undue"),
        (STAYS, None, None, "arrival_missing"),
        (STAYS, taken_back(ARRIVAL, "not_arrived"), None, "arrival_missing"),
        (STAYS, replace(ARRIVAL, date=OTHER), None, "arrival_day"),
        (STAYS, ARRIVAL, DEPARTURE, "departure_undue"),
        (ENDED, ARRIVAL, None, "departure_missing"),
        (ENDED, ARRIVAL, replace(DEPARTURE, date=OTHER), "departure_day"),
    ],
)
def test_what_was_lived_and_what_the_ledger_says_are_compared_by_day(
    lived: LivedTime,
    arrival: OpeningContent | None,
    departure: OpeningContent | None,
    code: str | None,
) -> None:
    assert disagreement(lived, arrival=arrival, departure=departure) == code
