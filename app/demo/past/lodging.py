"""In which place of a group each household lived.

One at a time in each, and those of today where it is occupied.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heapify, heapreplace
from uuid import UUID

from app.simulation.assumptions import HOUR
from app.simulation.country.past import PlaceNow
from app.simulation.diary import SimulatedStay

FOREVER = 2**62
OCCUPIED_FIRST = ("occupied", "free", "out_of_service")


@dataclass(slots=True)
class Lodged:
    """The place of each stay, and since when every other place is what the register says."""

    place_of: dict[SimulatedStay, UUID] = field(default_factory=dict[SimulatedStay, UUID])
    since: dict[UUID, int] = field(default_factory=dict[UUID, int])


@dataclass(slots=True, eq=False)
class _Row:
    """What happened in one place, in order."""

    others_until: int
    stays: list[SimulatedStay] = field(default_factory=list[SimulatedStay])

    @property
    def free_from(self) -> int:
        """The moment from which another household may come."""
        if not self.stays:
            return self.others_until
        left = self.stays[-1].left
        return FOREVER if left is None else left

    @property
    def lived_in(self) -> bool:
        """Whether a household of the past is still there."""
        return bool(self.stays) and self.stays[-1].left is None


def lodge(
    stays: Sequence[SimulatedStay],
    places: Sequence[PlaceNow],
    others: Sequence[int],
    *,
    now: int,
    into: Lodged,
) -> None:
    """Assign each stay of a group its place.

    The past ends with what the register says of each place.

    `others` are until when some places were taken as the past began. Where more households live in
    the group than it has occupied places, some have left by the time since when the place is free
    or closed.
    """
    rows = [_Row(until) for until in others]
    rows += [_Row(-1) for _ in range(len(places) - len(rows))]
    free = [(row.free_from, number) for number, row in enumerate(rows)]
    heapify(free)
    for stay in sorted(stays, key=lambda stay: stay.came):
        number = free[0][1]
        rows[number].stays.append(stay)
        heapreplace(free, (rows[number].free_from, number))
    ordered = sorted(places, key=lambda place: (OCCUPIED_FIRST.index(place.status), str(place.id)))
    for row, place in zip(sorted(rows, key=lambda row: not row.lived_in), ordered, strict=True):
        _agree(row, place, now=now, into=into)


def _agree(row: _Row, place: PlaceNow, *, now: int, into: Lodged) -> None:
    into.place_of.update(dict.fromkeys(row.stays, place.id))
    if not row.stays:
        return
    last = row.stays[-1]
    if row.lived_in and place.status == "occupied":
        return
    if last.left is None:
        last.left = min(now, max(place.since, last.came + HOUR))
    if last.left > place.since:
        into.since[place.id] = last.left
