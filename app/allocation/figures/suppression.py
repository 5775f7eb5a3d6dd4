"""The suppression of small counts, so that no sum of a table gives them away.

A count below `FEW` is nobody's to see. Hiding it is not enough where its table's sums are shown:
the reader subtracts. So more cells are hidden with it, until a reader who solves every equation at
once is left with at least `WIDTH` possible values besides the true one for each cell that had to be
hidden.

For tables that share cells and sums, and are released once: the monitor's, and the counts of a plan
for a peak. What the ledger seals is hidden by the simpler rule of disclosure.py, which anybody can
check by hand.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
import scipy.optimize
import scipy.sparse

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

# Scipy has no types; what comes out of it is narrowed where it enters.
optimize: Any = scipy.optimize
sparse: Any = scipy.sparse

Cell: TypeAlias = Hashable
"""What names a cell; nothing here looks into it."""

FEW = 10
"""Counts below this are nobody's to see, zero among them."""

WIDTH = FEW - 1
"""How far apart the smallest and the largest value are that a hidden small count could have."""

GOOD_ENOUGH = 0.1
"""How far from the best a solution may be that only has to say something of many cells."""

TOTAL: tuple[str, ...] = ()
"""The one sum of `counts_to_show`."""


@dataclass(frozen=True, slots=True)
class Sum:
    """That one cell is the sum of some others, and that every reader knows so."""

    total: Cell
    parts: tuple[Cell, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells of the equation."""
        return (self.total, *self.parts)


def hidden_cells(
    counts: Mapping[Any, int],
    sums: Sequence[Sum],
    *,
    few: Collection[Cell] = (),
    known: Collection[Cell] = (),
) -> frozenset[Cell]:
    """The cells that may not be shown.

    `counts` has the true value of every cell, none negative, and `sums` hold of them. `few`:
    cells that must be hidden although they are not small. `known`: cells that every reader knows
    from elsewhere, however small.

    Cells are hidden one at a time, the smallest that helps, ties by their order in `counts`; where
    everything is hidden that can be, there is nothing left to subtract from. Method: complementary
    cell suppression with an audit by integer programming (Fischetti and Salazar, Models and
    algorithms for optimizing the cell suppression problem, 2000), greedily instead of optimally.
    """
    small = {key for key, count in counts.items() if count < FEW} | set(few)
    tables = _Tables(counts, sums, small - set(known), set(known))
    tables.balance()
    while (exposed := tables.exposed_cell()) is not None:
        if not tables.hide_beside(exposed):
            break
        tables.balance()
    return frozenset(tables.hidden)


def counts_to_show(
    counts: Mapping[Any, int], *, keys: Collection[Cell]
) -> Mapping[Any, int | None]:
    """Each key's count, None for those to hide from readers who know their total."""
    true = {key: counts.get(key, 0) for key in keys}
    hidden = hidden_cells(
        {**true, TOTAL: sum(true.values())}, [Sum(TOTAL, tuple(keys))], known=(TOTAL,)
    )
    return {key: None if key in hidden else count for key, count in true.items()}


def possible(
    counts: Mapping[Any, int], sums: Iterable[Sum], *, hidden: Collection[Cell], cell: Cell
) -> tuple[int, int | None]:
    """The smallest and largest value that the other cells leave possible; None: no largest."""
    system = _System(counts, tuple(sums), tuple(hidden))
    (low, _), (high, _) = system.extreme(cell, sign=1), system.extreme(cell, sign=-1)
    assert low is not None  # noqa: S101 - no count is negative
    return low, high


class _Tables:
    """The cells, and which of them are hidden so far."""

    def __init__(
        self, counts: Mapping[Any, int], sums: Sequence[Sum], small: set[Cell], known: set[Cell]
    ) -> None:
        self._counts = counts
        self._sums = sums
        self._small = frozenset(small)
        self._known = known
        self._order = {cell: place for place, cell in enumerate(counts)}
        self.hidden = set(small)
        self._safe = set[frozenset[Cell]]()
        self._of: dict[Cell, list[Sum]] = {}
        for equation in sums:
            for cell in equation.cells:
                self._of.setdefault(cell, []).append(equation)

    def balance(self) -> None:
        """Hide until no single equation gives a cell away.

        Two hidden at least, that come to `FEW` at least.
        """
        changed = True
        while changed:
            balanced = [self._balance(equation) for equation in self._sums]
            changed = any(balanced)

    def _balance(self, equation: Sum) -> bool:
        changed = False
        while not self._is_balanced(equation) and self._hide_smallest([equation]):
            changed = True
        return changed

    def _is_balanced(self, equation: Sum) -> bool:
        parts = [self._counts[cell] for cell in equation.parts if cell in self.hidden]
        if equation.total in self.hidden:
            return bool(parts)
        return not parts or (len(parts) > 1 and sum(parts) >= FEW)

    def _hide_smallest(self, equations: Iterable[Sum]) -> bool:
        """Hide the smallest cell still shown in some equations; return False if there is none."""
        shown = [
            (cell == equation.total, self._counts[cell], self._order[cell], cell)
            for equation in equations
            for cell in equation.cells
            if cell not in self.hidden and cell not in self._known
        ]
        if not shown:
            return False
        self.hidden.add(min(shown, key=lambda one: one[:-1])[-1])
        return True

    def _sort_cells(self, cells: Iterable[Cell]) -> list[Cell]:
        return sorted(cells, key=self._order.__getitem__)

    def hide_beside(self, cell: Cell) -> bool:
        """Hide one more cell that is joined to this one by a chain of equations."""
        near, seen = {cell}, set[Cell]()
        while near:
            equations = [equation for one in self._sort_cells(near) for equation in self._of[one]]
            if self._hide_smallest(equations):
                return True
            seen |= near
            near = {one for equation in equations for one in equation.cells} - seen
        return False

    def exposed_cell(self) -> Cell | None:
        """A small cell that a reader can tell too exactly; None without one."""
        audited = [cell for cell in self._sort_cells(self._small) if cell in self._of]
        unsure = (
            system for system in self._systems() if frozenset(system.places) not in self._safe
        )
        for system in unsure:
            found = system.exposed_cell([cell for cell in audited if cell in system.places])
            if found is not None:
                return found
            self._safe.add(frozenset(system.places))
        return None

    def _systems(self) -> Iterator[_System]:
        """The hidden cells in parts that share no equation.

        Each is solved by itself.
        """
        left = {cell for cell in self.hidden if cell in self._of}
        while left:
            part, near = set[Cell](), {self._sort_cells(left)[0]}
            while near:
                part |= near
                near = {
                    one
                    for cell in near
                    for equation in self._of[cell]
                    for one in equation.cells
                    if one in left
                } - part
            left -= part
            sums = [equation for equation in self._sums if not part.isdisjoint(equation.cells)]
            yield _System(self._counts, tuple(sums), tuple(self._sort_cells(part)))


class _Seen:
    """The smallest and the largest value of each cell in all solutions that were found so far."""

    def __init__(self, true: NDArray[np.int64], places: Mapping[Cell, int]) -> None:
        self.low, self.high = true.copy(), true.copy()
        self._places = places

    def add(self, values: NDArray[np.int64]) -> None:
        """Look at one more solution."""
        self.low, self.high = np.minimum(self.low, values), np.maximum(self.high, values)

    def unsure(self, cells: Iterable[Cell]) -> list[Cell]:
        """Those of some cells that no two solutions show to be protected yet."""
        places = self._places
        return [cell for cell in cells if self.high[places[cell]] - self.low[places[cell]] < WIDTH]


class _System:
    """What a reader knows of some hidden cells.

    Whole numbers, none negative, and the equations.
    """

    def __init__(
        self, counts: Mapping[Any, int], sums: tuple[Sum, ...], hidden: tuple[Cell, ...]
    ) -> None:
        self.places = {cell: place for place, cell in enumerate(hidden)}
        self._true = np.array([counts[cell] for cell in hidden], dtype=np.int64)
        entries: list[tuple[int, int, int]] = []
        left = [0] * len(sums)  # what is shown of each equation is what the true values leave of it
        for row, equation in enumerate(sums):
            for cell, factor in ((equation.total, 1), *((part, -1) for part in equation.parts)):
                if cell in self.places:
                    entries.append((row, self.places[cell], factor))
                    left[row] += factor * counts[cell]
        rows, columns, factors = zip(*entries, strict=True) if entries else ((), (), ())
        self._equations = (factors, rows, columns), left

    def extreme(self, cell: Cell, *, sign: int) -> tuple[int | None, Any]:
        """A cell's smallest value (sign 1) or largest (-1), with the values of all cells then."""
        aim = np.zeros(len(self.places))
        aim[self.places[cell]] = sign
        found = optimize.milp(
            aim, integrality=1, bounds=optimize.Bounds(0, np.inf), constraints=self._constraints()
        )
        solution = cast("NDArray[np.float64] | None", found.x)
        if solution is None:
            return None, None  # the true values solve it, so what it lacks is a bound
        values = np.rint(solution).astype(np.int64)
        return int(values[self.places[cell]]), values

    def exposed_cell(self, cells: Sequence[Cell]) -> Cell | None:
        """The first of some cells that a reader can tell too exactly.

        None without one.

        Every solution that is found says something of all cells at once, so hardly any has to be
        asked for alone.
        """
        seen = _Seen(self._true, self.places)
        left = seen.unsure(cells)
        while left:
            seen.add(self._far_from(seen.low, left))
            before, left = left, seen.unsure(left)
            if len(left) < len(before):
                continue
            if self._is_exposed(left[0], seen):
                return left[0]
            left = seen.unsure(left[1:])
        return None

    def _is_exposed(self, cell: Cell, seen: _Seen) -> bool:
        both = [
            values
            for _, values in (self.extreme(cell, sign=1), self.extreme(cell, sign=-1))
            if values is not None
        ]
        for values in both:
            seen.add(values)
        return len(both) > 1 and bool(seen.unsure([cell]))

    def _far_from(self, low: NDArray[np.int64], cells: Sequence[Cell]) -> NDArray[np.int64]:
        """Values of all cells with as many as possible `WIDTH` above their lowest at once."""
        size, more = len(self.places), len(cells)
        places = [self.places[cell] for cell in cells]
        # Beside the cells themselves: by how much each of those lies above its lowest, as far as
        # that matters.
        above = optimize.LinearConstraint(
            sparse.coo_array(
                (
                    [1] * more + [-1] * more,
                    ([*range(more)] * 2, [*places, *range(size, size + more)]),
                ),
                shape=(more, size + more),
            ),
            low[places],
            np.inf,
        )
        found = optimize.milp(
            np.concatenate([np.zeros(size), -np.ones(more)]),
            integrality=np.concatenate([np.ones(size), np.zeros(more)]),
            bounds=optimize.Bounds(
                0, np.concatenate([np.full(size, np.inf), np.full(more, WIDTH)])
            ),
            constraints=[self._constraints(more), above],
            options={"mip_rel_gap": GOOD_ENOUGH},
        )
        solution = cast("NDArray[np.float64]", found.x)
        return np.rint(solution[:size]).astype(np.int64)

    def _constraints(self, more: int = 0) -> Any:  # noqa: ANN401 - scipy has no types
        """The equations; with more unknowns, those stand in none of them."""
        (factors, rows, columns), left = self._equations
        shape = (len(left), len(self.places) + more)
        return optimize.LinearConstraint(
            sparse.coo_array((factors, (rows, columns)), shape=shape), left, left
        )
