"""What a draft of a policy would have changed, in counts that name nobody and nowhere."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from app.allocation.policy.trial import FEW, FactorChange, Trial, TrialTally
from app.allocation.ranking.rank import rank
from app.allocation.values import Register
from tests.unit.allocation.cases import PLACE, POLICY, QUIET, SAFE_NEED, draw_world

if TYPE_CHECKING:
    from app.allocation.policy.policy import Policy

EMERGENCY_FIRST = {"crisis": 0, "emergency": 900, "regular": 400}
NEED = replace(SAFE_NEED, danger_assessment="not_asked")
CRISIS, EMERGENCY, REGULAR = [
    replace(PLACE, id=kind, site_id=kind, kind=kind, region=kind.upper(), municipality=kind)
    for kind in ("crisis", "emergency", "regular")
]
SITUATION = replace(
    QUIET,
    free={"crisis": 1, "emergency": 1, "regular": 1},
    clearances={"home": {"crisis": 95, "emergency": 60, "regular": 110}},
)


def tried(draft: Policy, *, times: int = 1) -> Trial:
    tally, register = TrialTally(), Register((CRISIS, EMERGENCY, REGULAR))
    for _ in range(times):
        tally.add(rank(NEED, register, SITUATION, POLICY), rank(NEED, register, SITUATION, draft))
    return tally.trial()


def with_kinds(kinds: dict[str, int]) -> Policy:
    fit = replace(POLICY.points.fit, kinds={**POLICY.points.fit.kinds, "acute": kinds})
    return replace(POLICY, points=replace(POLICY.points, fit=fit))


def test_the_same_policy_changes_nothing() -> None:
    tally = TrialTally()
    for seed in range(60):
        world = draw_world(Random(seed), most_groups=9)
        tally.add(world.rank(), world.rank())
    trial = tally.trial()

    assert (trial.rankings, trial.other_first, trial.other_band) == (60, 0, 0)
    assert (trial.let_through, trial.left_out, trial.regions) == ({}, {}, {})
    assert trial.moved == {"0": trial.compared, "1": 0, "2-5": 0, "6+": 0}
    assert all(change.before == change.after for change in trial.factors.values())
    assert trial.compared > 30


def test_another_order_is_counted_by_ranks_by_points_and_by_first_offer() -> None:
    trial = tried(replace(with_kinds(EMERGENCY_FIRST), ample_margin_km=0))

    # crisis, regular, emergency (in the band below) become emergency, regular, crisis
    assert (trial.rankings, trial.other_first, trial.first_found, trial.first_lost) == (1, 1, 0, 0)
    assert trial.moved == {"0": 1, "1": 0, "2-5": 2, "6+": 0}
    assert (trial.compared, trial.other_band) == (3, 1)
    assert trial.factors["fit"] == FactorChange(150 + 60 + 90, 900 + 400)
    assert trial.factors["headroom"] == FactorChange(0, 0)


def test_what_a_rule_newly_leaves_out_or_lets_through_is_counted_in_places() -> None:
    stricter, looser = (replace(POLICY, unassessed_radius_km=km) for km in (80, 0))

    assert tried(stricter).left_out == {"danger": 4}
    assert tried(stricter).let_through == {}
    assert tried(looser).left_out == tried(looser).let_through == {}
    assert tried(replace(POLICY, unassessed_radius_km=120)).first_lost == 1
    tally, register = TrialTally(), Register((REGULAR,))
    for policies in ((replace(POLICY, unassessed_radius_km=120), POLICY),):
        tally.add(*(rank(NEED, register, SITUATION, policy) for policy in policies))
    found = tally.trial()
    assert (found.first_found, found.other_first, found.let_through, found.compared) == (
        1,
        1,
        {"danger": 4},
        0,
    )


def test_a_neighbour_that_goes_does_not_count_as_moving_the_others() -> None:
    trial = tried(replace(POLICY, unassessed_radius_km=75))

    assert trial.left_out == {"danger": 4}
    assert trial.moved == {"0": 2, "1": 0, "2-5": 0, "6+": 0}


def test_a_region_is_told_only_when_its_change_is_not_of_a_few() -> None:
    draft = replace(with_kinds(EMERGENCY_FIRST), ample_margin_km=0)

    assert tried(draft, times=FEW - 1).regions == {}
    assert tried(draft, times=FEW).regions == {"CRISIS": -FEW, "EMERGENCY": FEW}


def test_offers_that_move_far_are_counted_together() -> None:
    groups = [replace(PLACE, id=f"g{n}", site_id=f"s{n}") for n in range(8)]
    free = {group.id: 1 for group in groups}
    hours = {"s0": 0} | {f"s{n}": 50 + n for n in range(1, 8)}
    situation, register = replace(QUIET, free=free, confirmed_hours=hours), Register(tuple(groups))
    fresh_first = rank(SAFE_NEED, register, situation, POLICY)
    stale_first = replace(fresh_first, offers=(*fresh_first.offers[1:], fresh_first.offers[0]))
    tally = TrialTally()

    tally.add(fresh_first, stale_first)

    assert tally.trial().moved == {"0": 0, "1": 7, "2-5": 0, "6+": 1}
