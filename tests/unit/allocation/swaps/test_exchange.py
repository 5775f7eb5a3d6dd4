"""The exchange problem against every solution, and against published optima."""

from __future__ import annotations

from itertools import pairwise, permutations
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.allocation.swaps.exchange import Packing, best_packing
from app.allocation.swaps.graphs import Graph
from app.allocation.swaps.programs import Program, Unproven, best_columns, prove, sparse
from benchmarks.exchanges import PREFLIB, drawn, graph_of, preflib
from tests.rounds import rounds

if TYPE_CHECKING:
    from collections.abc import Iterator

Worth = tuple[int, ...]


def arcs_of(graph: Graph) -> dict[tuple[int, int], Worth]:
    ends = zip(graph.tails.tolist(), graph.heads.tolist(), strict=True)
    return dict(zip(ends, map(tuple, graph.aims.T.tolist()), strict=True))


def all_paths(graph: Graph, *, max_cycle: int, max_chain: int) -> Iterator[tuple[int, ...]]:
    """Every cycle (its first vertex again at the end) and every chain, by trying everything."""
    arcs = arcs_of(graph)
    households = [vertex for vertex in range(graph.vertices) if vertex not in graph.free]
    for length in range(1, max(max_cycle, max_chain) + 1):
        for met in permutations(households, length):
            ends: list[int] = []
            if 1 < length <= max_cycle and met[0] == min(met):
                ends += [met[0]] if graph.anchors is None or graph.anchors.intersection(met) else []
            if length <= max_chain and met[0] in graph.starts:
                ends += graph.free
            for end in ends:
                path = (*met, end)
                if all(step in arcs for step in pairwise(path)):
                    yield path


def worth_of(graph: Graph, path: tuple[int, ...]) -> Worth:
    arcs = arcs_of(graph)
    return tuple(map(sum, zip(*(arcs[step] for step in pairwise(path)), strict=True)))


def best_by_trying(graph: Graph, *, max_cycle: int, max_chain: int) -> Worth:
    """The best totals of any choice of paths that share no household."""
    paths = [
        (path, worth_of(graph, path))
        for path in all_paths(graph, max_cycle=max_cycle, max_chain=max_chain)
    ]

    def best(index: int, used: frozenset[int], left: dict[int, int]) -> Worth:
        if index == len(paths):
            return (0,) * len(graph.aims)
        without = best(index + 1, used, left)
        path, worth = paths[index]
        end = path[-1]
        if used.intersection(path[:-1]) or left.get(end, 1) < 1:
            return without
        rest = best(
            index + 1, used.union(path[:-1]), {**left, end: left[end] - 1} if end in left else left
        )
        return max(without, tuple(a + b for a, b in zip(worth, rest, strict=True)))

    return best(0, frozenset(), dict(graph.free))


def as_paths(packing: Packing) -> list[tuple[int, ...]]:
    return [*packing.chains, *((*cycle, cycle[0]) for cycle in packing.cycles)]


def draw_graph(seed: int) -> Graph:
    """Up to six vertices, so that everything can be tried.

    Three aims; the first ones often tie.
    """
    random = Random(seed)
    households, free = random.randint(1, 5), random.randint(0, 2)
    vertices, density = households + free, random.choice((0.25, 0.4, 0.6))
    arcs = [
        (tail, head)
        for tail in range(households)
        for head in range(vertices)
        if tail != head and random.random() < density
    ]
    aims = [[random.randint(0, 1), random.randint(-1, 0), random.randint(-3, 9)] for _ in arcs]
    some = frozenset(vertex for vertex in range(households) if random.random() < 0.4)
    return Graph(
        vertices,
        tails=np.array([tail for tail, _ in arcs], dtype=np.int64),
        heads=np.array([head for _, head in arcs], dtype=np.int64),
        aims=np.array(aims, dtype=np.int64).reshape(-1, 3).T,
        starts=frozenset(vertex for vertex in range(households) if random.random() < 0.4),
        free={vertex: random.randint(1, 2) for vertex in range(households, vertices)},
        anchors=random.choice((None, some)),
    )


@given(st.builds(draw_graph, st.integers(0, 2**32)), st.integers(0, 4), st.integers(0, 4))
@settings(max_examples=rounds(30, soak=500), deadline=None)
def test_no_choice_of_cycles_and_chains_is_better(
    graph: Graph, max_cycle: int, max_chain: int
) -> None:
    packing = best_packing(graph, max_cycle=max_cycle, max_chain=max_chain)

    paths = as_paths(packing)
    possible = set(all_paths(graph, max_cycle=max_cycle, max_chain=max_chain))
    assert possible.issuperset(paths)
    households = [vertex for path in paths for vertex in path[:-1]]
    assert len(set(households)) == len(households)
    assert all(
        [path[-1] for path in paths].count(vertex) <= places
        for vertex, places in graph.free.items()
    )
    worths = [worth_of(graph, path) for path in paths]
    assert packing.totals == tuple(map(sum, zip((0, 0, 0), *worths, strict=True)))
    assert packing.totals == best_by_trying(graph, max_cycle=max_cycle, max_chain=max_chain)


@pytest.mark.skipif(
    not PREFLIB.exists(), reason="the exchange problems of PrefLib are not beside the project"
)
def test_the_listed_optimum_is_reached_on_every_problem_of_preflib() -> None:
    problems = list(preflib())

    reached = [
        best_packing(problem.graph, max_cycle=problem.max_cycle, max_chain=0)
        for problem in problems
    ]

    assert len(problems) == 140
    assert [packing.totals for packing in reached] == [(problem.optimum,) for problem in problems]


def test_a_better_way_round_the_same_three_is_taken() -> None:
    graph = graph_of(3, [(0, 1, 1), (1, 2, 1), (2, 0, 1), (0, 2, 1), (2, 1, 1), (1, 0, 2)])

    assert best_packing(graph, max_cycle=3, max_chain=0) == Packing(
        cycles=((0, 2, 1),), chains=(), totals=(4,)
    )


def test_long_cycles_laid_arc_by_arc_reach_what_listed_ones_reach() -> None:
    graph = drawn(25, seed=5, fits=0.3)
    listed, laid = (best_packing(graph, max_cycle=longest, max_chain=0) for longest in (3, 4))

    assert max(len(cycle) for cycle in laid.cycles) == 4
    assert laid.totals >= listed.totals


def test_a_problem_whose_relaxation_promises_too_much_is_branched_to_the_end() -> None:
    # Five in a ring, each with both neighbours: the relaxation takes half of each pair, two and a
    # half pairs in all.
    for worth in (1, 50):
        ring = [(a, b, worth) for a in range(5) for b in ((a + 1) % 5, (a - 1) % 5)]

        assert best_packing(graph_of(5, ring), max_cycle=2, max_chain=0).totals == (4 * worth,)


@pytest.mark.parametrize(
    "arcs, complaint",
    [
        ([(0, 0, 1)], "from one vertex to another"),
        ([(0, 1, 1), (0, 1, 2)], "one arc at most"),
    ],
)
def test_a_graph_has_no_loops_and_no_arc_twice(
    arcs: list[tuple[int, int, int]], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        graph_of(2, arcs)


def test_nobody_leaves_a_free_place() -> None:
    one = np.array([1], dtype=np.int64)

    with pytest.raises(ValueError, match="nobody leaves"):
        Graph(2, tails=one, heads=one - 1, aims=one[np.newaxis], free={1: 1})


def test_an_answer_without_proof_is_no_answer() -> None:
    # Two times zero or one is never one: in halves it is.
    rows = sparse.csc_array(np.array([[2]]))
    one = np.array([1], dtype=np.int64)
    program = Program(rows, most=one, exact=one > 0, aims=one[np.newaxis])

    with pytest.raises(Unproven, match="no choice"):
        best_columns(program)
    for found in (0.0, 1.0):
        with pytest.raises(Unproven, match="no proof"):
            prove(
                Program(rows, most=one, exact=one < 0, aims=one[np.newaxis]),
                np.array([found]),
                bound=1.0,
            )
