"""From the bytes of an import file to its lines of cells; what is not CSV in UTF-8 is a fault, by line."""

import csv
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from gettext import NullTranslations
from io import StringIO

from app.errors import Refusal

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
DELIMITERS = ",;"


@dataclass(frozen=True, slots=True, order=True)
class CsvFault:
    """One thing wrong: the line it is on (the header is line 1), the column if it is in one, and a sentence."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        """Read as one line of a report; no cell is repeated in it."""
        where = f"line {self.line}, {self.column}" if self.column else f"line {self.line}"
        return f"{where}: {self.message}"


class ImportFaults(Refusal):
    """The file has faults, in the order of its lines, and nothing of it was taken in."""

    def __init__(self, faults: Sequence[CsvFault]) -> None:
        self.faults = tuple(sorted(faults))
        text = NullTranslations().ngettext(
            "The file has %(faults)s fault; nothing was imported.",
            "The file has %(faults)s faults; nothing was imported.",
            len(self.faults),
        )
        super().__init__("import_faults", text, faults=len(self.faults))


def tidy(text: str) -> str:
    """Return the text with blanks trimmed, inner runs of blanks and line breaks made one space, accents composed."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def decode(raw: bytes) -> tuple[str, list[CsvFault]]:
    """Return the file as text, with a fault for each line that is not UTF-8 (and something in place of its bytes)."""
    if raw.startswith(UTF_16_MARKS):
        raise ImportFaults([CsvFault(1, "", "the file is UTF-16; save it as CSV in UTF-8")])
    raw = raw.removeprefix(BYTE_ORDER_MARK)
    faults: list[CsvFault] = []
    for number, line in enumerate(raw.splitlines(), 1):
        try:
            line.decode()
        except UnicodeDecodeError as error:
            message = f"byte {error.start + 1} is not UTF-8; save the file as CSV in UTF-8"
            faults.append(CsvFault(number, "", message))
    return raw.decode(errors="replace"), faults


class Records:
    """The records of a file, each with the line on which it begins; blank ones are passed over."""

    def __init__(self, text: str) -> None:
        self._text = StringIO(text, newline="")
        header = next((line for line in text.splitlines() if line.strip()), "")
        # No column's name contains either, so the header alone decides.
        delimiter = max(DELIMITERS, key=header.count)
        self._reader = csv.reader(self._text, delimiter=delimiter, strict=True)
        self.faults: list[CsvFault] = []

    @property
    def last_line(self) -> int:
        """The line on which the newest record ended."""
        return self._reader.line_num

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (line, tidy cells)."""
        while True:
            line = self._reader.line_num + 1
            try:
                cells = [tidy(cell) for cell in next(self._reader)]
            except StopIteration:
                return
            except csv.Error as error:
                self.faults.append(CsvFault(line, "", f"cannot be read as CSV: {error}"))
                continue
            if any(cells):
                yield line, cells
