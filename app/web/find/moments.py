"""Moments as a form has them.

By the clocks of the country, for its fields know no zone.
"""

from datetime import datetime

from app.errors import Fault, Invalid
from app.reference import load

LONGEST = len("2026-01-31T23:59:59.999999")


def ahead(typed: str | None, *, at: datetime) -> datetime | None:
    """Return a moment that was typed and lies ahead; None where none was.

    Refuse any other.
    """
    if typed is None:
        return None
    try:
        moment = datetime.fromisoformat(typed[:LONGEST]).replace(tzinfo=load().country.zone)
    except (ValueError, OverflowError):
        raise Invalid(code="no_moment", detail="That is not a day and a time.") from None
    if moment <= at:
        raise Invalid(
            Fault("/at", "must lie ahead"),
            code="not_ahead",
            detail="That moment has passed already.",
        )
    return moment
