"""Small counts, and a reader who solves all the equations at once."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.allocation.figures.suppression import (
    FEW,
    WIDTH,
    Sum,
    _Tables,
    counts_to_show,
    hidden_cells,
    possible,
)
from tests.rounds import rounds

if TYPE_CHECKING:
    from collections.abc import Mapping

ALL = "*"


def table(values: list[list[int]]) -> tuple[dict[Any, int], list[Sum]]:
    """A table of rows and columns, with all its sums."""
    rows, columns = range(len(values)), range(len(values[0]))
    counts: dict[Any, int] = {(f"r{i}", f"c{j}"): values[i][j] for i, j in product(rows, columns)}
    across = [Sum((f"r{i}", ALL), tuple((f"r{i}", f"c{j}") for j in columns)) for i in rows]
    down = [
        Sum((ALL, j), tuple((f"r{i}", j) for i in rows)) for j in [*(f"c{j}" for j in columns), ALL]
    ]
    sums = across + down
    for equation in sums:
        counts[equation.total] = sum(counts[part] for part in equation.parts)
    return counts, sums


def given_away(
    counts: Mapping[Any, int], sums: list[Sum], hidden: frozenset[Any], small: set[Any]
) -> dict[Any, Any]:
    """The small counts that a reader can tell too exactly, each with what is possible."""
    found = {cell: possible(counts, sums, hidden=hidden, cell=cell) for cell in sorted(small)}
    return {
        cell: (low, high)
        for cell, (low, high) in found.items()
        if high is not None and high - low < WIDTH
    }


tables = st.integers(2, 4).flatmap(
    lambda columns: st.lists(
        st.lists(
            st.one_of(st.integers(0, 14), st.integers(0, 80)), min_size=columns, max_size=columns
        ),
        min_size=2,
        max_size=5,
    )
)


@given(tables)
@settings(deadline=None, max_examples=rounds(15, soak=300))
def test_no_small_count_is_shown_or_can_be_worked_out_from_what_is(values: list[list[int]]) -> None:
    counts, sums = table(values)
    small = {cell for cell, count in counts.items() if count < FEW}

    hidden = hidden_cells(counts, sums)

    assert small <= hidden
    assert given_away(counts, sums, hidden, small) == {}


def test_hiding_the_small_ones_alone_would_give_them_away() -> None:
    counts, sums = table([[3, 40], [50, 60]])
    small = {("r0", "c0")}

    assert given_away(counts, sums, frozenset(small), small) == {("r0", "c0"): (3, 3)}
    assert given_away(counts, sums, hidden_cells(counts, sums), small) == {}


def test_two_in_each_row_and_column_are_not_enough_and_the_audit_sees_it() -> None:
    # Each sum has two hidden cells that come to ten and more; all together they say too much.
    counts, sums = table([[0, 0, 34], [71, 9, 62]])
    small = {cell for cell, count in counts.items() if count < FEW}
    balanced = _Tables(counts, sums, small, set())
    balanced.balance()
    hidden = hidden_cells(counts, sums)

    assert given_away(counts, sums, frozenset(balanced.hidden), small) != {}
    assert given_away(counts, sums, hidden, small) == {}


def test_a_cell_that_somebody_who_knows_a_part_of_it_could_work_out_is_hidden_too() -> None:
    counts, sums = table([[30, 40], [50, 60]])

    assert hidden_cells(counts, sums) == frozenset()
    hidden = hidden_cells(counts, sums, few={("r0", "c0")})
    assert ("r0", "c0") in hidden
    assert given_away(counts, sums, hidden, {("r0", "c0")}) == {}


def test_what_is_known_from_elsewhere_is_reckoned_with() -> None:
    counts: dict[Any, int] = {"all": 60, "here": 45, "away": 15}
    sums = [Sum("all", ("here", "away"))]

    assert hidden_cells(counts, sums) == frozenset()
    # That 12 of 15 came from a region is public: then 3 did not, and the 15 must not be shown.
    counts |= {"away from that region": 12, "away from others": 3}
    sums.append(Sum("away", ("away from that region", "away from others")))
    hidden = hidden_cells(counts, sums, known={"away from that region"})

    assert {"away", "away from others"} <= hidden
    assert given_away(counts, sums, hidden, {"away from others"}) == {}


def test_linked_tables_are_audited_together() -> None:
    counts: dict[Any, int] = {
        "all": 40,
        "women": 36,
        "men": 4,
        "with": 33,
        "without": 7,
        "no men": 36,
    }
    sums = [
        Sum("all", ("women", "men")),
        Sum("all", ("with", "without")),
        Sum("women", ("no men",)),
    ]
    hidden = hidden_cells(counts, sums)

    assert given_away(counts, sums, hidden, {"men", "without"}) == {}


def test_a_cell_in_no_sum_is_hidden_and_costs_nothing_else() -> None:
    assert hidden_cells({"alone": 3, "other": 30}, []) == {"alone"}


def test_without_anything_small_everything_is_shown() -> None:
    counts, sums = table([[10, 20], [30, 40]])

    assert hidden_cells(counts, sums) == frozenset()


def test_where_all_of_it_is_small_nothing_is_shown_whatever_is_known() -> None:
    assert counts_to_show({"a": 2, "b": 3}, keys="ab") == {"a": None, "b": None}
    assert hidden_cells({"all": 5, "a": 2, "b": 3}, [Sum("all", ("a", "b"))]) == {"all", "a", "b"}


@pytest.mark.parametrize(
    "counts, shown",
    [
        ({"a": 10, "b": 11}, {"a": 10, "b": 11}),
        ({"a": 3, "b": 20, "c": 30}, {"a": None, "b": None, "c": 30}),
        ({"a": 6, "b": 4, "c": 11}, {"a": None, "b": None, "c": 11}),
    ],
)
def test_one_list_with_a_known_sum(counts: dict[str, int], shown: dict[str, int | None]) -> None:
    assert counts_to_show(counts, keys=sorted(counts)) == shown


def test_what_is_possible_has_no_end_where_no_sum_limits_it() -> None:
    counts, sums = {"all": 5, "a": 2, "b": 3}, [Sum("all", ("a", "b"))]

    assert possible(counts, sums, hidden={"all", "a", "b"}, cell="a") == (0, None)
    assert possible(counts, sums, hidden={"a", "b"}, cell="a") == (0, 5)
