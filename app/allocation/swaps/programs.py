"""Whole-number programs solved with HiGHS, one aim after another."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import scipy.optimize
import scipy.sparse
import scipy.sparse.csgraph

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Numbers: TypeAlias = NDArray[np.int64]
    ColumnMask: TypeAlias = NDArray[np.bool_]

# Scipy has no types; what comes out of it is narrowed where it enters.
optimize: Any = scipy.optimize
sparse: Any = scipy.sparse
csgraph: Any = scipy.sparse.csgraph

SLACK = 1e-3
"""How far a bound from HiGHS may lie from the truth: its tolerances are a thousand times
smaller."""


class Unproven(ArithmeticError):
    """HiGHS stopped without a proof that its answer is the best there is."""


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """Columns to take or leave so that ``rows @ taken <= most``, equal where `exact`.

    `aims` has a row for each aim: what each column adds to it. The first is to be as high as it can
    be, then the second among the choices that are best for the first, and so on. Taking nothing is
    allowed.
    """

    rows: Any  # one of scipy's sparse arrays
    most: Numbers
    exact: ColumnMask
    aims: Numbers


def best_columns(program: Program) -> ColumnMask:
    """Which columns to take.

    No choice that is allowed is better for the aims, in their order.

    Parts that have no row in common are solved apart: the best of the whole is the best of each.

    Raises:
        Unproven: when HiGHS gives no proof.
    """
    taken = np.zeros(program.aims.shape[1], dtype=bool)
    for columns, part in _parts(program):
        taken[columns] = _aim_after_aim(part)
    return taken


def _parts(program: Program) -> Iterator[tuple[Numbers, Program]]:
    """The columns of each part, with the program that they are by themselves."""
    if not program.aims.shape[1]:
        return
    rows = sparse.csr_array(program.rows)
    together = sparse.block_array([[None, rows], [rows.T, None]])
    part_of: Numbers = csgraph.connected_components(together, directed=False)[1]
    row_parts, column_parts = part_of[: program.most.size], part_of[program.most.size :]
    for part in np.unique(column_parts):
        columns, kept = np.flatnonzero(column_parts == part), np.flatnonzero(row_parts == part)
        inside = sparse.csc_array(rows[kept][:, columns])
        yield (
            columns,
            Program(inside, program.most[kept], program.exact[kept], program.aims[:, columns]),
        )


def _aim_after_aim(program: Program) -> ColumnMask:
    rows, most, exact = program.rows, program.most, program.exact
    taken = np.zeros(program.aims.shape[1], dtype=bool)
    for aim in program.aims:
        if not aim.any():
            continue
        taken = _highest(Program(rows, most, exact, aim[np.newaxis]))
        # What has been reached stays reached: from here on it is one more row.
        rows = sparse.csc_array(sparse.vstack([rows, sparse.csr_array(aim[np.newaxis])]))
        most, exact = np.append(most, aim @ taken), np.append(exact, np.array([True]))
    return taken


def _highest(program: Program) -> ColumnMask:
    """The best choice for a single aim.

    By the relaxation where that comes out whole, else by branching.

    A column whose reduced cost is more than what lies between the relaxation and a target is in no
    choice that reaches the target (reduced cost variable fixing; Delorme et al., 2023). So as long
    as the target is near, most columns can be left out; and where HiGHS is told the target, it soon
    sees that there is none. Then it is lowered.
    """
    aim = program.aims[0]
    relaxed = _solve_relaxed(program)
    highest = -float(relaxed.fun)
    taken = _round_columns(program, relaxed.x)
    if taken is not None and aim @ taken >= floor(highest + SLACK):
        return taken
    target, step, lowest = floor(highest + SLACK), 1, int(aim[aim < 0].sum())
    while True:
        columns = np.flatnonzero(relaxed.lower.marginals <= highest - target + SLACK)
        found = _solve_branched(program, columns, target=target)
        if found is not None:
            return found
        if target <= lowest:
            raise Unproven("no choice was found where taking nothing is one")
        target, step = max(lowest, target - step), 4 * step


def _solve_relaxed(program: Program) -> Any:  # noqa: ANN401 - scipy's own kind of answer
    """The program in fractions, its answer with the reduced costs."""
    exact = program.exact
    rows = sparse.csr_array(program.rows)
    return optimize.linprog(
        -program.aims[0],
        A_ub=rows[~exact],
        b_ub=program.most[~exact],
        A_eq=rows[exact],
        b_eq=program.most[exact],
        bounds=(0, 1),
        method="highs",
    )


def _solve_branched(program: Program, columns: Numbers, *, target: int) -> ColumnMask | None:
    """The best choice of these columns alone; None where none reaches the target.

    Raises:
        Unproven: when HiGHS gives no proof.
    """
    least = np.where(program.exact, program.most, -np.inf)
    answer = optimize.milp(
        -program.aims[0, columns],
        integrality=np.ones(columns.size),
        bounds=optimize.Bounds(0, 1),
        constraints=[
            optimize.LinearConstraint(program.rows[:, columns], least, program.most),
            optimize.LinearConstraint(program.aims[:, columns], target, np.inf),
        ],
        options={"mip_rel_gap": 0},
    )
    if answer.x is None:
        return None
    found = np.zeros(program.aims.shape[1])
    found[columns] = answer.x
    return prove(program, found, bound=-answer.mip_dual_bound)


def prove(program: Program, found: NDArray[np.float64], *, bound: float) -> ColumnMask:
    """The answer of HiGHS as a choice, counted again in whole numbers.

    Raises:
        Unproven: when it is not allowed, or its bound leaves room for a better one.
    """
    taken = _round_columns(program, found)
    if taken is None or program.aims[0] @ taken < floor(bound + SLACK):
        raise Unproven("no proof that this is the best")
    return taken


def _round_columns(program: Program, found: NDArray[np.float64]) -> ColumnMask | None:
    """To the nearest whole number; None where that is not allowed."""
    taken = found > 0.5  # noqa: PLR2004 - halfway
    used: Numbers = program.rows @ taken.astype(np.int64)
    short, over = used < program.most, used > program.most
    return None if (over | (short & program.exact)).any() else taken
