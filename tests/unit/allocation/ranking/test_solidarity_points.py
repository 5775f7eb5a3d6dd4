"""Solidarity in points.

Who has given least goes first for a household that flees, and is spared for others.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.allocation.shares.shares import NIGHT
from app.allocation.values import Need, Points, Situation
from tests.unit.allocation.cases import PLACE, QUIET, SAFE_NEED, only_offer, rank_one


def line(need: Need = SAFE_NEED, situation: Situation = QUIET) -> Points:
    return only_offer(rank_one(need, PLACE, situation)).points[4]


@pytest.mark.parametrize(
    "deficit, points, params",
    [
        (0, 120, {"case": "even"}),
        (15 * NIGHT, 122, {"case": "even"}),
        (-1, 119, {"case": "even"}),
        (90 * NIGHT, 132, {"case": "owes", "nights": 90}),
        (-119 * NIGHT, 104, {"case": "gave", "nights": 90}),
        (5000 * NIGHT, 240, {"case": "owes", "nights": 4980}),
        (-5000 * NIGHT, 0, {"case": "gave", "nights": 4980}),
    ],
)
def test_the_region_that_gave_least_earns_most(
    deficit: int, points: int, params: dict[str, int | str]
) -> None:
    assert line(situation=replace(QUIET, deficits={"AWAY": deficit})) == Points(
        "solidarity", points, params
    )


@pytest.mark.parametrize(
    "deficit, points, case",
    [
        (0, 120, "not_shared"),
        (-5000 * NIGHT, 120, "not_shared"),
        (29 * NIGHT, 116, "not_shared"),
        (90 * NIGHT, 108, "keeps"),
        (5000 * NIGHT, 0, "keeps"),
    ],
)
def test_who_does_not_flee_takes_last_from_a_region_that_owes(
    deficit: int, points: int, case: str
) -> None:
    for reason in ("capacity", "follow_on", "return"):
        need, owing = replace(SAFE_NEED, reason=reason), replace(QUIET, deficits={"AWAY": deficit})

        assert line(need, owing) == Points("solidarity", points, {"case": case})


def test_the_own_region_asks_nothing_of_another_whatever_it_gave() -> None:
    need, owing = (
        replace(SAFE_NEED, origin_region="AWAY"),
        replace(QUIET, deficits={"AWAY": -900 * NIGHT}),
    )

    assert line(need, owing) == Points("solidarity", 240, {"case": "own_region"})
    assert only_offer(rank_one(need)).cross_regional is False
    assert only_offer(rank_one()).cross_regional is True
