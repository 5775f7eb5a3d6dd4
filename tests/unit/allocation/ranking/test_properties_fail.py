"""Each property of rankings is able to fail: a ranking that breaks it is found out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import pytest
from hypothesis import Phase, settings

from app.allocation.policy.policy import Policy
from app.allocation.ranking.rank import rank
from app.allocation.values import Need, Ranking, Register, Situation
from tests.unit.allocation import cases
from tests.unit.allocation.ranking import test_properties as properties

Ranker: TypeAlias = Callable[[Need, Register, Situation, Policy], Ranking]


def with_bands_exchanged(
    need: Need, register: Register, situation: Situation, policy: Policy
) -> Ranking:
    ranking = rank(need, register, situation, policy)
    other = {"ample": "sufficient", "sufficient": "ample"}
    return replace(
        ranking, offers=tuple(replace(offer, band=other[offer.band]) for offer in ranking.offers)
    )


def who_gave_most_first(
    need: Need, register: Register, situation: Situation, policy: Policy
) -> Ranking:
    given = {region: -deficit for region, deficit in situation.deficits.items()}
    return rank(need, register, replace(situation, deficits=given), policy)


def stalest_first(need: Need, register: Register, situation: Situation, policy: Policy) -> Ranking:
    hours = {
        site: None if hours is None else max(0, 70 - hours)
        for site, hours in situation.confirmed_hours.items()
    }
    return rank(need, register, replace(situation, confirmed_hours=hours), policy)


def by_how_many_there_are(
    need: Need, register: Register, situation: Situation, policy: Policy
) -> Ranking:
    ranking = rank(need, register, situation, policy)
    return replace(ranking, offers=ranking.offers[len(register.groups) % 2 :])


def by_who_came_in_first(
    need: Need, register: Register, situation: Situation, policy: Policy
) -> Ranking:
    ranking = rank(need, register, situation, policy)
    came = {group.id: position for position, group in enumerate(register.groups)}
    return replace(
        ranking, offers=tuple(sorted(ranking.offers, key=lambda offer: came[offer.group.id]))
    )


def one_point_too_many(
    need: Need, register: Register, situation: Situation, policy: Policy
) -> Ranking:
    ranking = rank(need, register, situation, policy)
    return replace(
        ranking, offers=tuple(replace(offer, score=offer.score + 1) for offer in ranking.offers)
    )


@pytest.mark.parametrize(
    "claim, broken",
    [
        (
            properties.test_more_clearance_never_moves_an_offer_to_a_worse_band_nor_out,
            with_bands_exchanged,
        ),
        (
            properties.test_a_region_that_owes_more_comes_no_later_for_safety_and_no_sooner_otherwise,
            who_gave_most_first,
        ),
        (properties.test_staler_never_gains, stalest_first),
        (
            properties.test_an_unlawful_offer_added_changes_nothing_but_the_count_of_those_left_out,
            by_how_many_there_are,
        ),
        (properties.test_the_order_of_what_goes_in_changes_nothing, by_who_came_in_first),
        (
            properties.test_points_sum_to_the_score_and_the_order_is_the_bands_then_the_score,
            one_point_too_many,
        ),
    ],
)
def test_a_ranking_that_breaks_a_claim_is_found_out(
    monkeypatch: pytest.MonkeyPatch, claim: Callable[[], None], broken: Ranker
) -> None:
    for module in (cases, properties):
        monkeypatch.setattr(module, "rank", broken)
    # Found is enough: the smallest example is for the one who breaks it in earnest. The same worlds in
    # every run: what is found once is found always.
    found_only = settings(
        settings(),
        phases=(Phase.generate,),
        database=None,
        max_examples=2000,
        deadline=None,
        derandomize=True,
    )
    monkeypatch.setattr(claim, "_hypothesis_internal_use_settings", found_only)

    with pytest.raises(AssertionError):
        claim()
