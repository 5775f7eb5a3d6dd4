"""Quarterly totals: given equals received in sum, always.

And every night is divided to the last millionth.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.allocation.shares.disclosure import FEW, shown_cells
from app.allocation.shares.fairness import contradictions, fair_shares, millionths
from app.allocation.shares.nights import LedgerStay
from app.allocation.shares.quarters import Quarter
from app.allocation.shares.totals import NIGHT, Flow, content_of, have_same_figures, totals_of
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
    totals = totals_of(quarter, stays, weights=weights, regions=REGIONS)
    return content_of(quarter, totals, leaves=9, open_from=dt.date(2026, 7, 3))


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
        "stays_given": 1,
        "person_nights_given": 20,
        "quota": 5 * NIGHT,
    }
    assert {name: count for name, count in figures["A"].items() if count} == {
        "received_safety": 10,
        "stays_received": 1,
        "person_nights_received": 20,
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


def test_nothing_outside_the_quarter_counts_and_a_stay_without_a_night_is_a_stay() -> None:
    gone = replace(STAY, arrived_on=dt.date(2025, 12, 1), departed_on=Q1.first)
    short = replace(STAY, arrived_on=Q1.last, departed_on=Q1.last)
    figures = content(gone, short)["regions"]
    assert (figures["B"]["given_safety"], figures["B"]["stays_given"]) == (0, 1)


def test_flows_say_where_nights_went_why_and_in_which_month() -> None:
    stay = replace(STAY, arrived_on=dt.date(2026, 1, 30), ready_since=dt.date(2026, 2, 9))
    flows = totals_of(Q1, [stay], weights=EVEN, regions=REGIONS).flows
    january, february = (Flow("A", "B", "safety", dt.date(2026, month, 1)) for month in (1, 2))
    assert {flow: (one.nights, one.after_ready, one.stays) for flow, one in flows.items()} == {
        january: (2, 0, 1),
        february: (8, 2, 1),
    }


def test_two_contents_say_the_same_from_however_many_leaves() -> None:
    assert have_same_figures(content(STAY), content(STAY) | {"leaves": 12})
    assert not have_same_figures(content(STAY), content(replace(STAY, persons="1")))


# --- what everybody may see -----------------------------------------------------------


def test_pairs_and_months_leave_out_what_is_small_and_what_would_give_it_away() -> None:
    few = replace(STAY, origin="C", departed_on=dt.date(2026, 2, 4))
    assert content(STAY)["pairs"] == {"A": {"B": 10}}
    assert content(STAY)["months"] == {"2026-02": {"safety": 10}}
    assert content(STAY, few)["pairs"] == {}
    assert content(replace(few, origin="A"))["months"] == {}
    far = replace(STAY, origin="D", receiving="C")
    assert content(STAY, few, far)["pairs"] == {"D": {"C": 10}}


def test_a_month_leaves_out_what_would_give_away_a_reason_of_the_same_account() -> None:
    return_trip = replace(STAY, reason="return", departed_on=dt.date(2026, 2, 4))
    capacity = replace(STAY, reason="capacity", departed_on=dt.date(2026, 2, 26))
    assert content(STAY, capacity)["months"] == {"2026-02": {"capacity": 25, "safety": 10}}
    assert content(STAY, capacity, return_trip)["months"] == {"2026-02": {"safety": 10}}


cells = st.dictionaries(
    st.tuples(st.sampled_from("ABCD"), st.sampled_from("VWXYZ")), st.integers(0, 40)
)


@given(cells)
def test_no_row_or_column_leaves_out_a_small_rest_of_what_it_shows(
    table: dict[tuple[str, str], int],
) -> None:
    shown = shown_cells(table)
    assert all(count >= FEW and table[cell] == count for cell, count in shown.items())
    for at in (0, 1):
        for name in {cell[at] for cell in shown}:
            hidden = [
                count
                for cell, count in table.items()
                if cell[at] == name and count and cell not in shown
            ]
            assert not hidden or (len(hidden) > 1 and sum(hidden) >= FEW)


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
    said["regions"]["D"]["stays_received"] += 1
    assert contradictions(said) == (
        "given_safety and received_safety",
        "stays_given and stays_received",
        "given_safety and quota",
    )
