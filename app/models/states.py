"""Conditions on the state of a row in SQL, each under one name.

They stand alone as the counterpart of `migrations/sql/states.sql`.
"""

# `migrations/sql/states.sql` has the same for the rules for rows, on purpose: those are the second
# wall, and one mistake must not open both. Each is given what a statement calls the table.

from app.models.base import one_of

LIVE = ("underway", "arrived")
"""The statuses of a placement whose household is there, or on its way."""


def hold_live(hold: str) -> str:
    """Whether a hold keeps its place: not resolved and not run out, noted or not."""
    return f"({hold}.resolved_at IS NULL AND {hold}.expires_at > clock_timestamp())"


def decline_bars(hold: str) -> str:
    """Whether a decline still keeps its site from being offered to the referral."""
    return (
        f"decline_bars({hold}.site_id, {hold}.status, {hold}.reason, {hold}.resolved_at,"
        f" {hold}.decline_withdrawn_at)"
    )


def placement_live(placement: str) -> str:
    """Whether a household is there, or on its way."""
    return one_of(f"{placement}.status", *LIVE)


def placement_awaited(placement: str) -> str:
    """Whether a household may come yet: after a no-show too, until its safety was checked."""
    return (
        f"({placement}.status = 'underway'"
        f" OR ({placement}.status = 'no_show' AND {placement}.safety_checked_at IS NULL))"
    )


def placement_coming(placement: str) -> str:
    """Whether a household may come yet, or is there: its receiver may know who it is."""
    return f"({placement}.status = 'arrived' OR {placement_awaited(placement)})"


def swap_lapsed(swap: str) -> str:
    """Whether a swap that was proposed has run out and binds nobody, noted or not."""
    return f"({swap}.status = 'proposed' AND {swap}.expires_at <= clock_timestamp())"
