"""Look whether a backup is whole: its checksums, and its rows by table.

It stands alone because making and restoring one both ask it.
"""

from collections.abc import Mapping
from pathlib import Path

from app.backup import archive
from app.backup.archive import Archive, ReportBytes
from app.backup.manifest import Manifest
from app.backup.programs import find_programs
from app.backup.script import count_rows
from app.errors import OperatorError


async def check_backup(path: Path, report: ReportBytes | None = None) -> Archive:
    """Return a backup whose checksums and counts all fit; OperatorError for any other.

    It needs PostgreSQL's programs, and no database.
    """
    opened = archive.open_archive(path)
    programs = find_programs(opened.manifest.postgres)
    compare(opened.manifest, await count_rows(programs, opened.dump(report)))
    return opened


def compare(manifest: Manifest, found: Mapping[str, int]) -> None:
    """OperatorError unless the rows found are, table by table, those of the manifest."""
    if dict(found) == dict(manifest.rows):
        return
    wrong = [
        f"{table} ({found.get(table, 0):,} of {manifest.rows.get(table, 0):,})"
        for table in sorted(manifest.rows.keys() | found.keys())
        if found.get(table) != manifest.rows.get(table)
    ]
    raise OperatorError(
        f"This is no whole backup: rows are missing, or too many, in {', '.join(wrong)}."
    )
