"""Quarterly totals: given equals received in sum, always.

And every night is divided to the last millionth.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from app.allocation.shares.fairness import contradictions, fair_shares, millionths
from app.allocation.shares.nights import LedgerStay
from app.allocation.shares.quarters import Quarter
from app.allocation.shares.shares import NIGHT
from app.allocation.shares.totals import (
    FIGURES,
    Account,
    booked,
    content_of,
    earlier_figures,
)
from app.allocation.shares.weights import RegionWeights, WeightHistory, region_weights_of

REGIONS = ("A", "B", "C", "D")
Q1 = Quarter(2026, 1)
DAY = dt.timedelta(days=1)
EVEN = WeightHistory([RegionWeights(dt.date(2020, 1, 1), dict.fromkeys(REGIONS, 1))])
STAY = LedgerStay(
    arrival=0,
    origin="A",
    receiving="B",
    reason="safety",
    persons="2",
    lawful_regions=("B", "C"),
    arrived_on=dt.date(2026, 2, 1),
    departed_on=dt.date(2026, 2, 11),
    ready_since=None,
)


def content(
    *stays: LedgerStay, weights: WeightHistory = EVEN, quarter: Quarter = Q1
) -> dict[str, Any]:
    account = Account(stays, weights)
    regions = booked(quarter, account, account, since=quarter.first, regions=REGIONS)
    return content_of(quarter, regions, leaves=9, late_from=9, open_from=dt.date(2026, 7, 3))


# --- weights through time -------------------------------------------------------------


def test_a_night_is_divided_by_the_weights_in_force_on_it() -> None:
    versions = [
        region_weights_of({"valid_from": "2026-02-04", "source": "a council", "weights": {"B": 9}}),
        region_weights_of(
            {"valid_from": "2020-01-01", "source": "a law", "weights": {"B": 1, "C": 3}}
        ),
        region_weights_of(
            {"valid_from": "2026-02-04", "source": "a correction", "weights": {"B": 6}}
        ),
    ]
    weights = WeightHistory(versions)
    assert weights.on(dt.date(2019, 12, 31)) == {}
    assert weights.on(dt.date(2026, 2, 3)) == {"B": 1, "C": 3}
    assert weights.on(dt.date(2026, 2, 4)) == {"B": 6, "C": 3}
    figures = content(STAY, weights=weights)["regions"]
    assert figures["B"]["quota"] == 3 * 250_000 + 7 * 666_667
    assert figures["C"]["quota"] == 3 * 750_000 + 7 * 333_333


def test_without_weights_every_lawful_region_bears_the_same() -> None:
    assert content(STAY, weights=WeightHistory([]))["regions"]["C"]["quota"] == 5 * NIGHT


# --- a quarter ------------------------------------------------------------------------


def test_a_safety_night_is_given_received_and_divided() -> None:
    figures = content(STAY)["regions"]
    assert list(figures) == list(REGIONS)
    assert {name: count for name, count in figures["B"].items() if count} == {
        "given_safety": 10,
        "quota": 5 * NIGHT,
    }
    assert {name: count for name, count in figures["A"].items() if count} == {
        "received_safety": 10,
    }
    assert {name: count for name, count in figures["C"].items() if count} == {"quota": 5 * NIGHT}


def test_a_capacity_night_is_owed_by_the_origin_and_is_nobodys_quota() -> None:
    figures = content(replace(STAY, reason="capacity"))["regions"]
    assert (figures["B"]["given_capacity"], figures["A"]["received_capacity"]) == (10, 10)
    assert sum(one["quota"] + one["given_safety"] for one in figures.values()) == 0


def test_nights_after_ready_are_apart_earn_no_credit_and_make_no_quota() -> None:
    figures = content(replace(STAY, ready_since=dt.date(2026, 2, 4)))["regions"]
    assert (figures["B"]["given_safety"], figures["B"]["given_after_ready"]) == (3, 7)
    assert (figures["A"]["received_safety"], figures["A"]["received_after_ready"]) == (3, 7)
    assert sum(one["quota"] for one in figures.values()) == 3 * NIGHT


def test_what_was_lawful_nowhere_is_borne_by_the_region_that_took_it() -> None:
    assert content(replace(STAY, lawful_regions=()))["regions"]["B"]["quota"] == 10 * NIGHT


def test_nothing_outside_the_quarter_counts_and_a_stay_without_a_night_gives_none() -> None:
    gone = replace(STAY, arrived_on=dt.date(2025, 12, 1), departed_on=Q1.first)
    short = replace(STAY, arrived_on=Q1.last, departed_on=Q1.last)
    figures = content(gone, short)["regions"]
    assert not any(figures["B"].values())


def test_the_earlier_edition_counted_stays_and_persons_of_a_quarter_alone() -> None:
    account = Account([STAY], EVEN)
    figures = earlier_figures(account, Q1, "B")
    assert (figures["given_safety"], figures["stays_given"]) == (10, 1)
    assert figures["person_nights_given"] == 20
    assert not any(earlier_figures(account, Q1.next, "B").values())


# --- what becomes known later ---


def test_a_late_fact_is_booked_in_the_next_quarter_in_one_number_with_its_own_nights() -> None:
    running = replace(STAY, departed_on=None)
    before, now = Account([running], EVEN), Account([STAY], EVEN)
    late = booked(Q1.next, now, before, since=Q1.first, regions=REGIONS)
    first = booked(Q1, before, before, since=Q1.first, regions=REGIONS)
    true = booked(Q1, now, now, since=Q1.first, regions=REGIONS)
    for region in REGIONS:
        assert {name: first[region][name] + late[region][name] for name in FIGURES} == true[region]
    assert late["B"]["given_safety"] == 10 - (28 + 31)


def test_one_leaf_has_many_histories_so_no_late_fact_shows_in_it() -> None:
    """All that is published is the same, whenever the family left in the quarter before."""
    family = replace(STAY, persons="5+", departed_on=None)
    left, other_left = dt.date(2026, 3, 22), Q1.next.first + 40 * DAY
    leaves: list[dict[str, dict[str, int]]] = []
    for days in range(10):
        late = replace(family, departed_on=left + days * DAY)
        other = replace(
            STAY,
            arrival=1,
            persons="1",
            arrived_on=Q1.next.first,
            departed_on=other_left - days * DAY,
        )
        now, known = Account([late, other], EVEN), Account([family], EVEN)
        leaves.append(booked(Q1.next, now, known, since=Q1.first, regions=REGIONS))
    assert leaves == leaves[:1] * 10


# --- shares ---------------------------------------------------------------------------


def test_credit_is_what_was_given_less_the_quota_over_all_quarters() -> None:
    running = replace(STAY, departed_on=None)
    shares = fair_shares([content(running), content(running, quarter=Q1.next)])
    by_region = {share.region: share for share in shares.regions}
    nights = 28 + 31 + 91
    assert (by_region["B"].credit, by_region["B"].deviation) == (nights * NIGHT // 2, 1_000_000)
    assert (by_region["C"].credit, by_region["C"].deviation) == (-nights * NIGHT // 2, -1_000_000)
    assert by_region["A"].deviation is None
    assert shares.total_relative_deviation == 1_000_000


def test_where_nothing_was_shared_nothing_deviates() -> None:
    assert fair_shares([content()]).total_relative_deviation == 0


def test_ratios_go_to_the_nearest_millionth() -> None:
    assert [millionths(part, 3) for part in (1, 2, -1, -2, 0)] == [
        333_333,
        666_667,
        -333_333,
        -666_667,
        0,
    ]
    assert millionths(1, 2_000_000) == 1
    assert millionths(-1, 2_000_000) == -1


def test_sums_that_do_not_agree_are_named() -> None:
    said = content(STAY)
    assert contradictions(said) == ()
    said["regions"]["B"]["given_safety"] += 1
    said["regions"]["D"]["stays_received"] = 1
    assert contradictions(said) == (
        "given_safety and received_safety",
        "stays_given and stays_received",
        "given_safety and quota",
    )


def test_a_quota_that_late_facts_took_away_has_no_deviation() -> None:
    never = replace(STAY, departed_on=STAY.arrived_on)
    regions = booked(
        Q1.next, Account([never], EVEN), Account([STAY], EVEN), since=Q1.first, regions=REGIONS
    )
    shares = fair_shares([{"regions": regions}])
    assert [(one.quota, one.deviation) for one in shares.regions if one.quota] == [
        (-5 * NIGHT, None),
        (-5 * NIGHT, None),
    ]
    assert shares.total_relative_deviation == 0
