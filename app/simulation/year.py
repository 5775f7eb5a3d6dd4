"""A simulated year, in which the real ranking finds every place."""

from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TypeAlias

from app.allocation.policy.policy import Policy
from app.allocation.ranking.case import case_of
from app.allocation.ranking.rules import would_do
from app.allocation.ranking.versions import NEWEST
from app.allocation.ranking.waiting_list import ListPosition
from app.allocation.values import PlaceGroup, Ranking
from app.simulation.accounts import SafetyAccounts
from app.simulation.arrivals import SimulatedArrival
from app.simulation.assumptions import CALL_MINUTES, DAY, GIVES_UP_DAYS
from app.simulation.checks import PlacementWatch
from app.simulation.choosers import Chooser
from app.simulation.diary import Diary
from app.simulation.guest import Guest
from app.simulation.occupancy import SimulatedOccupancy
from app.simulation.outcome import YearOutcome, YearTally
from app.simulation.world import World

Progress: TypeAlias = Callable[[], None]
"""Told of each midnight."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way of choosing, under a policy; with caps or without."""

    name: str
    policy: Policy
    choose: Chooser
    caps: bool = False


class Year:
    """One way of choosing, as long as the days last."""

    def __init__(
        self,
        world: World,
        way: Way,
        *,
        progress: Progress = lambda: None,
        diary: Diary | None = None,
    ) -> None:
        self._world, self._way, self._progress, self._diary = world, way, progress, diary
        self._accounts = SafetyAccounts(world.weights)
        self._state = SimulatedOccupancy(world, caps=way.caps)
        self._watch = PlacementWatch(world.towns, unassessed_km=way.policy.unassessed_radius_km)
        self._tally = YearTally()
        self._now = 0
        self._planned: list[tuple[int, int, int, Callable[[], None]]] = []
        self._numbers = 0
        self._waiting: list[Guest] = []

    def run(self, arrivals: tuple[SimulatedArrival, ...], *, days: int) -> YearOutcome:
        """Let the days go by, and say what came of them."""
        for taken in self._world.taken:
            group = self._world.groups[taken.group]
            self._state.take(group)
            self._plan(taken.until, lambda group=group: self._free(group))
        for arrival in arrivals:
            self._plan(arrival.at, lambda arrival=arrival: self._arrive(arrival))
        for day in range(1, days + 1):
            self._plan(day * DAY, self._midnight, first=True)
        while self._planned and self._planned[0][0] <= days * DAY:
            self._now, _, _, act = heappop(self._planned)
            act()
        return self._tally.outcome(
            self._way.name, given=self._accounts.given, quota=self._accounts.quota
        )

    def _plan(self, at: int, act: Callable[[], None], *, first: bool = False) -> None:
        self._numbers += 1
        heappush(self._planned, (at, 0 if first else 1, self._numbers, act))

    def _midnight(self) -> None:
        self._accounts.count_night()
        # Once a day, as the service does it: nobody can watch a family arrive.
        ahead = self._way.policy.points.solidarity.nights_ahead
        self._state.deficits = self._accounts.deficits(nights_ahead=ahead)
        self._tally.by_day.append(self._accounts.deviation)
        self._progress()

    # --- coming -----------------------------------------------------------------------

    def _arrive(self, arrival: SimulatedArrival) -> None:
        guest = Guest(arrival, arrival.need, since=self._now)
        self._tally.came += 1
        if self._seek(guest):
            self._tally.at_once += 1
            return
        self._wait(guest)
        self._plan(self._now + GIVES_UP_DAYS * DAY, lambda: self._give_up(guest))

    def _seek(self, guest: Guest) -> bool:
        """Ask for one place after the other until a provider accepts.

        Return whether one did.
        """
        minutes = 0
        while True:
            situation = self._state.situation(guest, at=self._now)
            ranking = NEWEST.rank(guest.need, self._world.register, situation, self._way.policy)
            choice = self._way.choose(ranking, guest.arrival, self._world)
            if choice is None:
                return False
            answer = guest.next_answer()
            if self._diary:
                self._diary.record_answer(
                    guest, choice.offer, (ranking, situation), answer, at=self._now
                )
            minutes += choice.rung * CALL_MINUTES + answer.minutes
            if answer.accepted:
                self._settle(guest, choice.offer.group, ranking, minutes=minutes)
                return True
            guest.declined.add(choice.offer.group.site_id)

    def _settle(self, guest: Guest, place: PlaceGroup, ranking: Ranking, *, minutes: int) -> None:
        before = guest.place
        if before is None:
            self._note_first(guest, place, minutes=minutes)
            guest.ends = self._now + guest.arrival.crisis + guest.arrival.follow_on
            self._plan(guest.ends, lambda: self._leave(guest))
        else:
            self._tally.moves += 1
        self._tally.violations.update(self._watch.check_arrival(guest.need, place))
        if before is None or (before.provider_id, before.region) != (
            place.provider_id,
            place.region,
        ):
            self._account(guest, place.region, ranking)
        self._stop_waiting(guest)
        self._state.take(place)
        guest.place, guest.declined = place, set()
        guest.lasts += 1
        self._plan_next(guest, place)
        if before is not None:
            self._watch.note_departure(before)
            self._free(before)

    def _note_first(self, guest: Guest, place: PlaceGroup, *, minutes: int) -> None:
        need, tally = guest.arrival.need, self._tally
        tally.waits.append(self._now - guest.since + minutes)
        tally.clients += need.household.persons
        tally.home_km.append(self._world.distances[need.origin][place.municipality])
        if need.near_municipality is not None:
            tally.wish_km.append(self._world.distances[need.near_municipality][place.municipality])
        if place.region != need.origin_region:
            tally.left_region[need.reason] += need.household.persons

    def _account(self, guest: Guest, region: str, ranking: Ranking) -> None:
        """Let a stay in another region count, and the one before it no longer."""
        self._close(guest)
        if region == guest.need.origin_region:
            return
        if guest.need.reason == "safety":
            guest.running = self._accounts.begin(region, lawful=ranking.lawful_regions)
        else:
            guest.guest_of = region
            self._state.guests[region] += 1

    def _close(self, guest: Guest) -> None:
        if guest.running is not None:
            self._accounts.end(guest.running)
        if guest.guest_of is not None:
            self._state.guests[guest.guest_of] -= 1
        guest.running = guest.guest_of = None

    # --- going ------------------------------------------------------------------------

    def _plan_next(self, guest: Guest, place: PlaceGroup) -> None:
        """Plan the next move.

        Soon from an emergency bed, after the crisis from a crisis place.
        """
        if place.kind == "emergency":
            at = self._now + self._way.policy.emergency_nights * DAY
        elif place.kind == "crisis" and guest.arrival.follow_on:
            at = max(self._now, guest.crisis_ends)
        else:
            return
        lasts = guest.lasts
        self._plan(at, lambda: self._move_on(guest, lasts=lasts))

    def _move_on(self, guest: Guest, *, lasts: int) -> None:
        if guest.gone or guest.lasts != lasts:
            return
        guest.look_on(at=self._now)
        if not self._seek(guest):
            self._wait(guest)

    def _leave(self, guest: Guest) -> None:
        place = guest.place
        assert place is not None  # noqa: S101 - planned when they came to live somewhere
        self._stop_waiting(guest)
        self._close(guest)
        guest.gone = True
        if self._diary:
            self._diary.record_departure(guest, at=self._now)
        self._watch.note_departure(place)
        self._free(place)

    def _free(self, place: PlaceGroup) -> None:
        """Free a place, and let waiting households try for it in the order of the list."""
        self._state.release(place)
        for guest in tuple(self._waiting):
            if not self._state.free[place.id]:
                return
            if (
                guest.order is not None
                and place.id in guest.would_do
                and self._state.is_open_to(place, guest)
            ):
                self._seek(guest)

    # --- waiting ----------------------------------------------------------------------

    def _wait(self, guest: Guest) -> None:
        situation = self._state.situation(guest, at=self._now)
        case = case_of(guest.need, self._world.register, situation, self._way.policy)
        guest.would_do = frozenset(
            group.id for group in self._world.register.groups if would_do(group, case)
        )
        guest.order = guest.list_position(policy=self._way.policy)
        insort(self._waiting, guest, key=_order)

    def _stop_waiting(self, guest: Guest) -> None:
        if guest.order is not None:
            self._waiting.remove(guest)
            guest.order = None

    def _give_up(self, guest: Guest) -> None:
        if guest.place is None:
            self._stop_waiting(guest)
            if self._diary:
                self._diary.record_giving_up(guest, at=self._now)


def _order(guest: Guest) -> ListPosition:
    assert guest.order is not None  # noqa: S101 - set before they join the list
    return guest.order
