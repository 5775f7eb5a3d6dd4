"""What the lock files pin: read here once for the programs that look at it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;]+)(?: ; (?P<where>.+))?")
HASH = re.compile(r"--hash=sha256:(?P<sha256>[0-9a-f]{64})")
NEEDED_BY = re.compile(
    r"# {1,3}(?:via )?(?P<name>[A-Za-z0-9._-]+)(?P<project> \(pyproject\.toml.*\))?"
)


class NotLocked(Exception):
    """A line that pins nothing to a version with a hash; the message names it."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One package as it is locked.

    A version, the hashes that it may have, and what needs it.
    """

    name: str
    version: str
    sha256: tuple[str, ...]
    needed_by: tuple[str, ...]
    """Names of packages; that of the project itself for what it asks for directly."""


def pins(file: Path) -> list[Pin]:
    """Return what a lock file pins, for every platform and Python.

    Raise NotLocked for anything else in it.
    """
    found: list[Pin] = []
    for entry in _entries(file.read_text(encoding="utf-8")):
        pin = PIN.fullmatch(entry[0].removesuffix("\\").strip())
        hashes = tuple(match["sha256"] for line in entry[1:] if (match := HASH.search(line)))
        if pin is None or not hashes:
            raise NotLocked(f"{file.name}: not a version with a hash: {entry[0]}")
        needing = (NEEDED_BY.fullmatch(line.strip()) for line in entry[1:])
        named = tuple(
            match["name"] for match in needing if match and match["name"] not in {"via", "-c"}
        )
        found.append(Pin(pin["name"], pin["version"], hashes, named))
    return found


def _entries(text: str) -> Iterator[list[str]]:
    """Split a lock file into packages.

    A line that is not indented, and the lines below it that are.
    """
    entry: list[str] = []
    for line in text.splitlines():
        if line.startswith(" "):
            entry.append(line)
        elif line.strip() and not line.startswith("#"):
            if entry:
                yield entry
            entry = [line]
    if entry:
        yield entry
