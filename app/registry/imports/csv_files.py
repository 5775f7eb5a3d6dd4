"""Import files as rows.

No fault and all rows; or the faults by line and column, counted, the first of them kept.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from gettext import NullTranslations
from io import StringIO
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from app.errors import Refusal
from app.reference import ReferenceFiles, load
from app.registry.imports.csv_columns import CellFault, CsvRow, FileKind
from app.registry.names import fold_name, tidy_text
from app.words import N_

LINES_BETWEEN_REPORTS = 250
MOST_KEPT = 200
"""Faults of a file that are told; nobody reads more before having put these right."""

RowT = TypeVar("RowT", bound=CsvRow)

Progress = Callable[[int, int], None]
"""Called now and then and at the end, with the lines read so far and all lines."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
DELIMITERS = ",;"
SAYS_DELIMITER = re.compile('"?sep=[,;]"?', re.IGNORECASE)
"""A first line by which spreadsheets tell one another the delimiter: it names no columns."""


@dataclass(frozen=True, slots=True)
class CsvFault:
    """A fault in a file.

    Its line (the header is line 1), its column if any, and a sentence.

    `values` fill in the English `text`, by which `app/words` has its translations.
    """

    line: int
    column: str
    text: str
    values: Mapping[str, object] = field(default_factory=dict[str, object], hash=False)

    @property
    def message(self) -> str:
        """The sentence in English."""
        return self.text % self.values if self.values else self.text

    def __str__(self) -> str:
        """Format the fault as one line of a report, without the cell."""
        where = f"line {self.line}, {self.column}" if self.column else f"line {self.line}"
        return f"{where}: {self.message}"


class Faults:
    """The faults of a file: all are counted, and those of its first lines kept."""

    def __init__(self, found: Iterable[CsvFault] = ()) -> None:
        self._kept: list[CsvFault] = []
        self.count = 0
        self.lines: set[int] = set()
        """Every line that has one."""
        self.extend(found)

    def add(self, fault: CsvFault) -> None:
        """Count a fault, and keep it unless it is far down the file."""
        self.count += 1
        self.lines.add(fault.line)
        self._kept.append(fault)
        if len(self._kept) >= 2 * MOST_KEPT:
            self._kept[:] = self.first

    def extend(self, found: Iterable[CsvFault]) -> None:
        """Count some faults."""
        for fault in found:
            self.add(fault)

    @property
    def first(self) -> tuple[CsvFault, ...]:
        """At most `MOST_KEPT` of them, sorted by line."""
        in_order = sorted(self._kept, key=lambda fault: (fault.line, fault.column, fault.message))
        return tuple(in_order[:MOST_KEPT])


class ImportFaults(Refusal):
    """The file has faults, and nothing of it was stored."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults.first
        self.count = faults.count
        text = NullTranslations().ngettext(
            "The file has %(faults)s fault; nothing was imported.",
            "The file has %(faults)s faults; nothing was imported.",
            self.count,
        )
        super().__init__("import_faults", text, faults=self.count)

    @property
    def more(self) -> int:
        """How many faults there are beside those that are kept."""
        return self.count - len(self.faults)


def decode_file(raw: bytes) -> tuple[str, Faults]:
    """Return the file as text, with a fault for each line that is not UTF-8.

    Bytes that are not UTF-8 are replaced.
    """
    if raw.startswith(UTF_16_MARKS):
        raise ImportFaults(
            Faults([CsvFault(1, "", N_("the file is UTF-16; save it as CSV in UTF-8"))])
        )
    raw = raw.removeprefix(BYTE_ORDER_MARK)
    faults = Faults()
    for number, line in enumerate(raw.splitlines(), 1):
        try:
            line.decode()
        except UnicodeDecodeError as error:
            not_utf_8 = N_("byte %(byte)s is not UTF-8; save the file as CSV in UTF-8")
            faults.add(CsvFault(number, "", not_utf_8, {"byte": error.start + 1}))
    return raw.decode(errors="replace"), faults


class CsvRecords:
    """The records of a file, each with the line on which it begins, without blank ones."""

    def __init__(self, text: str, *, faults: Faults) -> None:
        self._text = StringIO(text, newline="")
        first = next((line for line in text.splitlines() if line.strip()), "")
        # No column has either character in its name, so the first line alone decides.
        delimiter = max(DELIMITERS, key=first.count)
        self._reader = csv.reader(self._text, delimiter=delimiter, strict=True)
        self._faults = faults
        self._says_delimiter = SAYS_DELIMITER.fullmatch(first.strip()) is not None

    @property
    def last_line(self) -> int:
        """The line on which the latest record ended."""
        return self._reader.line_num

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line and the tidied cells of each record."""
        while True:
            line = self._reader.line_num + 1
            try:
                cells = [tidy_text(cell) for cell in next(self._reader)]
            except StopIteration:
                return
            except csv.Error:
                not_csv = N_("cannot be read as CSV: look at its quotation marks")
                self._faults.add(CsvFault(line, "", not_csv))
                continue
            if any(cells) and self._says_delimiter:
                self._says_delimiter = False
            elif any(cells):
                yield line, cells


def read_rows(
    kind: FileKind[RowT],
    raw: bytes,
    *,
    reference: ReferenceFiles | None = None,
    progress: Progress | None = None,
) -> tuple[RowT, ...]:
    """Return the rows of a file in its order, or raise ImportFaults with every fault in it.

    Only the database knows whether the provider, site, municipality or region named in a row
    exists.
    """
    rows, faults = read_sound_rows(kind, raw, reference=reference, progress=progress)
    refuse_faults(faults)
    return rows


def read_sound_rows(
    kind: FileKind[RowT],
    raw: bytes,
    *,
    reference: ReferenceFiles | None = None,
    progress: Progress | None = None,
) -> tuple[tuple[RowT, ...], Faults]:
    """Return the rows without a fault, and the faults; the database may add others.

    There are no rows if the header has a fault. Raises ImportFaults for a file in UTF-16.
    """
    text, faults = decode_file(raw)
    unreadable = frozenset(faults.lines)
    records = CsvRecords(text, faults=faults)
    lines = len(raw.splitlines())
    header_lines, rows = range(0), None
    for count, (line, cells) in enumerate(records):
        spanned = range(line, records.last_line + 1)
        if rows is None:
            header = _Header(kind, line, cells)
            faults.extend(header.faults)
            header_lines, rows = spanned, _Rows(kind, header, reference or load(), faults)
        elif unreadable.isdisjoint(spanned):
            rows.take(line, cells)
        if progress and count % LINES_BETWEEN_REPORTS == 0:
            progress(records.last_line, lines)
    if rows is None:
        faults.add(CsvFault(1, "", N_("the file is empty; its first line must name the columns")))
        return (), faults
    if progress and not faults.count:
        progress(lines, lines)
    sound = rows.rows_without(faults.lines) if faults.lines.isdisjoint(header_lines) else ()
    return sound, faults


def refuse_faults(faults: Faults) -> None:
    """Raise ImportFaults if there are any faults."""
    if faults.count:
        raise ImportFaults(faults)


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """How many of a file's rows were new, changed and unchanged."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0

    def __str__(self) -> str:
        """Format the counts as part of a sentence."""
        return f"{self.new:,} new, {self.changed:,} changed, {self.unchanged:,} unchanged"


class _Header:
    """The columns of a file, in the file's order."""

    def __init__(self, kind: FileKind[CsvRow], line: int, cells: list[str]) -> None:
        self.columns = tuple(cell.lower() for cell in cells)
        known = ", ".join(kind.columns)
        times = Counter(column for column in self.columns if column in kind.columns)
        if not times:
            # No header, but a line of values: nothing of it is repeated.
            nothing = N_("the first line names no column; known are %(known)s")
            self.faults = [CsvFault(line, "", nothing, {"known": known})]
            return
        places = enumerate(self.columns, 1)
        unknown = [place for place, column in places if column and column not in times]
        missing = [column for column in kind.required if column not in times]
        self.faults = [
            *(
                CsvFault(
                    line,
                    "",
                    N_("column %(place)s is unknown; known are %(known)s"),
                    {"place": place, "known": known},
                )
                for place in unknown
            ),
            *(
                CsvFault(line, "", N_("column '%(name)s' is missing"), {"name": column})
                for column in missing
            ),
            *(
                CsvFault(
                    line,
                    "",
                    N_("column '%(name)s' is there %(times)s times"),
                    {"name": column, "times": times[column]},
                )
                for column in times
                if times[column] > 1
            ),
        ]

    def by_column(self, cells: list[str]) -> dict[str, str]:
        """Return the cells by column, without blank ones.

        The first of a repeated column.
        """
        pairs = [(column, cell) for column, cell in zip(self.columns, cells, strict=True) if cell]
        return dict(reversed(pairs))


class _Rows(Generic[RowT]):
    """The good rows so far; the others go to the faults."""

    def __init__(
        self, kind: FileKind[RowT], header: _Header, reference: ReferenceFiles, faults: Faults
    ) -> None:
        self._kind = kind
        self._header = header
        self._reference = reference
        self._adapter = TypeAdapter(kind.row)
        self._line_of: dict[tuple[str, ...], int] = {}
        self._faults = faults
        self.good: list[RowT] = []

    def take(self, line: int, cells: list[str]) -> None:
        """Turn the cells into a row, or into faults."""
        width = len(self._header.columns)
        if len(cells) < width or any(cells[width:]):
            # No more faults are named for this line, as its values may have slipped.
            self._fault(
                line,
                "",
                N_("has %(values)s values, the header names %(columns)s columns"),
                {"values": len(cells), "columns": width},
            )
            return
        named = self._header.by_column(cells[:width])
        if "" in named:
            self._fault(line, "", N_("has a value in a column without a name"))
        self._check_repeated(line, named)
        known = {column: cell for column, cell in named.items() if column in self._kind.columns}
        try:
            row = self._adapter.validate_python({"line": line, **known}, context=self._reference)
        except ValidationError as error:
            self._explain(line, error)
        else:
            self.good.append(row)

    def rows_without(self, bad: AbstractSet[int]) -> tuple[RowT, ...]:
        """Return the rows that begin on none of these lines."""
        return tuple(row for row in self.good if row.line not in bad)

    def _check_repeated(self, line: int, named: Mapping[str, str]) -> None:
        key = tuple(fold_name(named.get(column, "")) for column in self._kind.key)
        if not all(key):
            return
        first = self._line_of.setdefault(key, line)
        if first != line:
            self._fault(
                line,
                self._kind.key[-1],
                N_("the same %(columns)s as on line %(line)s"),
                {"columns": ", ".join(self._kind.key), "line": first},
            )

    def _explain(self, line: int, error: ValidationError) -> None:
        for problem in error.errors(include_url=False, include_input=False):
            column = str(problem["loc"][0])
            if problem["type"] != "missing":
                fault = problem.get("ctx", {}).get("error")
                assert isinstance(fault, CellFault)  # noqa: S101 - no cell raises anything else
                self._fault(line, column, fault.text, fault.values)
            elif column in self._header.columns:
                self._fault(line, column, N_("must not be blank"))

    def _fault(
        self, line: int, column: str, text: str, values: Mapping[str, object] | None = None
    ) -> None:
        self._faults.add(CsvFault(line, column, text, values or {}))
