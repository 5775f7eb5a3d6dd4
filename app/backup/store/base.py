"""What a base copy of an embedded server's folder says to the server.

It stands alone because no other statement runs beside a copy of the folder.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

_START = "SELECT pg_backup_start('plek', true)"
_STOP = "SELECT labelfile AS label, clock_timestamp() AS at FROM pg_backup_stop(true)"


@dataclass(frozen=True, slots=True)
class BaseCopyEnd:
    """The label that the server gave a copy, and the moment from which it can be used."""

    label: str
    at: datetime


async def start(connection: Any) -> None:  # noqa: ANN401 - asyncpg has no types
    """Let the server know that its folder is about to be copied."""
    await connection.execute(_START)


async def stop(connection: Any) -> BaseCopyEnd:  # noqa: ANN401 - asyncpg has no types
    """End it, and wait until all the log that the copy needs is in the archive."""
    row = await connection.fetchrow(_STOP)
    return BaseCopyEnd(row["label"], row["at"])
