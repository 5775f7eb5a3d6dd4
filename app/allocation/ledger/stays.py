"""The leaves due when a household's time at a provider begins or ends."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StayArrival:
    """An arrival, and what the household leaves for it.

    `left_inside`: whether the place that they leave by arriving here is with the same provider in
    the same region; None where they leave none, because it is their first or because they had left
    before.
    `cross_regional`: whether the place is in another region than they come from.
    """

    left_inside: bool | None
    cross_regional: bool


@dataclass(frozen=True, slots=True)
class LeavesDue:
    """Which leaves an arrival asks for, the departure first.

    `departure` ends the time at the provider that they leave, and has a leaf only where its
    beginning had one.
    """

    departure: bool
    arrival: bool


def leaves_due(arrival: StayArrival) -> LeavesDue:
    """Which leaves an arrival asks for.

    Moving inside one provider and region asks for none: a household's time there is cross-regional,
    or is not, as it began. Source: docs/design.md, section 6, invariant 4.
    """
    if arrival.left_inside:
        return LeavesDue(departure=False, arrival=False)
    return LeavesDue(departure=arrival.left_inside is False, arrival=arrival.cross_regional)
