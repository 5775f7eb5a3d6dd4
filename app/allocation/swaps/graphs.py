"""A graph of households and free places as arrays, and its short cycles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    Numbers: TypeAlias = NDArray[np.int64]
    Marks: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Households and free places; vertices are counted from zero.

    An arc from one vertex to another: the household of the first could take the place of the
    second. From any vertex to any other there is one at most, and none to itself.

    Attributes:
        vertices: how many there are.
        tails: where each arc leads from.
        heads: where it leads to.
        aims: a row for each aim, a column for each arc: what the arc adds to it, in whole numbers.
        More is better,
            in the first aim before the second, and so on.
        starts: where a chain may start.
        free: how many places are free at the vertices where a chain ends. No arc leads away from
        them.
        anchors: a cycle goes through one of these at least; None when every cycle counts.
    """

    vertices: int
    tails: Numbers
    heads: Numbers
    aims: Numbers
    starts: frozenset[int] = frozenset()
    free: Mapping[int, int] = field(default_factory=dict[int, int])
    anchors: frozenset[int] | None = None

    def __post_init__(self) -> None:
        if (self.tails == self.heads).any():
            raise ValueError("an arc leads from one vertex to another")
        if np.unique(self.tails * self.vertices + self.heads).size < self.tails.size:
            raise ValueError("from one vertex to another there is one arc at most")
        if marks(self, self.free)[self.tails].any():
            raise ValueError("nobody leaves a free place")


def marks(graph: Graph, vertices: Collection[int]) -> Marks:
    """A mark for each vertex of the graph, set for these."""
    marked = np.zeros(graph.vertices, dtype=bool)
    marked[list(vertices)] = True
    return marked


def short_cycles(graph: Graph, *, max_cycle: int) -> list[Numbers]:
    """The cycles of two arcs, then those of three, as far as allowed.

    A row for each cycle, the numbers of its arcs.

    Each cycle once, from its smallest vertex on. Of the two ways round the same three vertices only
    the better is
    there: they get in each other's way, and in the way of the same others.
    """
    number = np.full((graph.vertices, graph.vertices), -1)
    number[graph.tails, graph.heads] = np.arange(graph.tails.size)
    found = [_twos(graph, number), _threes(graph, number)][: max(0, max_cycle - 1)]
    if graph.anchors is None:
        return found
    anchored = marks(graph, graph.anchors)
    return [cycles[anchored[graph.tails[cycles]].any(axis=1)] for cycles in found]


def _twos(graph: Graph, number: Numbers) -> Numbers:
    back = number[graph.heads, graph.tails]
    there = np.flatnonzero((graph.tails < graph.heads) & (back >= 0))
    return np.column_stack((there, back[there]))


def _threes(graph: Graph, number: Numbers) -> Numbers:
    first, second = _arc_pairs(graph)
    third = number[graph.heads[second], graph.tails[first]]
    closed = third >= 0
    cycles = np.column_stack((first[closed], second[closed], third[closed]))
    if not cycles.size:
        return cycles
    vertices = graph.tails[cycles]
    low, high = vertices[:, 1:].min(axis=1), vertices[:, 1:].max(axis=1)
    worth = graph.aims[:, cycles].sum(axis=2)
    # Sorted by the vertices, the best way round first.
    order = np.lexsort((*-worth[::-1], high, low, vertices[:, 0]))
    same = np.column_stack((vertices[:, 0], low, high))[order]
    firsts = np.append(True, (same[1:] != same[:-1]).any(axis=1))
    return cycles[order[firsts]]


def _arc_pairs(graph: Graph) -> tuple[Numbers, Numbers]:
    """Every upward arc with every arc that continues it above its tail, as two columns."""
    by_tail = np.argsort(graph.tails, kind="stable")
    leaving = np.bincount(graph.tails, minlength=graph.vertices)
    begins = np.cumsum(leaving) - leaving
    up = np.flatnonzero(graph.tails < graph.heads)
    counts = leaving[graph.heads[up]]
    first = np.repeat(up, counts)
    offsets = np.arange(first.size) - np.repeat(np.cumsum(counts) - counts, counts)
    second = by_tail[begins[graph.heads[first]] + offsets]
    above = graph.heads[second] > graph.tails[first]
    return first[above], second[above]
