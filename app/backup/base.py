"""Copies of an embedded server's folder, from which its archived log goes on to a moment."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from app.backup.store import base
from app.config import Settings
from app.database.transaction import Database
from app.embedded import account, files
from app.embedded.folder import DataFolder
from app.embedded.wal_archive import WalArchive

ADMINISTRATION = "postgres"
"""The database in which the owner was granted to make copies."""


def archive_of(data_dir: Path) -> WalArchive:
    """Return the archive of a data folder, which may keep nothing."""
    return WalArchive(DataFolder(data_dir.expanduser().absolute()))


async def make_base(archive: WalArchive, *, url: str) -> Path:
    """Copy the folder of the server that runs, while it goes on; `url` is the owner's."""
    who = account.choose(archive.home.path, owned=archive.home.postgres)
    before, name, after = url.rpartition("/plek?")
    there = f"{before}/{ADMINISTRATION}?{after}"
    database = Database(Settings(pool_size=1), url=there, as_owner=True)
    assert name  # noqa: S101 - an embedded server's URL
    try:
        async with database.connection() as connection:
            await base.start(connection)
            draft = await asyncio.to_thread(archive.copy, who)
            stopped = await base.stop(connection)
    finally:
        await database.close()
    return archive.settle(draft, label=stopped.label, at=stopped.at, account=who)


def go_back(archive: WalArchive, *, at: datetime, start: Callable[[], None]) -> None:
    """Put the stopped server's folder back to a moment; `start` starts and stops it once.

    Where that fails, everything is as it was before.
    """
    who = account.choose(archive.home.path, owned=archive.home.postgres)
    archive.put_back(archive.base_before(at), at=at, account=who)
    try:
        start()
        archive.forget(who)
    except BaseException:
        archive.undo()
        raise
    files.settle(archive.home.path)
