"""Figures about a quarter that no opening has: taken by the worker as it seals the quarter, small ones suppressed."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from app.allocation.shares.disclosure import FEW
from app.allocation.shares.nights import Stay, nights_between
from app.allocation.shares.quarters import Quarter
from app.database.transaction import Transaction
from app.reference import load
from app.shares.store import quarter_figures
from app.shares.store.quarter_figures import Answers, PlaceCount, Span

PER_INHABITANTS = 10_000
"""One place for so many inhabitants is what regions are measured by (the Council of Europe's yardstick)."""
NO_PLACES = PlaceCount(0, 0)
NO_ANSWERS = Answers(0, 0, 0)


async def taken(tx: Transaction, quarter: Quarter, stays: Sequence[Stay]) -> dict[str, Any]:
    """Return a quarter's figures by region, and the nights that each cap displaced; None stands for a small one.

    Places and staff are as they are at this moment: nobody keeps what they were.
    """
    span = Span(quarter.first, quarter.after, load().country.time_zone)
    hotels, waiting = (
        await quarter_figures.hotel_nights(tx, span),
        await quarter_figures.waiting_days(tx, span),
    )
    places, answers = await quarter_figures.places(tx), await quarter_figures.answers(tx, span)
    regions = (await tx.snapshots.reference(tx)).regions
    by_region = {
        code: {
            "hotel_nights": _unless_small(hotels.get(code, 0)),
            "waiting_days": _unless_small(waiting.get(code, 0)),
            **_of_places(places.get(code, NO_PLACES), population=region.population),
            **_of_answers(answers.get(code, NO_ANSWERS)),
        }
        for code, region in sorted(regions.items())
    }
    return {"regions": by_region, "displaced": await _displaced(tx, quarter, stays)}


def _of_places(count: PlaceCount, *, population: int) -> dict[str, int | None]:
    return {
        "places": count.places,
        "places_wanted": -(-population // PER_INHABITANTS),
        "places_per_10000_inhabitants_hundredths": (
            100 * PER_INHABITANTS * count.places // population if population else None
        ),
        "staffed_permille": 1000 * count.staffed // count.places if count.places else None,
    }


def _of_answers(count: Answers) -> dict[str, int | None]:
    """Rates only where there were enough offers: of a few, a rate is as good as a count."""
    if count.offers < FEW:
        return {"lawful_offers": None, "refusals_permille": None, "no_answer_permille": None}
    return {
        "lawful_offers": count.offers,
        "refusals_permille": 1000 * count.declined // count.offers,
        "no_answer_permille": 1000 * count.unanswered // count.offers,
    }


async def _displaced(
    tx: Transaction, quarter: Quarter, stays: Sequence[Stay]
) -> dict[str, int | None]:
    by_arrival = {stay.arrival: stay for stay in stays}
    nights: Counter[str] = Counter()
    for index, cap_id in await quarter_figures.displacements(tx):
        stay = by_arrival.get(index)
        there = None if stay is None else nights_between(stay, quarter.first, quarter.after)
        if there is not None:
            nights[str(cap_id)] += there.counted + there.after_ready
    return {cap_id: _unless_small(count) for cap_id, count in sorted(nights.items())}


def _unless_small(count: int) -> int | None:
    return None if 0 < count < FEW else count
