"""`python -m benchmarks [request|hold|ranking ...]`: measures and prints a table.

Exit 1 under a bar.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from functools import partial

from benchmarks import (
    holds,
    ledger,
    pages,
    peaks,
    processes,
    quarters,
    ranking,
    requests,
    scale,
    swaps,
)
from benchmarks.figures import Line, table

PARTS: Mapping[str, Callable[[], list[Line]]] = {
    "request": requests.measure,
    "hold": holds.measure,
    "ranking": ranking.measure,
    "peaks": peaks.measure,
    "swaps": swaps.measure,
    "ledger": ledger.measure,
    "pages": pages.measure,
    "start": processes.start,
    "memory": processes.memory,
}
"""What is measured when nothing is named."""
LONG = {"quarters", "scale"}
"""What is measured only when it is named: each takes many minutes to make its past."""
ALL = {*PARTS, *LONG}


def main() -> int:
    """Measure what was asked for; all that does not take long if nothing was."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"some of {', '.join(sorted(ALL))}"
    )
    parser.add_argument(
        "--places", type=int, default=scale.PLACES, help="of `scale`: how many there grow to be"
    )
    parser.add_argument(
        "--past", type=int, default=scale.PAST, help="of `scale`: how many claims that are over"
    )
    given = parser.parse_args()
    wanted: list[str] = given.parts or [*PARTS]
    if unknown := sorted(set(wanted) - ALL):
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(sorted(ALL))}")
    aged = partial(scale.measure, places=given.places, past=given.past)
    measures = {**PARTS, "quarters": quarters.measure, "scale": aged}
    lines = [line for part in wanted for line in measures[part]()]
    print()
    print(table(lines))
    return 0 if all(line.met for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
