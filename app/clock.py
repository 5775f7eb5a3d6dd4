"""The only clock: everything else is handed the time as an argument."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return this process's current time in UTC; expiry is decided by the database's clock, not by this one."""
    return datetime.now(UTC)
