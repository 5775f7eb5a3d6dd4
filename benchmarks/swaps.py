"""Swaps: Plek and kep_solver in turn on the same exchange problems, to the optimum."""

import statistics
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import kep_solver.entities
import kep_solver.model

from app.allocation.swaps.exchange import best_packing
from app.allocation.swaps.graphs import Graph
from benchmarks.exchanges import PREFLIB, Problem, drawn, preflib
from benchmarks.figures import Line

# Its types are partly unknown; what comes out of it is narrowed where it enters.
entities: Any = kep_solver.entities
model: Any = kep_solver.model

ROUNDS = 3
BAR, AIM = 1.0, 2.0
VERTICES = 300
SEEDS = (1, 2)
DRAWN = {"few arcs": 0.05, "some arcs": 0.15, "as PrefLib draws them": 1.0}
"""How probable it is that what is of the right kind fits; the last is that of the pools that
PrefLib has."""


def measure(*, rounds: int = ROUNDS) -> list[Line]:
    """Measure PrefLib's problems of 70 vertices and drawn ones of 300.

    First every published optimum of PrefLib is reached.
    """
    lines: list[Line] = []
    if PREFLIB.exists():
        problems = list(preflib())
        for problem in problems:
            _agree(problem, _plek(problem), problem.optimum)
        print(f"swaps: the listed optimum is reached on all {len(problems)} problems of PrefLib")
        largest = [problem for problem in problems if problem.graph.vertices == 70]
        for longest in (2, 3):
            chosen = [problem for problem in largest if problem.max_cycle == longest]
            lines.append(
                _compared(f"swaps, 70 vertices, cycles of {longest}", chosen, rounds=rounds)
            )
    else:
        print(f"swaps: {PREFLIB} is not there; PrefLib's problems are left out")
    for name, fits in DRAWN.items():
        graphs = [drawn(VERTICES, seed=seed, fits=fits) for seed in SEEDS]
        chosen = [Problem(f"drawn, {name}", graph, 3, optimum=None) for graph in graphs]
        lines.append(
            _compared(f"swaps, {VERTICES} vertices, cycles of 3, {name}", chosen, rounds=1)
        )
    return lines


def _compared(what: str, problems: Sequence[Problem], *, rounds: int) -> Line:
    ours: float = 0
    theirs: float = 0
    for problem in problems:
        pool = instance(problem.graph)  # outside the clock, as the graph is
        plek: list[float] = []
        kep: list[float] = []
        for _ in range(rounds):
            reached, seconds = _timed(lambda: _plek(problem))  # noqa: B023 - called at once
            plek.append(seconds)
            others, seconds = _timed(lambda: _kep_solver(pool, problem.max_cycle))  # noqa: B023 - called at once
            kep.append(seconds)
            _agree(problem, reached, others)
        ours, theirs = ours + statistics.median(plek), theirs + statistics.median(kep)
        print(
            f"  {what}: {problem.graph.tails.size:,} arcs, kep_solver {_ms(kep)}, Plek {_ms(plek)}"
        )
    ratio = theirs / ours
    each = 1000 / len(problems)
    return Line(
        what,
        bare=f"{theirs * each:,.0f} ms",
        plek=f"{ours * each:,.0f} ms",
        ratio=ratio,
        bar=f"≥ {BAR:g}",
        aim=f"≥ {AIM:g}",
        met=ratio >= BAR,
        reached_aim=ratio >= AIM,
    )


def _ms(seconds: Sequence[float]) -> str:
    return f"{1000 * statistics.median(seconds):,.1f} ms"


def _timed(solve: Callable[[], int]) -> tuple[int, float]:
    begun = perf_counter()
    return solve(), perf_counter() - begun


def _plek(problem: Problem) -> int:
    return best_packing(problem.graph, max_cycle=problem.max_cycle, max_chain=0).totals[0]


def _kep_solver(pool: object, max_cycle: int) -> int:
    program = model.PICEF(
        pool, [model.TransplantCount()], maxCycleLength=max_cycle, maxChainLength=0
    )
    exchanges, _, _ = program.solve()
    return sum(len(exchange) for exchange in exchanges)


def _agree(problem: Problem, reached: int, expected: int | None) -> None:
    if reached != expected:
        raise RuntimeError(
            f"{problem.name}, cycles of {problem.max_cycle}: {reached} is not {expected}"
        )


def instance(graph: Graph) -> object:
    """The graph as kep_solver has it: every vertex a pair, every arc a transplant.

    Each counts as one.
    """
    pool = entities.Instance()
    pairs: list[Any] = []
    for vertex in range(graph.vertices):
        donor, recipient = entities.Donor(str(vertex)), pool.recipient(str(vertex))
        donor.recipient = recipient
        recipient.addDonor(donor)
        pool.addDonor(donor)
        pairs.append(donor)
    for tail, head in zip(graph.tails.tolist(), graph.heads.tolist(), strict=True):
        pool.addTransplant(entities.Transplant(pairs[tail], pairs[head].recipient, 1.0))
    return pool
