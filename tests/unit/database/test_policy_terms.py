"""The country that a process keeps has, for each moment, the policy in force then."""

from dataclasses import replace
from datetime import timedelta

from app.database.reference import Reference, Term
from tests.unit.allocation.cases import NOON, POLICY

DAY = timedelta(days=1)
SECOND, THIRD = replace(POLICY, version="second"), replace(POLICY, version="third")
KEPT = Reference(
    version=7,
    regions={},
    municipalities={},
    clearances={},
    distances={},
    weights={},
    policy=POLICY,
    policy_hash="sha256:1",
    later=(Term(NOON, "sha256:2", SECOND), Term(NOON + DAY, "sha256:3", THIRD)),
)


def test_a_policy_is_in_force_from_its_very_moment_until_the_next_one() -> None:
    instant = timedelta(microseconds=1)
    moments = (
        NOON - 9 * DAY,
        NOON - instant,
        NOON,
        NOON + DAY - instant,
        NOON + DAY,
        NOON + 99 * DAY,
    )

    found = [KEPT.at(moment) for moment in moments]

    assert [one.policy_hash[-1] for one in found] == ["1", "1", "2", "2", "3", "3"]
    assert [one.policy.version for one in found][2:] == ["second", "second", "third", "third"]


def test_what_was_kept_still_gives_earlier_moments_their_own() -> None:
    later = KEPT.at(NOON + DAY)

    assert (later.version, later.later) == (7, ())
    assert KEPT.at(NOON - DAY) is KEPT
    assert KEPT.at(NOON).at(NOON + DAY) == later
