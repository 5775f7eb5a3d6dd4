"""Exchange problems to measure on.

Those of PrefLib with their optima, and drawn ones like compatibility graphs.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from app.allocation.swaps.graphs import Graph

PREFLIB = Path(__file__).resolve().parents[2] / "shared" / "data" / "exchange"
"""PrefLib 00036 (Dickerson), read in place; see its README for what the optima are."""

BLOOD = {"O": 0.48, "A": 0.34, "B": 0.14, "AB": 0.04}
GIVES_TO = {"O": ("O", "A", "B", "AB"), "A": ("A", "AB"), "B": ("B", "AB"), "AB": ("AB",)}
"""Four kinds, unevenly spread, that do not fit each other evenly: as with places and those who need
them."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A graph, the longest cycle allowed, and its optimum where that is published."""

    name: str
    graph: Graph
    max_cycle: int
    optimum: int | None


def preflib() -> Iterator[Problem]:
    """Every problem of the folder, one for each length of cycle."""
    with (PREFLIB / "optima.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            graph = read_graph((PREFLIB / row["file"]).read_text(encoding="utf-8"))
            yield Problem(
                row["file"], graph, int(row["max_cycle"]), round(float(row["optimum_total_weight"]))
            )


def read_graph(text: str) -> Graph:
    """The graph of a PrefLib file.

    Lines `from,to,weight` under a head of `# NUMBER ALTERNATIVES: 16` and the like.

    Arcs of weight zero lead back to donors without a patient, and would make cycles of chains:
    the optima are without them.
    """
    lines = text.splitlines()
    (vertices,) = (
        int(line.rpartition(":")[2]) for line in lines if line.startswith("# NUMBER ALTERNATIVES:")
    )
    cells = [line.split(",") for line in lines if line and not line.startswith("#")]
    arcs = [(int(tail) - 1, int(head) - 1, round(float(weight))) for tail, head, weight in cells]
    return graph_of(vertices, [arc for arc in arcs if arc[2]])


def graph_of(vertices: int, arcs: list[tuple[int, int, int]]) -> Graph:
    """The graph with these arcs: from, to, weight."""
    columns = np.array(arcs, dtype=np.int64).reshape(-1, 3).T
    return Graph(vertices, tails=columns[0], heads=columns[1], aims=columns[2:])


def drawn(vertices: int, *, seed: int, fits: float) -> Graph:
    """Pairs that do not fit each other, drawn after Saidman et al.

    (2006): kinds, and some who are hard to place.

    *fits*: how probable it is that what is of the right kind fits a patient who is easy to place.
    """
    random = Random(seed)
    kinds, shares = [*BLOOD], [*BLOOD.values()]
    pairs: list[tuple[str, str, float]] = []
    while len(pairs) < vertices:
        needs, gives = random.choices(kinds, shares, k=2)
        ease = fits * random.choices((0.95, 0.55, 0.1), (0.7, 0.2, 0.1))[0]
        if needs not in GIVES_TO[gives] or random.random() > ease:
            pairs.append((needs, gives, ease))
    arcs = [
        (tail, head, 1)
        for tail, (_, gives, _) in enumerate(pairs)
        for head, (needs, _, ease) in enumerate(pairs)
        if tail != head and needs in GIVES_TO[gives] and random.random() < ease
    ]
    return graph_of(vertices, arcs)
