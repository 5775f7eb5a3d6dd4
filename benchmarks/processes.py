"""Plek's own process.

How soon it answers after a start, and how much memory it has after work.
"""

import statistics
import tempfile
from pathlib import Path

from benchmarks import cases
from benchmarks.figures import Line, limited
from benchmarks.ground import Served, make_demo, opened_ground, serving_plek
from benchmarks.holds import make_room
from benchmarks.load import measure as load

STARTS = 3
WARM_START_BAR_S = 5.0
MEMORY_BAR_MB = 200.0
CLIENTS = 8
REQUESTS = 600
SEED = 200


def start(*, starts: int = STARTS) -> list[Line]:
    """Measure from the command to the first answer of /health/ready.

    In an empty folder, and in one with the demo.
    """
    with tempfile.TemporaryDirectory(prefix="plek-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        with serving_plek(folder / "empty", options=["--demo"]) as served:
            cold_s = served.ready_after_s
        make_demo(folder / "demo")
        warm_s: list[float] = []
        for _ in range(starts):
            with serving_plek(folder / "demo", options=["--demo"]) as served:
                warm_s.append(served.ready_after_s)
    shown = "/".join(f"{seconds:.1f}" for seconds in warm_s)
    print(
        f"start: in an empty folder, with the demo country: {cold_s:.1f} s; in one that is "
        f"there: {shown} s"
    )
    return [
        limited("start, warm", value=statistics.median(warm_s), most=WARM_START_BAR_S, unit="s")
    ]


def memory(*, requests: int = REQUESTS) -> list[Line]:
    """Measure the memory of the one serving process after rankings and holds under load."""
    with opened_ground() as ground:
        make_room(ground, places=requests)
        desks = cases.open_desks(ground)
        ranked = cases.add_cases(ground, desks, count=requests, seed=SEED)
        held = cases.hold_requests(
            ground, cases.add_cases(ground, desks, count=requests, seed=SEED + 1)
        )
        with serving_plek(ground.folder) as served:
            fresh = megabytes(served)
            load(served.port, held, clients=CLIENTS, expect=201)
            load(served.port, cases.ranking_requests(ranked), clients=CLIENTS, expect=201)
            worked = megabytes(served)
    print(
        f"memory, own and shared (own with a part of the shared): fresh {told(fresh)}; after "
        f"work {told(worked)}"
    )
    return [limited("memory per process", value=worked[0], most=MEMORY_BAR_MB, unit="MB")]


def megabytes(served: Served) -> tuple[float, float]:
    """Return a server's resident and proportional set sizes."""
    found = served.process.memory_full_info()
    return found.rss / 1e6, found.pss / 1e6


def told(sizes: tuple[float, float]) -> str:
    """Say both sizes."""
    return f"{sizes[0]:.0f} MB ({sizes[1]:.0f} MB)"
