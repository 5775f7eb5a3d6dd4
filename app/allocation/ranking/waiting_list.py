"""The waiting list of one provider: its order."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.allocation.policy.policy import Policy

URGENCIES = ("acute", "urgent", "planned")
"""The most urgent first."""
HIGHEST_THREAT = 3
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)

ListPosition = tuple[tuple[int, ...], str]
"""Where one stands on the list: the smallest first; no two have the same."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One who waits, as far as the order is concerned.

    `threat_level` is 1 to 3, None where nobody knows; `since` is when the referral was registered:
    whatever was offered, held, refused or lost since then changes nothing about it.
    """

    id: str
    urgency: str
    threat_level: int | None
    children: bool
    """Whether there are any, or one is expected."""
    since: dt.datetime


def _urgency(one: Waiting) -> int:
    return URGENCIES.index(one.urgency)


def _threat(one: Waiting) -> int:
    # The unknown counts as the highest: nobody waits longer because nobody asked.
    return -(HIGHEST_THREAT if one.threat_level is None else one.threat_level)


def _children(one: Waiting) -> int:
    # Whether, not how many: a large family does not outrun a small one that waits longer.
    return 0 if one.children else 1


def _time(one: Waiting) -> int:
    return (one.since - EPOCH) // MICROSECOND


FACTORS: Mapping[str, Callable[[Waiting], int]] = {
    "urgency": _urgency,
    "threat": _threat,
    "children": _children,
    "time": _time,
}
"""By the names that the policy's `waiting_order` has for them; the smallest goes first."""


def list_position(one: Waiting, *, policy: Policy) -> ListPosition:
    """A household's position.

    By the policy's factors in order, then by time, then by id.

    What is not in the policy's order does not count.
    """
    standing = tuple(FACTORS[name](one) for name in policy.waiting_order)
    return (*standing, _time(one)), one.id


def last_night(started: dt.date, *, kind: str, policy: Policy) -> dt.date | None:
    """The last day in an alternative of a kind; None where the policy has no limit."""
    return started + dt.timedelta(days=policy.emergency_nights) if kind == "emergency_bed" else None
