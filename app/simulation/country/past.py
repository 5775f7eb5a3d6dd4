"""The demo country's past: frozen values, with times in minutes since it began."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from app.allocation.values import Need, PlaceGroup, Ranking, Register, Situation

ACCEPTED, DECLINED, NO_ANSWER = "accepted", "declined", "no_answer"

ProviderRegion: TypeAlias = tuple[str, str]
"""A provider's places in a region: its id, and the region's code."""


@dataclass(frozen=True, slots=True)
class PlaceNow:
    """A place as the register has it today: its group, what it is, and since when."""

    id: UUID
    group: str
    status: str
    """free, occupied (by a household that came without Plek) or out_of_service."""
    since: int


@dataclass(frozen=True, slots=True)
class PastSetting:
    """Where a past takes place, and where it ends: at the register of today."""

    register: Register
    places: Sequence[PlaceNow]
    days: int
    """Whole days that are over."""
    now: int
    """The minute that it is."""


@dataclass(frozen=True, slots=True)
class AskedPlace:
    """A place asked for a household, with the ranking it came from and the answer."""

    at: int
    minutes: int
    """Until the answer."""
    answer: str
    rank: int
    group: PlaceGroup
    need: Need
    ranking: Ranking
    situation: Situation


@dataclass(frozen=True, slots=True)
class PastStay:
    """A household's time in one place.

    Of what was asked for it, the last was accepted.
    """

    asked: tuple[AskedPlace, ...]
    place_id: UUID
    came: int
    left: int | None
    """None: they are there yet."""

    @property
    def group(self) -> PlaceGroup:
        """Of the place."""
        return self.asked[-1].group


@dataclass(frozen=True, slots=True)
class HouseholdHistory:
    """What Plek knew of one household since it began to look for a place."""

    since: int
    need: Need
    visits: tuple[PastStay, ...]
    in_vain: tuple[AskedPlace, ...]
    """What was asked after the last visit, or without one."""
    over: int | None
    """When they left, or gave up; None: they live in the place of the last visit."""


@dataclass(frozen=True, slots=True)
class Past:
    """All of it.

    `since` is from when on the register's places are what they are today, where that is not what
    they said; `in_use` how many places there were in use as each day began.
    """

    lives: Sequence[HouseholdHistory]
    since: Mapping[UUID, int]
    in_use: Mapping[ProviderRegion, Sequence[int]]
