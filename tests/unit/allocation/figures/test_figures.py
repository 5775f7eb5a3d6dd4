"""A quarter's figures, and a reader of every release who solves all the equations."""

from __future__ import annotations

import random
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.allocation.figures.curves import CLASSES, EDGES, Curve, Point, class_of, curve
from app.allocation.figures.figures import (
    COUNTRY,
    OTHER,
    Figures,
    Measure,
    RegionCount,
    figures,
    name_of,
)
from app.allocation.figures.suppression import FEW, WIDTH, Sum, possible
from app.allocation.figures.survival import ObservedStay, SurvivalStep, survival
from tests.rounds import rounds

REGIONS = ("A", "B", "C", "D", "E")
OUTFLOW = Measure("outflow", {"to": ("home", "kin", "care"), "moves": ("0", "1+")})
GROUPS = Measure("groups", {"code": ("young", "elder")}, adds_up=False)
INFLOW = Measure("inflow")
MEASURES = (OUTFLOW, GROUPS, INFLOW)


def drawn(seed: int, *, most: int) -> list[RegionCount]:
    """A quarter in which some regions have many and some hardly any."""
    luck = random.Random(seed)
    found: list[RegionCount] = []
    for region, to, moves in product(REGIONS, ("home", "kin", "care"), ("0", "1+")):
        count = luck.choice((0, 0, luck.randint(0, 4), luck.randint(0, most)))
        found.append(
            RegionCount("outflow", region, f"only {region}", count, {"to": to, "moves": moves})
        )
    found += [
        RegionCount("groups", region, "x", luck.randint(0, 30), {"code": "young"})
        for region in REGIONS
    ]
    found += [RegionCount("inflow", region, "x", luck.randint(0, most)) for region in REGIONS]
    return found


def truth(counted: list[RegionCount]) -> dict[tuple[str, str, str, str], int]:
    """Every cell with its true value, counted once more and otherwise."""
    cells: dict[tuple[str, str, str, str], int] = {}
    for measure in MEASURES:
        kinds = [(b, c) for b, codes in measure.breakdowns.items() for c in codes]
        for (breakdown, code), region in product([("", ""), *kinds], (COUNTRY, *REGIONS)):
            if breakdown or measure.adds_up:
                cells[measure.name, breakdown, code, region] = sum(
                    one.count
                    for one in counted
                    if one.measure == measure.name
                    and region in {COUNTRY, one.region}
                    and (not breakdown or one.codes.get(breakdown) == code)
                )
    return cells


def equations(cells: dict[tuple[str, str, str, str], int]) -> list[Sum]:
    """Everything that a reader knows.

    Parts come to their total, regions to the country.
    """
    found = [
        Sum(cell, tuple((*cell[:-1], region) for region in REGIONS))
        for cell in cells
        if cell[-1] == COUNTRY
    ]
    for measure in (OUTFLOW,):
        for region, (breakdown, codes) in product((COUNTRY, *REGIONS), measure.breakdowns.items()):
            parts = tuple((measure.name, breakdown, code, region) for code in codes)
            found.append(Sum((measure.name, "", "", region), parts))
    return found


def released(counted: list[RegionCount]) -> dict[str, Figures]:
    return figures(MEASURES, counted, regions=REGIONS, served=REGIONS)


@given(st.integers(0, 10**6), st.sampled_from((6, 25, 200)))
@settings(deadline=None, max_examples=rounds(4, soak=100))
def test_a_reader_of_all_regions_and_the_country_cannot_tell_one_small_count(
    seed: int, most: int
) -> None:
    counted = drawn(seed, most=most)
    cells = truth(counted)
    shown = released(counted)

    for cell, count in cells.items():
        assert shown[cell[-1]][name_of(cell)] in {None, count}
    hidden = [cell for cell in cells if shown[cell[-1]][name_of(cell)] is None]
    small = [cell for cell, count in cells.items() if count < FEW]
    assert set(small) <= set(hidden)
    for cell in small:
        low, high = possible(cells, equations(cells), hidden=hidden, cell=cell)
        assert high is None or high - low >= WIDTH, cell


@given(st.integers(0, 10**6))
@settings(deadline=None, max_examples=rounds(2, soak=40))
def test_quarters_beside_each_other_and_one_region_at_a_time_tell_no_more(seed: int) -> None:
    # What is asked for selects from what was released, and quarters are never added up: so the
    # equations of two releases have no cell in common, and a reader of both is a reader of each.
    quarters = [drawn(seed, most=25), drawn(seed + 1, most=25)]
    together: dict[tuple[str, str, str, str, str], int] = {}
    sums: list[Sum] = []
    hidden: list[tuple[str, str, str, str, str]] = []
    for name, counted in zip(("Q1", "Q2"), quarters, strict=True):
        cells, shown = truth(counted), released(counted)
        together |= {(*cell, name): count for cell, count in cells.items()}
        sums += [
            Sum((*one.total, name), tuple((*part, name) for part in one.parts))  # type: ignore[misc]
            for one in equations(cells)
        ]
        hidden += [(*cell, name) for cell in cells if shown[cell[-1]][name_of(cell)] is None]

    for cell, count in together.items():
        if count < FEW:
            low, high = possible(together, sums, hidden=hidden, cell=cell)
            assert high is None or high - low >= WIDTH, cell


def test_with_the_small_ones_hidden_alone_the_same_reader_would_tell() -> None:
    counted = drawn(3, most=200)
    cells = truth(counted)
    hidden = [cell for cell, count in cells.items() if count < FEW]

    told = [
        cell
        for cell in hidden
        if possible(cells, equations(cells), hidden=hidden, cell=cell) == (cells[cell],) * 2
    ]
    assert len(told) > 0


def test_a_provider_that_takes_away_its_own_part_does_not_learn_that_of_a_neighbour() -> None:
    large = [RegionCount("inflow", "A", "one", 40), RegionCount("inflow", "A", "two", 4)]
    far = [RegionCount("inflow", region, "three", 50) for region in "BCDE"]

    assert released([*large, *far])["A"]["inflow"] is None
    alone = [RegionCount("inflow", "A", "one", 44), *far]
    assert released(alone)["A"]["inflow"] == 44
    shared = [RegionCount("inflow", "A", "one", 22), RegionCount("inflow", "A", "two", 22), *far]
    assert released(shared)["A"]["inflow"] == 44


def test_where_there_are_no_places_nothing_is_hidden_on_that_account() -> None:
    counted = [RegionCount("inflow", "A", "one", 40), RegionCount("inflow", "B", "two", 12)]

    everywhere = figures((INFLOW,), counted, regions=REGIONS, served=REGIONS)
    only_there = figures((INFLOW,), counted, regions=REGIONS, served=("A", "B"))

    assert (everywhere["A"]["inflow"], everywhere["B"]["inflow"]) == (40, None)
    assert [only_there[region]["inflow"] for region in (COUNTRY, "A", "B", "C")] == [
        52,
        40,
        12,
        None,
    ]
    by_origin = Measure("inflow", by_origin=True)
    assert figures((by_origin,), counted, regions=REGIONS, served=("A", "B"))["B"]["inflow"] is None


def test_a_code_that_a_breakdown_does_not_know_counts_as_other() -> None:
    measure = Measure("answers", {"code": ("accepted", OTHER)})
    counted = [
        RegionCount("answers", "A", "one", 20, {"code": "accepted"}),
        RegionCount("answers", "A", "one", 15, {"code": "of a later policy"}),
    ]

    shown = figures((measure,), counted, regions=("A",), served=("A",))["A"]

    assert shown == {"answers": 35, "answers.code.accepted": 20, "answers.code.other": 15}


# --- how long stays last --------------------------------------------------------------


def steps_of(*ended: tuple[int, int], open_until: int, going_on: int) -> tuple[SurvivalStep, ...]:
    stays = [ObservedStay(0, day, ended=True, count=count) for day, count in ended]
    return survival([*stays, ObservedStay(0, open_until, ended=False, count=going_on)])


def test_every_length_has_a_class() -> None:
    assert [class_of(days) for days in (0, 13, 14, 364, 365, 4000)] == [
        CLASSES[0],
        CLASSES[0],
        CLASSES[1],
        CLASSES[-2],
        CLASSES[-1],
        CLASSES[-1],
    ]
    assert len(CLASSES) == len(EDGES) + 1


def test_the_curve_goes_as_far_as_its_departures_are_shown() -> None:
    steps = steps_of((7, 20), (20, 40), (50, 20), open_until=89, going_on=20)

    percents = {14: 80, 30: 40, 60: 20, 90: 20, 180: 20, 365: 20}
    assert curve(steps, shown=CLASSES) == Curve(
        20, tuple(Point(days, part) for days, part in percents.items())
    )
    assert curve(steps, shown=(CLASSES[0], CLASSES[2])) == Curve(None, (Point(14, 80),))
    assert curve(steps, shown=()) == Curve(None, ())


def test_it_ends_where_fewer_than_ten_are_left() -> None:
    steps = steps_of((7, 20), (20, 12), (25, 4), (50, 2), open_until=89, going_on=3)

    assert curve(steps, shown=CLASSES) == Curve(None, (Point(14, 51),))


@pytest.mark.parametrize("median, told", [(21, 20), (22, 20), (23, 25)])
def test_a_median_is_told_in_steps_of_five(median: int, told: int) -> None:
    steps = steps_of((3, 20), (median, 40), (40, 20), open_until=89, going_on=20)

    assert curve(steps, shown=CLASSES).median_days == told


def test_a_median_that_has_not_come_is_none() -> None:
    assert curve(steps_of((3, 20), open_until=89, going_on=100), shown=CLASSES).median_days is None
