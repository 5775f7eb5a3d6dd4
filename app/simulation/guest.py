"""One household in a simulated year: what it looks for now, and where it lives."""

import datetime as dt
from dataclasses import dataclass, field, replace

from app.allocation.policy.policy import Policy
from app.allocation.ranking.waiting_list import ListPosition, Waiting, list_position
from app.allocation.values import Need, PlaceGroup
from app.simulation.accounts import RunningStay
from app.simulation.arrivals import ProviderAnswer, SimulatedArrival

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
"""When every simulated year begins."""


def moment(minute: int) -> dt.datetime:
    """Return a minute of the simulation as a moment."""
    return START + dt.timedelta(minutes=minute)


@dataclass(slots=True, eq=False)
class Guest:
    """What is known of a household while the year goes by; minutes since its beginning.

    Attributes:
        arrival: as it was drawn.
        need: what it looks for now.
        since: when it began to look.
        ends: when it will live on its own again, once it has a place.
        place: where it lives.
        running: its stay in the safety account, if it is there.
        guest_of: the region that has taken it in for want of capacity elsewhere.
        lasts: counts its places, so that what was planned in an earlier one is forgotten.
        would_do: the groups that would do for it, while it waits.
        order: where it stands on the waiting list, while it waits.
    """

    arrival: SimulatedArrival
    need: Need
    since: int
    ends: int = 0
    place: PlaceGroup | None = None
    running: RunningStay | None = None
    guest_of: str | None = None
    lasts: int = 0
    gone: bool = False
    declined: set[str] = field(default_factory=set[str])
    would_do: frozenset[str] = frozenset()
    order: ListPosition | None = None
    _asked: int = 0

    def next_answer(self) -> ProviderAnswer:
        """Return what the next provider that is asked will say."""
        answer = self.arrival.answers[self._asked % len(self.arrival.answers)]
        self._asked += 1
        return answer

    @property
    def crisis_ends(self) -> int:
        """When the crisis is over, and a lasting place is what it needs, if anything."""
        return self.ends - self.arrival.follow_on

    def look_on(self, *, at: int) -> None:
        """Look for the next place, near the present one unless something else is wanted near."""
        assert self.place is not None  # noqa: S101 - only who lives somewhere moves on
        self.need = replace(
            self.need,
            urgency="urgent" if at < self.crisis_ends else "planned",
            near_municipality=self.need.near_municipality or self.place.municipality,
        )
        self.since = at

    def list_position(self, *, policy: Policy) -> ListPosition:
        """Return where it stands on a waiting list."""
        household = self.need.household
        return list_position(
            Waiting(
                id=f"{self.arrival.number:09}",
                urgency=self.need.urgency,
                threat_level=self.need.threat_level,
                children=bool(household.children) or household.pregnant,
                since=moment(self.since),
            ),
            policy=policy,
        )
