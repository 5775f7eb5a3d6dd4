"""The script that a dump turns into: its lines, and the rows among them by table."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator, Iterable

from app.backup.programs import PostgresProgram, Programs

COPY = re.compile(rb'COPY public\.(?:"((?:[^"]|"")+)"|(\w+)) .*FROM stdin;\n')
END = b"\\.\n"


class Rows:
    """How many rows of each table have come by."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()
        self._table: str | None = None

    def sees(self, line: bytes) -> bool:
        """Take note of a line; return whether it is a row, or the end of some."""
        table = self._table
        if table is None:
            if line.startswith(b"COPY ") and (begins := COPY.fullmatch(line)):
                quoted, plain = begins.groups()
                name = plain if quoted is None else quoted.replace(b'""', b'"')
                self._table = table = name.decode()
                self.count.setdefault(table, 0)
            return False
        if line == END:
            self._table = None
        else:
            self.count[table] += 1
        return True


async def lines_of(
    programs: Programs, dump: Iterable[bytes], *options: str
) -> AsyncGenerator[bytes]:
    """Yield the script that pg_restore makes of a dump, line by line."""
    command = (programs["pg_restore"], "--file=-", "--no-owner", "--enable-row-security", *options)
    async with PostgresProgram(*command, feed=True) as process:
        assert process.stdin is not None  # noqa: S101 - both asked for
        assert process.stdout is not None  # noqa: S101 - as above
        feeding = asyncio.ensure_future(_feed(process.stdin, dump))
        try:
            async for line in process.stdout:
                yield line
            await feeding
        finally:
            feeding.cancel()


async def count_rows(programs: Programs, dump: Iterable[bytes]) -> Counter[str]:
    """Count the rows that a dump holds of each table."""
    rows = Rows()
    async for line in lines_of(programs, dump, "--data-only"):
        rows.sees(line)
    return rows.count


async def _feed(pipe: asyncio.StreamWriter, dump: Iterable[bytes]) -> None:
    for chunk in dump:
        pipe.write(chunk)
        await pipe.drain()
    pipe.close()
