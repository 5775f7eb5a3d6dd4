"""Ways to choose among lawful offers: the order of a ranking, the nearest, or a phone round."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from random import Random

from app.allocation.values import Offer, Ranking
from app.simulation.arrivals import Arrival
from app.simulation.world import World

@dataclass(frozen=True, slots=True)
class Choice:
    """An offer that somebody asks for, and how many providers were rung in vain before it."""

    offer: Offer
    rung: int = 0


def best(ranking: Ranking, _arrival: Arrival, _world: World) -> Choice | None:
    """The first offer of the ranking, as Plek shows it."""
    return Choice(ranking.offers[0]) if ranking.offers else None


def nearest(ranking: Ranking, arrival: Arrival, world: World) -> Choice | None:
    """The lawful place nearest to home."""
    km = world.distances[arrival.need.origin]
    first = min(ranking.offers, key=lambda offer: (km[offer.group.municipality], offer.group.id), default=None)
    return None if first is None else Choice(first)


def phone_round(ranking: Ranking, arrival: Arrival, world: World) -> Choice | None:
    """A place of chance at the first provider that has a lawful one, rung in an order of chance."""
    luck = Random(arrival.rings)
    providers = list(world.providers)
    luck.shuffle(providers)
    for rung, p in enumerate(providers):
        offers=[o for o in ranking.offers if o.group.provider_id==p]
        if offers:
            weights=[o.free for o in offers]
            return Choice(luck.choices(sorted(offers,key=lambda o:o.group.id))[0], rung)
    return None
