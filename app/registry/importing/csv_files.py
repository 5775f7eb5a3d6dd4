"""Read an import file: every fault at once, by line and column; no row unless all are good."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cached_property
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from app.reference import ReferenceFiles, load
from app.registry.importing.csv_lines import CsvFault, ImportFaults, Records, decode
from app.registry.importing.csv_rows import (
    MunicipalityRow,
    PlaceRow,
    ProviderRow,
    RegionRow,
    Row,
    SiteRow,
    WeightRow,
)

__all__ = [
    "KINDS",
    "MUNICIPALITIES",
    "PLACES",
    "PROVIDERS",
    "REGIONS",
    "SITES",
    "WEIGHTS",
    "CsvFault",
    "ImportFaults",
    "Kind",
    "MunicipalityRow",
    "PlaceRow",
    "ProviderRow",
    "RegionRow",
    "Row",
    "SiteRow",
    "WeightRow",
    "read",
]

LINES_BETWEEN_REPORTS = 250

RowT = TypeVar("RowT", bound=Row)
RowT_co = TypeVar("RowT_co", bound=Row, covariant=True)

Progress = Callable[[int, int], None]
"""Called now and then, and at the end, with the lines read so far and the lines there are."""


@dataclass(frozen=True)
class Kind(Generic[RowT_co]):
    """One kind of import file: what a line of it is, and the columns that together name one."""

    name: str
    row: type[RowT_co]
    key: tuple[str, ...]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Every column that the file may have."""
        return tuple(column.name for column in fields(self.row) if column.name != "line")

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The columns that the file must have, and no cell of which may be blank."""
        required = {column.name for column in fields(self.row) if column.default is MISSING}
        return tuple(column for column in self.columns if column in required)


REGIONS = Kind("regions", RegionRow, ("code",))
MUNICIPALITIES = Kind("municipalities", MunicipalityRow, ("code",))
PROVIDERS = Kind("providers", ProviderRow, ("provider",))
SITES = Kind("sites", SiteRow, ("provider", "site"))
PLACES = Kind("places", PlaceRow, ("provider", "site", "label"))
WEIGHTS = Kind("weights", WeightRow, ("region", "date"))

KINDS: Mapping[str, Kind[Row]] = {
    kind.name: kind for kind in (REGIONS, MUNICIPALITIES, PROVIDERS, SITES, PLACES, WEIGHTS)
}
"""The kinds by the name that `plek import` knows them by, in the order in which they can be imported."""


def read(
    kind: Kind[RowT],
    raw: bytes,
    *,
    reference: ReferenceFiles | None = None,
    progress: Progress | None = None,
) -> tuple[RowT, ...]:
    """Return the rows of a file in its order, or raise ImportFaults with everything that is wrong with it.

    Whether what a row names exists (its provider, site, municipality or region) is for whoever can
    ask the database.
    """
    text, faults = decode(raw)
    unreadable = frozenset(fault.line for fault in faults)
    records = Records(text)
    lines = len(raw.splitlines())
    rows: _Rows[RowT] | None = None
    for count, (line, cells) in enumerate(records):
        if rows is None:
            header = _Header(kind, line, cells)
            faults += header.faults
            rows = _Rows(kind, header, reference or load())
        elif unreadable.isdisjoint(range(line, records.last_line + 1)):
            rows.take(line, cells)
        if progress and count % LINES_BETWEEN_REPORTS == 0:
            progress(records.last_line, lines)
    faults += records.faults
    if rows is None:
        faults.append(CsvFault(1, "", "the file is empty; its first line must name the columns"))
        raise ImportFaults(faults)
    faults += rows.faults
    if faults:
        raise ImportFaults(faults)
    if progress:
        progress(lines, lines)
    return tuple(rows.good)


class _Header:
    """The columns of a file, in its own order."""

    def __init__(self, kind: Kind[Row], line: int, cells: list[str]) -> None:
        self.columns = tuple(cell.lower() for cell in cells)
        times = Counter(column for column in self.columns if column)
        allowed = ", ".join(kind.columns)
        unknown = [column for column in times if column not in kind.columns]
        missing = [column for column in kind.required if column not in times]
        twice = [column for column in times if times[column] > 1]
        self.faults = [
            *(
                CsvFault(line, "", f"column '{column[:40]}' is unknown; known are {allowed}")
                for column in unknown
            ),
            *(CsvFault(line, "", f"column '{column}' is missing") for column in missing),
            *(
                CsvFault(line, "", f"column '{column[:40]}' is there {times[column]} times")
                for column in twice
            ),
        ]

    def named(self, cells: list[str]) -> dict[str, str]:
        """Return what the cells say by column, without the blank ones; of a column given twice, the first."""
        pairs = [(column, cell) for column, cell in zip(self.columns, cells, strict=True) if cell]
        return dict(reversed(pairs))


class _Rows(Generic[RowT]):
    """The rows taken so far, and what was wrong with the others."""

    def __init__(self, kind: Kind[RowT], header: _Header, reference: ReferenceFiles) -> None:
        self._kind = kind
        self._header = header
        self._reference = reference
        self._adapter = TypeAdapter(kind.row)
        self._line_of: dict[tuple[str, ...], int] = {}
        self.good: list[RowT] = []
        self.faults: list[CsvFault] = []

    def take(self, line: int, cells: list[str]) -> None:
        """Make a row of the cells, or faults."""
        width = len(self._header.columns)
        if len(cells) < width or any(cells[width:]):
            # Nothing more is said about it: the values may have slipped.
            self._fault(line, "", f"has {len(cells)} values, the header names {width} columns")
            return
        named = self._header.named(cells[:width])
        if "" in named:
            self._fault(line, "", "has a value in a column without a name")
        self._check_repeated(line, named)
        known = {column: cell for column, cell in named.items() if column in self._kind.columns}
        try:
            row = self._adapter.validate_python({"line": line, **known}, context=self._reference)
        except ValidationError as error:
            self._explain(line, error)
        else:
            self.good.append(row)

    def _check_repeated(self, line: int, named: Mapping[str, str]) -> None:
        key = tuple(named.get(column, "") for column in self._kind.key)
        if not all(key):
            return
        first = self._line_of.setdefault(key, line)
        if first != line:
            what = " and ".join(self._kind.key)
            self._fault(line, self._kind.key[-1], f"the same {what} as on line {first}")

    def _explain(self, line: int, error: ValidationError) -> None:
        for problem in error.errors(include_url=False, include_input=False):
            column = str(problem["loc"][0])
            if problem["type"] != "missing":
                self._fault(line, column, problem["msg"].removeprefix("Value error, "))
            elif column in self._header.columns:
                self._fault(line, column, "must not be blank")

    def _fault(self, line: int, column: str, message: str) -> None:
        self.faults.append(CsvFault(line, column, message))
