"""The cells of nights by pair and month that a quarter's leaf may show.

By a rule that a controller can follow with a pencil, cell by cell: it is part of what the ledger's
leaves mean, and what was sealed by it must come out the same in every release. So it does not
follow what suppression.py, which protects the monitor's many tables against a reader who solves all
of their equations at once, may learn to do better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Cell = tuple[str, str]

FEW = 10
"""Counts below this are nobody's to see."""


def shown_cells(
    cells: Mapping[Cell, int], *, known: Callable[[Cell], str] | None = None
) -> dict[Cell, int]:
    """The cells of a table that everybody may see, by row and column.

    Sums of rows and columns are known elsewhere, and those of the cells that have the same name by
    `known`. So what one of these leaves out could be worked out as a whole: it comes to at least
    FEW, and is of at least two cells, or nothing is left out there, or all. What is zero is left
    out without a word: no one can tell it from what is hidden.
    """
    there = {cell: count for cell, count in cells.items() if count}
    lines = [*_lines(there, lambda cell: cell[0]), *_lines(there, lambda cell: cell[1])]
    if known is not None:
        lines = [*_lines(there, known), *lines]
    hidden = {cell for cell, count in there.items() if count < FEW}
    while more := next(
        (cell for line in lines if (cell := _given_away(line, there, hidden)) is not None), None
    ):
        hidden.add(more)
    return {cell: count for cell, count in there.items() if cell not in hidden}


def _lines(cells: Mapping[Cell, int], name: Callable[[Cell], str]) -> list[list[Cell]]:
    return [
        [cell for cell in cells if name(cell) == one]
        for one in sorted({name(cell) for cell in cells})
    ]


def _given_away(line: list[Cell], cells: Mapping[Cell, int], hidden: set[Cell]) -> Cell | None:
    """Return which cell must be hidden as well, so that no hidden one can be worked out."""
    left_out = [cell for cell in line if cell in hidden]
    shown = [cell for cell in line if cell not in hidden]
    if (
        not left_out
        or not shown
        or (len(left_out) > 1 and sum(cells[cell] for cell in left_out) >= FEW)
    ):
        return None
    return min(shown, key=lambda cell: (cells[cell], cell))
