"""Who goes first on a waiting list."""

import datetime as dt
from dataclasses import replace

from app.allocation.ranking.waiting_list import Waiting, last_night, list_position
from tests.unit.allocation.cases import POLICY

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
ONE = Waiting(id="b", urgency="urgent", threat_level=2, children=False, since=NOON)


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


def test_only_an_emergency_bed_has_a_last_night() -> None:
    assert last_night(NOON.date(), kind="emergency_bed", policy=POLICY) == dt.date(2026, 3, 4)
    assert last_night(NOON.date(), kind="hotel", policy=POLICY) is None
