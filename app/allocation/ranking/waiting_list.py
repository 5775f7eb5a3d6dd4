"""The waiting list of one provider: its order, and what is due for each referral."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from app.allocation.policy.policy import Policy

URGENCIES = ("acute", "urgent", "planned")
"""The most urgent first."""
HIGHEST_THREAT = 3
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)

ALTERNATIVE_CHECK, ALTERNATIVE_NIGHTS = "alternative_check", "alternative_nights"
CONTACT, SAFETY_PLAN = "contact", "safety_plan"
LOUD = frozenset({ALTERNATIVE_CHECK, ALTERNATIVE_NIGHTS})
"""What is due for households in an alternative: these come before all others."""

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


@dataclass(frozen=True, slots=True)
class WaitingSchedule:
    """What has to be done for one who waits, and when.

    None for what nobody has to do.
    """

    since: dt.datetime
    safety_plan: bool
    contact_at: dt.datetime | None
    """What the newest contact says of the next."""
    check_at: dt.datetime | None
    """When the responsible provider has to make sure that they are well."""
    nights_over_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Due:
    """Something that is due since a moment, as a code."""

    what: str
    at: dt.datetime


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


def dues_at(watched: WaitingSchedule, *, at: dt.datetime, policy: Policy) -> tuple[Due, ...]:
    """What is due at a moment, the longest due first."""
    return tuple(
        sorted(
            (one for one in _dues(watched, policy) if one.at <= at),
            key=lambda one: (one.at, one.what),
        )
    )


def is_overdue(dues: tuple[Due, ...]) -> bool:
    """Whether something is due for a household in an alternative: it is shown first."""
    return any(one.what in LOUD for one in dues)


def _dues(watched: WaitingSchedule, policy: Policy) -> Iterator[Due]:
    if watched.contact_at is not None:
        yield Due(CONTACT, watched.contact_at)
    if not watched.safety_plan:
        yield Due(SAFETY_PLAN, watched.since + dt.timedelta(hours=policy.safety_plan_hours))
    if watched.check_at is not None:
        yield Due(ALTERNATIVE_CHECK, watched.check_at)
    if watched.nights_over_at is not None:
        yield Due(ALTERNATIVE_NIGHTS, watched.nights_over_at)


def last_night(started: dt.date, *, kind: str, policy: Policy) -> dt.date | None:
    """The last day in an alternative of a kind; None where the policy has no limit."""
    return started + dt.timedelta(days=policy.emergency_nights) if kind == "emergency_bed" else None
