"""Who goes first on a waiting list, and what is due for whom."""

import datetime as dt
from dataclasses import replace

import pytest

from app.allocation.ranking.waiting_list import (
    Due,
    Waiting,
    WaitingSchedule,
    dues_at,
    is_overdue,
    last_night,
    list_position,
)
from tests.unit.allocation.cases import POLICY

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
ONE = Waiting(id="b", urgency="urgent", threat_level=2, children=False, since=NOON)
CALM = WaitingSchedule(
    since=NOON, safety_plan=True, contact_at=None, check_at=None, nights_over_at=None
)


def order(*waiting: Waiting, policy: object = POLICY) -> list[str]:
    """Return who waits, in order."""
    return [one.id for one in sorted(waiting, key=lambda one: list_position(one, policy=policy))]  # type: ignore[arg-type]


def test_urgency_goes_before_threat_before_children_before_time() -> None:
    later = replace(ONE, since=NOON + HOUR)
    assert order(
        replace(later, id="time"),
        replace(later, id="children", children=True),
        replace(later, id="threat", threat_level=3),
        replace(later, id="acute", urgency="acute", threat_level=1),
        replace(ONE, id="planned", urgency="planned", threat_level=3, children=True),
        ONE,
    ) == ["acute", "threat", "children", "b", "time", "planned"]


def test_a_threat_that_nobody_knows_counts_as_the_highest() -> None:
    unknown = replace(ONE, id="unknown", threat_level=None)
    assert order(ONE, unknown) == ["unknown", "b"]
    assert (
        list_position(unknown, policy=POLICY)[0]
        == list_position(replace(ONE, threat_level=3), policy=POLICY)[0]
    )


def test_who_waits_longest_goes_first_among_equals_and_no_two_are_equal() -> None:
    earlier, same = replace(ONE, id="c", since=NOON - HOUR / 3600), replace(ONE, id="a")
    assert order(ONE, earlier, same) == ["c", "a", "b"]


def test_the_policy_says_what_counts_and_in_which_order() -> None:
    early = replace(ONE, id="early", urgency="planned", since=NOON - HOUR)
    acute = replace(ONE, id="acute", urgency="acute", threat_level=1)
    assert order(acute, early, ONE, policy=replace(POLICY, waiting_order=("time", "urgency"))) == [
        "early", "acute", "b",
    ]  # fmt: skip
    assert order(acute, ONE, policy=replace(POLICY, waiting_order=("threat",))) == ["b", "acute"]


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({}, []),
        ({"safety_plan": False}, [("safety_plan", 24)]),
        ({"contact_at": NOON + HOUR}, [("contact", 1)]),
        ({"contact_at": NOON + 30 * HOUR}, []),
        ({"check_at": NOON + 25 * HOUR}, [("alternative_check", 25)]),
        ({"nights_over_at": NOON + 26 * HOUR}, []),
        (
            {
                "safety_plan": False,
                "contact_at": NOON + 2 * HOUR,
                "check_at": NOON + HOUR,
                "nights_over_at": NOON,
            },
            [
                ("alternative_nights", 0),
                ("alternative_check", 1),
                ("contact", 2),
                ("safety_plan", 24),
            ],
        ),
    ],
)
def test_what_is_due_is_told_from_its_moment_on(
    changes: dict[str, object], expected: list[tuple[str, int]]
) -> None:
    found = dues_at(replace(CALM, **changes), at=NOON + 25 * HOUR, policy=POLICY)  # type: ignore[arg-type]
    assert found == tuple(Due(what, NOON + hours * HOUR) for what, hours in expected)


def test_only_what_is_due_for_somebody_in_an_alternative_is_loud() -> None:
    calm, loud = ("contact", "safety_plan"), ("alternative_check", "alternative_nights")
    assert not any(is_overdue((Due(what, NOON),)) for what in calm)
    assert all(is_overdue((Due("contact", NOON), Due(what, NOON))) for what in loud)
    assert not is_overdue(())


def test_only_an_emergency_bed_has_a_last_night() -> None:
    assert last_night(NOON.date(), kind="emergency_bed", policy=POLICY) == dt.date(2026, 3, 4)
    assert last_night(NOON.date(), kind="hotel", policy=POLICY) is None
