"""`python -m benchmarks [hold|ranking|swaps|start|memory|scale]`: measures and prints a table; exit 1 under a bar."""

import argparse
import sys
from collections.abc import Callable, Mapping

from benchmarks import holding, processes, ranking, scale, swaps
from benchmarks.figures import Line, table

PARTS: Mapping[str, Callable[[], list[Line]]] = {
    "hold": holding.measure,
    "ranking": ranking.measure,
    "swaps": swaps.measure,
    "start": processes.start,
    "memory": processes.memory,
}
"""What is measured when nothing is named."""
ALL: Mapping[str, Callable[[], list[Line]]] = {**PARTS, "scale": scale.measure}


def main() -> int:
    """Measure what was asked for, all but `scale` if nothing was."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(ALL)}")
    wanted: list[str] = parser.parse_args().parts or [*PARTS]
    if unknown := sorted(set(wanted) - ALL.keys()):
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(ALL)}")
    lines = [line for part in wanted for line in ALL[part]()]
    print()
    print(table(lines))
    return 0 if all(line.met for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
