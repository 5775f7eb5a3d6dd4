"""Agreement of a household's time at a provider with the leaves that the ledger has of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.allocation.ledger.openings import NOT_ARRIVED, NOT_DEPARTED

if TYPE_CHECKING:
    import datetime as dt

    from app.allocation.ledger.openings import OpeningContent

TAKEN_BACK = frozenset({NOT_ARRIVED, NOT_DEPARTED})
"""The codes of corrections by which what a leaf says did not happen."""

LEAF_UNDUE = "leaf_undue"
ARRIVAL_MISSING, ARRIVAL_DAY = "arrival_missing", "arrival_day"
DEPARTURE_MISSING, DEPARTURE_UNDUE, DEPARTURE_DAY = (
    "departure_missing",
    "departure_undue",
    "departure_day",
)


@dataclass(frozen=True, slots=True)
class LivedTime:
    """A household's time at a provider as its placements have it, in local days.

    `arrived_on` is None where nobody came after all; `departed_on` while they live there.
    """

    cross_regional: bool
    arrived_on: dt.date | None
    departed_on: dt.date | None


def disagreement(
    lived: LivedTime, *, arrival: OpeningContent | None, departure: OpeningContent | None
) -> str | None:
    """Return how a time at a provider and its leaves disagree, as a code; None if they agree.

    `arrival` and `departure` are what the two leaves say in their newest corrections; None where
    there is no such leaf. Source: docs/design.md, section 6, invariant 4.
    """
    came, left = _day_said(arrival), _day_said(departure)
    if not lived.cross_regional or lived.arrived_on is None:
        return None if came is None else LEAF_UNDUE
    if came is None:
        return ARRIVAL_MISSING
    if came != lived.arrived_on:
        return ARRIVAL_DAY
    if lived.departed_on is None:
        return None if left is None else DEPARTURE_UNDUE
    if left is None:
        return DEPARTURE_MISSING
    return None if left == lived.departed_on else DEPARTURE_DAY


def _day_said(opening: OpeningContent | None) -> dt.date | None:
    if opening is None or (opening.correction and opening.correction.code in TAKEN_BACK):
        return None
    return opening.date
