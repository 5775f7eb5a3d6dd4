"""Leaves of a stay: each cross-regional time at a provider has one at each end."""

from itertools import groupby, pairwise
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from app.allocation.ledger.stays import LeavesDue, StayArrival, leaves_due


class Step(NamedTuple):
    """A place in a journey.

    Whose, whether in another region than they come from, and whether they left it early.
    """

    provider: str
    cross_regional: bool
    left_before: bool


STEPS = st.lists(
    st.builds(Step, st.sampled_from("ABC"), st.booleans(), st.booleans()), min_size=1, max_size=7
)


def written(steps: list[Step]) -> list[str]:
    """Walk a journey as the service does.

    Keep whether this time's beginning had a leaf, and write what is due.
    """
    leaves: list[str] = []
    here: Step | None = None
    begun = False
    for step in steps:
        inside = None if here is None else here.provider == step.provider
        due = leaves_due(StayArrival(inside, step.cross_regional))
        if due.departure and begun:
            leaves.append("departure")
        if not inside:
            begun = due.arrival
        if due.arrival:
            leaves.append("arrival")
        here = None if step.left_before else step
        if step.left_before and begun:
            leaves.append("departure")
    if here is not None and begun:
        leaves.append("departure")
    return leaves


def times(steps: list[Step]) -> list[bool]:
    """Say of each time at one provider whether it began across regions, seeing the whole."""
    breaks = [0]
    for before, step in pairwise(steps):
        breaks.append(breaks[-1] + (before.left_before or before.provider != step.provider))
    numbered = groupby(zip(breaks, steps, strict=True), key=lambda pair: pair[0])
    return [next(iter(time))[1].cross_regional for _, time in numbered]


@given(STEPS)
def test_each_cross_regional_time_at_a_provider_has_one_leaf_for_its_beginning_and_one_for_its_end(
    steps: list[Step],
) -> None:
    assert written(steps) == ["arrival", "departure"] * sum(times(steps))


def test_moving_inside_one_provider_asks_for_no_leaf_in_whatever_region() -> None:
    assert {
        leaves_due(StayArrival(left_inside=True, cross_regional=cross)) for cross in (True, False)
    } == {LeavesDue(departure=False, arrival=False)}


def test_a_first_place_and_one_after_they_had_left_only_begin() -> None:
    assert leaves_due(StayArrival(left_inside=None, cross_regional=True)) == LeavesDue(
        departure=False, arrival=True
    )
    assert leaves_due(StayArrival(left_inside=None, cross_regional=False)) == LeavesDue(
        departure=False, arrival=False
    )
