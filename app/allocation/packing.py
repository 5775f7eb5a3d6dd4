"""The best choice among columns that get in each other's way: whole-number programming with HiGHS, aim after aim."""

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
    Choice: TypeAlias = NDArray[np.bool_]

# Scipy has no types; what comes out of it is narrowed where it enters.
optimize: Any = scipy.optimize
sparse: Any = scipy.sparse
csgraph: Any = scipy.sparse.csgraph

SLACK = 1e-3
"""How far a bound from HiGHS may lie from the truth: its tolerances are a thousand times smaller."""


class Unproven(ArithmeticError):
    """HiGHS stopped without a proof that its answer is the best there is."""


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """Columns to take or to leave, so that ``least <= rows @ taken <= most``, in whole numbers; taking none is allowed.

    `aims` has a row for each aim: what each column adds to it. The first is to be as high as it can be, then the
    second among the choices that are best for the first, and so on.
    """

    rows: Any  # one of scipy's sparse arrays
    least: Numbers
    most: Numbers
    aims: Numbers


def best_choice(program: Program) -> Choice:
    """Which columns to take: no choice that is allowed is better for the aims, in their order.

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
        columns, of_rows = np.flatnonzero(column_parts == part), np.flatnonzero(row_parts == part)
        yield (
            columns,
            Program(
                sparse.csc_array(rows[of_rows][:, columns]),
                program.least[of_rows],
                program.most[of_rows],
                program.aims[:, columns],
            ),
        )


def _aim_after_aim(program: Program) -> Choice:
    rows, least, most = program.rows, program.least, program.most
    taken = np.zeros(program.aims.shape[1], dtype=bool)
    for aim in program.aims:
        if not aim.any():
            continue
        taken = _highest(Program(rows, least, most, aim[np.newaxis]))
        # What has been reached stays reached: from here on it is one more row.
        reached = aim @ taken
        rows = sparse.csc_array(sparse.vstack([rows, sparse.csr_array(aim[np.newaxis])]))
        least, most = np.append(least, reached), np.append(most, reached)
    return taken


def _highest(program: Program) -> Choice:
    """The best choice for a single aim: where the relaxation comes out whole there is nothing to branch on."""
    for whole in (False, True):
        answer = optimize.milp(
            -program.aims[0],
            integrality=np.full(program.aims.shape[1], int(whole)),
            bounds=optimize.Bounds(0, 1),
            constraints=optimize.LinearConstraint(program.rows, program.least, program.most),
            options={"mip_rel_gap": 0},
        )
        taken = proven(program, answer.x, bound=-(answer.mip_dual_bound if whole else answer.fun))
        if taken is not None:
            return taken
    raise Unproven("no proof that this is the best")


def proven(program: Program, found: NDArray[np.float64], *, bound: float) -> Choice | None:
    """The answer as a choice, counted again in whole numbers; None when it is not allowed, or more may be possible."""
    taken = found > 0.5  # noqa: PLR2004 - to the nearest whole number
    used = program.rows @ taken.astype(np.int64)
    if (used < program.least).any() or (used > program.most).any():
        return None
    return taken if int(program.aims[0] @ taken) >= floor(bound + SLACK) else None
