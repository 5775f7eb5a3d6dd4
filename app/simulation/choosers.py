"""Ways to choose a lawful offer: by rank, by nearness to home, or by a phone round."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from app.allocation.values import Offer, Ranking
from app.simulation.arrivals import SimulatedArrival
from app.simulation.world import World


@dataclass(frozen=True, slots=True)
class ChosenOffer:
    """An offer that a worker asks for, and how many providers were rung in vain before it."""

    offer: Offer
    rung: int = 0


Chooser: TypeAlias = Callable[[Ranking, SimulatedArrival, World], ChosenOffer | None]
"""None if there is no choice."""


def choose_best(ranking: Ranking, _arrival: SimulatedArrival, _world: World) -> ChosenOffer | None:
    """Choose the first offer of the ranking, as Plek shows it."""
    return ChosenOffer(ranking.offers[0]) if ranking.offers else None


def choose_nearest(ranking: Ranking, arrival: SimulatedArrival, world: World) -> ChosenOffer | None:
    """Choose the lawful place nearest to home."""
    km = world.distances[arrival.need.origin]
    first = min(
        ranking.offers,
        key=lambda offer: (km[offer.group.municipality], offer.group.id),
        default=None,
    )
    return None if first is None else ChosenOffer(first)


def choose_by_phone_round(
    ranking: Ranking, arrival: SimulatedArrival, world: World
) -> ChosenOffer | None:
    """Choose a random place at the first provider with a lawful one, rung in random order."""
    luck = Random(arrival.rings)  # noqa: S311 - invents a phone round, guards nothing
    ring = luck.sample(world.providers, len(world.providers))
    turn = {provider: number for number, provider in enumerate(ring)}
    rung = min((turn[offer.group.provider_id] for offer in ranking.offers), default=None)
    if rung is None:
        return None
    there = sorted(
        (offer for offer in ranking.offers if offer.group.provider_id == ring[rung]),
        key=lambda offer: offer.group.id,
    )
    return ChosenOffer(luck.choice(there), rung)
