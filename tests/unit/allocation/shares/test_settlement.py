"""Settlements: nothing of a stay before its opening is due, and no line that changes."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from app.allocation.ledger.openings import NOT_ARRIVED, Correction, OpeningContent
from app.allocation.shares.quarters import Quarter
from app.allocation.shares.settlement import DatedOpening, QuarterSeal, settled_lines

DAY = dt.timedelta(days=1)
Q1, Q2, Q3 = (Quarter(2026, number) for number in (1, 2, 3))
CAME = OpeningContent(
    "arrival", "A", "B", "crisis", dt.date(2026, 3, 14), "safety", "2", ("B",), "h", None
)
LEFT = replace(CAME, type="departure", date=dt.date(2026, 8, 3), arrival=0)
NEVER = replace(
    CAME,
    type="correction",
    arrival=0,
    correction=Correction(0, "coordinator", "B", NOT_ARRIVED),
)


def moment(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)


def seal(quarter: Quarter, leaves: int) -> QuarterSeal:
    return QuarterSeal(quarter, leaves, moment(quarter.after + 15 * DAY))


BEGINNING = QuarterSeal(Quarter(2025, 4), 0, moment(dt.date(2026, 1, 15)))
ARRIVAL = DatedOpening(0, moment(CAME.date + 92 * DAY), None, CAME)


def lines(
    *openings: DatedOpening, seals: tuple[QuarterSeal, ...]
) -> list[tuple[str, str, int, int]]:
    """Return the quarter, month, nights and stays of each line."""
    return [
        (
            str(line.quarter),
            f"{line.flow.month:%m}",
            line.amount.nights + line.amount.after_ready,
            line.amount.stays,
        )
        for line in settled_lines(openings, (BEGINNING, *seals))
    ]


def test_a_running_stay_is_in_no_line_before_its_opening_is_due_and_then_with_all_its_nights() -> (
    None
):
    assert lines(ARRIVAL, seals=(seal(Q1, 1),)) == []
    assert lines(ARRIVAL, seals=(seal(Q1, 1), seal(Q2, 1), seal(Q3, 1))) == [
        ("2026-Q2", "03", 18, 1),
        ("2026-Q2", "04", 30, 1),
        ("2026-Q2", "05", 31, 1),
        ("2026-Q2", "06", 30, 1),
        ("2026-Q3", "07", 31, 1),
        ("2026-Q3", "08", 31, 1),
        ("2026-Q3", "09", 30, 1),
    ]


def test_a_stay_that_has_ended_is_due_at_once_and_only_by_what_was_told_by_then() -> None:
    left = replace(LEFT, date=dt.date(2026, 3, 20))
    ended = (replace(ARRIVAL, departure=1), DatedOpening(1, moment(left.date), 1, left))
    assert lines(*ended, seals=(seal(Q1, 2),)) == [("2026-Q1", "03", 6, 1)]
    assert lines(*ended, seals=(seal(Q1, 1), seal(Q2, 2))) == [("2026-Q2", "03", 6, 1)]


def test_what_is_taken_back_is_a_line_below_nought_of_the_quarter_in_which_it_is_due() -> None:
    ended = (replace(ARRIVAL, departure=1), DatedOpening(1, moment(LEFT.date), 1, LEFT))
    taken_back = DatedOpening(2, moment(LEFT.date + 92 * DAY), 1, NEVER)
    settled = lines(*ended, taken_back, seals=(seal(Q1, 1), seal(Q2, 1), seal(Q3, 2)))
    assert settled[-2:] == [("2026-Q3", "07", 31, 1), ("2026-Q3", "08", 2, 1)]
    again = lines(
        *ended, taken_back, seals=(seal(Q1, 1), seal(Q2, 1), seal(Q3, 2), seal(Q3.next, 3))
    )
    assert again[: len(settled)] == settled
    assert sum(nights for _, _, nights, _ in again) == 0
    assert {line[0] for line in again[len(settled) :]} == {"2026-Q4"}
