"""Restarts of each server of a data folder, counted in a file there.

It stands alone because metrics read what the keeper writes.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from app.embedded import files

FILE = "restarts.json"
SERVERS = ("postgres", "redis")


def read_restarts(data_dir: Path) -> Mapping[str, int]:
    """Return the counts by server; nothing where none was ever started again."""
    try:
        found: object = json.loads((data_dir / FILE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: count for name in SERVERS if isinstance(count := found.get(name), int)}  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - whatever stands there


def count_restarts(data_dir: Path, names: Iterable[str], *, owner: tuple[int, int]) -> None:
    """Count servers that were started again; one at a time does, under the lock of starting."""
    counts = Counter(read_restarts(data_dir)) + Counter(names)
    files.write(data_dir / FILE, json.dumps(counts) + "\n", owner=owner)
