"""An import file's rows, with everything that is wrong with the others."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from typing import TypeVar

from app.registry.importing import csv_files
from app.registry.importing.csv_files import CsvFault, ImportFaults, Kind, Progress, Row
from app.registry.importing.csv_lines import Records, decode

RowT = TypeVar("RowT", bound=Row)


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file's rows."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0

    def __str__(self) -> str:
        """Read as part of a sentence."""
        return f"{self.new:,} new, {self.changed:,} changed, {self.unchanged:,} unchanged"


def read(
    kind: Kind[RowT], raw: bytes, *, progress: Progress | None = None
) -> tuple[tuple[RowT, ...], list[CsvFault]]:
    """Return the rows without a fault, and all faults: what the database knows is then told with them."""
    try:
        return csv_files.read(kind, raw, progress=progress), []
    except ImportFaults as refused:
        return _sound(kind, raw, bad=frozenset(fault.line for fault in refused.faults)), list(
            refused.faults
        )


def refuse(faults: Sequence[CsvFault]) -> None:
    """Stop here if anything is wrong."""
    if faults:
        raise ImportFaults(faults)


def _sound(kind: Kind[RowT], raw: bytes, *, bad: frozenset[int]) -> tuple[RowT, ...]:
    """Return the rows of the records on whose lines nothing is wrong; none where the header is at fault."""
    records = list(_records(raw))
    if not records or not bad.isdisjoint(records[0][0]):
        return ()
    good = [(lines[0], cells) for lines, cells in records[1:] if bad.isdisjoint(lines)]
    text = StringIO(newline="")
    csv.writer(text).writerows([records[0][1], *(cells for _, cells in good)])
    try:
        rows = csv_files.read(kind, text.getvalue().encode())
    except ImportFaults:
        return ()
    return tuple(replace(row, line=line) for row, (line, _) in zip(rows, good, strict=True))


def _records(raw: bytes) -> Iterator[tuple[range, list[str]]]:
    """Yield the records, each with the lines that it spans."""
    records = Records(decode(raw)[0])
    for line, cells in records:
        yield range(line, records.last_line + 1), cells
