"""The occupancy of a simulated country at a moment, as a ranking sees it."""

from collections import Counter
from collections.abc import Mapping

from app.allocation.values import PlaceGroup, Situation
from app.simulation.assumptions import CAP_PERMILLE
from app.simulation.guest import Guest, moment
from app.simulation.world import World

MANY = 3
"""Free places are counted no further than this."""
CONFIRMED_HOURS = 8
"""Every site is confirmed at each change of shift: freshness decides nothing here."""


class SimulatedOccupancy:
    """What is free, how full each provider is, and whose cap is reached."""

    deficits: Mapping[str, int]
    """How far each region is under its quota, as rankings see it today."""

    def __init__(self, world: World, *, caps: bool) -> None:
        self._world, self._caps = world, caps
        self._places = world.places
        self._confirmed = {group.site_id: CONFIRMED_HOURS for group in world.register.groups}
        self._total: Counter[str] = Counter()
        self._occupied: Counter[str] = Counter()
        self.free: Counter[str] = Counter()
        self.guests: Counter[str] = Counter()
        """By region: households that live there because their own had nothing."""
        self.deficits = {}
        for group in world.register.groups:
            self.free[group.id] += group.places
            self._total[group.provider_id] += group.places

    def take(self, place: PlaceGroup) -> None:
        """Let a household live in a place of a group."""
        self.free[place.id] -= 1
        self._occupied[place.provider_id] += 1

    def release(self, place: PlaceGroup) -> None:
        """Let a place of a group be free."""
        self.free[place.id] += 1
        self._occupied[place.provider_id] -= 1

    @property
    def capped(self) -> frozenset[str]:
        """The regions whose cap is reached."""
        if not self._caps:
            return frozenset()
        return frozenset(
            region
            for region, places in self._places.items()
            if self.guests[region] * 1000 >= places * CAP_PERMILLE
        )

    def is_open_to(self, place: PlaceGroup, guest: Guest) -> bool:
        """Whether a household may try there.

        It was not declined, and no cap is in the way.
        """
        if place.site_id in guest.declined:
            return False
        need = guest.need
        return (
            need.reason == "safety"
            or place.region == need.origin_region
            or place.region not in self.capped
        )

    def situation(self, guest: Guest, *, at: int) -> Situation:
        """Return how things stand for a household."""
        need, world = guest.need, self._world
        # Which of them count is for the rules to say: the origin does where danger is not assessed.
        zones = {need.origin, *(zone.municipality for zone in need.danger_zones)}
        return Situation(
            as_of=moment(at),
            free={group: min(MANY, free) for group, free in self.free.items() if free},
            confirmed_hours=self._confirmed,
            clearances={zone: world.clearances[zone] for zone in zones},
            near_km={}
            if need.near_municipality is None
            else world.distances[need.near_municipality],
            deficits=self.deficits,
            occupancy={
                provider: 1000 * self._occupied[provider] // total
                for provider, total in self._total.items()
            },
            capped_regions=self.capped,
            declined_sites=frozenset(guest.declined),
        )
