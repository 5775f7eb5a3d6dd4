"""The exchange problem: the best cycles and chains that share no vertex."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app.allocation.swaps.graphs import marks, short_cycles
from app.allocation.swaps.programs import Program, best_columns, sparse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.allocation.swaps.graphs import Graph, Marks, Numbers
    from app.allocation.swaps.programs import ColumnMask

LONGEST_LISTED = 3
"""Arcs: cycles up to here are listed one by one; of longer ones there are too many."""


@dataclass(frozen=True, slots=True)
class Packing:
    """What was chosen, and what it reaches of each aim.

    Cycles begin with their smallest vertex; chains with their start, and end with their free place.
    """

    cycles: tuple[tuple[int, ...], ...]
    chains: tuple[tuple[int, ...], ...]
    totals: tuple[int, ...]


def best_packing(graph: Graph, *, max_cycle: int, max_chain: int) -> Packing:
    """The best disjoint cycles up to `max_cycle` arcs and chains up to `max_chain`; exact.

    A whole-number program. Cycles of two and three arcs are listed, one column each. Chains, and
    cycles where longer ones are allowed, are laid arc by arc: a column is an arc at a position, and
    rows see to it that a path that comes to a vertex at one position leaves it at the next (PICEF
    and PIEF: Dickerson, Manlove, Plaut, Sandholm and Trimble, 2016). Only what can be part of a
    cycle or chain becomes a column.

    Raises:
        Unproven: when HiGHS gives no proof.
    """
    columns = _Columns(graph)
    if max_cycle <= LONGEST_LISTED:
        columns.list_cycles(max_cycle)
    else:
        columns.lay_cycles(max_cycle)
    columns.lay_chains(max_chain)
    return columns.packing(best_columns(columns.program()))


@dataclass(frozen=True, slots=True, eq=False)
class _Laid:
    """Paths laid arc by arc, from some vertices to others.

    The arcs and positions that are columns, from one on.
    """

    first_column: int
    arcs: Numbers
    positions: Numbers
    starts: Marks
    ends: Marks
    are_cycles: bool


class _Columns:
    """The columns and rows of the program as they are gathered."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._listed: list[tuple[int, Numbers]] = []
        self._laid: list[_Laid] = []
        self._count, self._flows = 0, 0
        self._entries: list[Numbers] = [np.zeros((3, 0), dtype=np.int64)]
        self._aims: list[Numbers] = [graph.aims[:, :0]]

    def list_cycles(self, max_cycle: int) -> None:
        """One column for each cycle of two or three arcs."""
        for cycles in short_cycles(self._graph, max_cycle=max_cycle):
            self._listed.append((self._count, cycles))
            columns = self._add(self._graph.aims[:, cycles].sum(axis=2))
            self._enter(self._graph.tails[cycles].ravel(), np.repeat(columns, cycles.shape[1]), 1)

    def lay_cycles(self, max_cycle: int) -> None:
        """Each cycle once: through its anchor, clear of the anchors before it."""
        graph = self._graph
        closed = marks(graph, ())
        for anchor in sorted(range(graph.vertices) if graph.anchors is None else graph.anchors):
            here = marks(graph, (anchor,))
            self._lay(here, ends=here, closed=closed, longest=max_cycle, are_cycles=True)
            closed[anchor] = True

    def lay_chains(self, max_chain: int) -> None:
        """Chains from the starts to the free places."""
        graph = self._graph
        starts, ends, closed = (
            marks(graph, graph.starts),
            marks(graph, graph.free),
            marks(graph, ()),
        )
        self._lay(starts, ends=ends, closed=closed, longest=max_chain, are_cycles=False)

    def program(self) -> Program:
        """A household moves and a place is taken once at most; what enters a vertex leaves it."""
        rows, columns, values = np.concatenate(self._entries, axis=1)
        most = np.zeros(self._graph.vertices + self._flows, dtype=np.int64)
        most[: self._graph.vertices] = 1
        most[list(self._graph.free)] = list(self._graph.free.values())
        return Program(
            rows=sparse.csr_array((values, (rows, columns)), shape=(most.size, self._count)),
            most=most,
            exact=np.arange(most.size) >= self._graph.vertices,
            aims=np.concatenate(self._aims, axis=1),
        )

    def packing(self, taken: ColumnMask) -> Packing:
        """The cycles and chains that the columns taken make up."""
        tails = self._graph.tails
        cycles = [
            tuple(int(vertex) for vertex in tails[arcs])
            for first, listed in self._listed
            for arcs in listed[taken[first : first + len(listed)]]
        ]
        chains: list[tuple[int, ...]] = []
        for laid in self._laid:
            found = list(
                self._follow_arcs(
                    laid, taken[laid.first_column : laid.first_column + laid.arcs.size]
                )
            )
            if laid.are_cycles:
                cycles += [_from_smallest(path[:-1]) for path in found]
            else:
                chains += found
        totals = np.concatenate(self._aims, axis=1) @ taken.astype(np.int64)
        return Packing(
            tuple(sorted(cycles)), tuple(sorted(chains)), tuple(int(total) for total in totals)
        )

    def _lay(
        self, starts: Marks, *, ends: Marks, closed: Marks, longest: int, are_cycles: bool
    ) -> None:
        graph = self._graph
        arcs, positions = _arc_positions(graph, starts, ends=ends, closed=closed, longest=longest)
        self._laid.append(_Laid(self._count, arcs, positions, starts, ends, are_cycles))
        columns = self._add(graph.aims[:, arcs])
        tails, heads, to_end = graph.tails[arcs], graph.heads[arcs], ends[graph.heads[arcs]]
        self._enter(tails, columns, 1)
        if not are_cycles:
            self._enter(heads[to_end], columns[to_end], 1)
        # Arriving at a vertex at one position, and leaving it at the next, are two sides of one
        # row.
        passed, left = ~to_end, positions > 1
        keys = np.concatenate(
            (
                positions[passed] * graph.vertices + heads[passed],
                (positions[left] - 1) * graph.vertices + tails[left],
            )
        )
        flows, rows = np.unique(keys, return_inverse=True)
        rows += graph.vertices + self._flows
        self._flows += flows.size
        arriving = int(passed.sum())
        self._enter(rows[:arriving], columns[passed], 1)
        self._enter(rows[arriving:], columns[left], -1)

    def _follow_arcs(self, laid: _Laid, taken: ColumnMask) -> Iterator[tuple[int, ...]]:
        """The paths that the arcs taken make, from where they start."""
        arcs, positions = laid.arcs[taken], laid.positions[taken]
        following = {
            (int(position), int(self._graph.tails[arc])): int(self._graph.heads[arc])
            for arc, position in zip(arcs, positions, strict=True)
        }
        for position, start in sorted(following):
            if position == 1:
                path = [start, following[1, start]]
                while not laid.ends[path[-1]]:
                    path.append(following[len(path), path[-1]])
                yield tuple(path)

    def _add(self, aims: Numbers) -> Numbers:
        """New columns with what they add to the aims; their numbers."""
        self._aims.append(aims)
        columns = np.arange(self._count, self._count + len(aims[0]))
        self._count += columns.size
        return columns

    def _enter(self, rows: Numbers, columns: Numbers, value: int) -> None:
        self._entries.append(np.stack((rows, columns, np.full(rows.size, value))))


def _arc_positions(
    graph: Graph, starts: Marks, *, ends: Marks, closed: Marks, longest: int
) -> tuple[Numbers, Numbers]:
    """The positions from one on at which each arc can stand on a path that is not too long."""
    tails, heads = graph.tails, graph.heads
    open_arcs = ~closed[tails] & ~closed[heads]
    in_reach = [ends]
    for _ in range(1, longest):
        nearer = ends.copy()
        nearer[tails[open_arcs & in_reach[-1][heads]]] = True
        in_reach.append(nearer | in_reach[-1])
    at, found = starts, [(np.zeros(0, dtype=np.int64), 0)]
    for position in range(1, longest + 1):
        standing = np.flatnonzero(open_arcs & at[tails] & in_reach[longest - position][heads])
        found.append((standing, position))
        at = marks(graph, heads[standing]) & ~ends
    return (
        np.concatenate([arcs for arcs, _ in found]),
        np.concatenate([np.full(arcs.size, position) for arcs, position in found]),
    )


def _from_smallest(cycle: tuple[int, ...]) -> tuple[int, ...]:
    first = cycle.index(min(cycle))
    return cycle[first:] + cycle[:first]
