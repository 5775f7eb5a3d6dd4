"""The only clock: all other code receives the time as an argument."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current time of this process in UTC.

    Expiry is decided by the database's clock, not by this one.
    """
    return datetime.now(UTC)
