"""A data folder goes back to a moment: copies of the server's folder and its archived log."""

import asyncio
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import asyncpg
import psutil

from app.embedded import EmbeddedServers
from tests.conftest import plain
from tests.faults.cli_folder import Folder
from tests.faults.conftest import Copy

WAYS = "SELECT name FROM providers ORDER BY name"


async def noted(url: str, *names: str) -> datetime:
    """Write providers, each in a transaction, and return the moment after them."""
    owner = await asyncpg.connect(plain(url))
    await owner.execute("SET plek.actor = 'operator'")
    for name in names:
        await owner.execute(
            "INSERT INTO providers (id, slug, name, phone) VALUES (gen_random_uuid(), $1, $1, '0')",
            name,
        )
    at: datetime = await owner.fetchval("SELECT clock_timestamp()")
    await owner.close()
    return at


async def there(url: str) -> list[str]:
    owner = await asyncpg.connect(plain(url))
    await owner.execute("SET plek.actor = 'operator'")
    found = [row[0] for row in await owner.fetch(WAYS)]
    await owner.close()
    return found


def kill_postgres(folder: Path) -> None:
    """Kill the server of a folder as a power cut would."""
    pid = int((folder / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    server = psutil.Process(pid)
    for process in [*server.children(recursive=True), server]:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def names(folder: Folder) -> list[str]:
    with EmbeddedServers(folder.path, wanted=frozenset({"postgres"})) as endpoints:
        return asyncio.run(there(endpoints.owner_url))


def test_a_database_goes_back_to_a_moment_and_loses_nothing_from_before_it(
    migrated: Copy, tmp_path: Path
) -> None:
    folder = migrated()
    on = {"PLEK_WAL_ARCHIVE": "true"}
    assert "no archive" in folder.run("restore", "--at", "2026-01-01T00:00:00Z", expect=2).stderr
    Folder(folder.path, on).run("migrate")
    said = folder.run("backup", tmp_path / "plek.backup")
    assert "from which its archived log goes on" in said.stderr
    with EmbeddedServers(folder.path, wanted=frozenset({"postgres"})) as endpoints:
        at = asyncio.run(noted(endpoints.owner_url, "before", "also before"))
        asyncio.run(noted(endpoints.owner_url, "after"))
        kill_postgres(folder.path)
    assert names(folder) == ["after", "also before", "before"]

    refused = folder.run("restore", "--at", "2026-01-01T00:00:00Z", expect=2)
    assert "no base copy from before" in refused.stderr
    told = folder.run("restore", "--at", at.isoformat())

    assert "The database is as it was at" in told.stdout
    assert names(folder) == ["also before", "before"]
    assert folder.stopped
