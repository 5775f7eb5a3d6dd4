"""Figures about a quarter beside the ledger, taken as it is sealed, none of few.

Hotels, waiting, places, staff and answers, nights that caps displaced, and once in four quarters
the year's households. What is shown here stays as it is.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.allocation.figures.suppression import FEW
from app.allocation.shares.nights import LedgerStay, nights_between
from app.allocation.shares.quarters import Quarter
from app.allocation.shares.years import QUARTERS, YearCounts, year_counts
from app.database.transaction import Transaction
from app.reference import load
from app.shares import stay_book
from app.shares.stay_book import StaysSince
from app.shares.store import quarter_rows
from app.shares.store.quarter_rows import AnswerCount, HouseholdSum, PlaceCount, QuarterSpan

PER_INHABITANTS = 10_000
"""The inhabitants to one wanted place, by the Council of Europe's yardstick."""
NO_PLACES = PlaceCount(0, 0)
NO_ANSWERS = AnswerCount(0, 0, 0, 0)
NOTHING = HouseholdSum(0, 0)
YEAR = "year"


@dataclass(frozen=True, slots=True)
class HouseholdYear:
    """Households that came to another region in four quarters, as `year_counts` has them."""

    first: Quarter
    last: Quarter
    counts: YearCounts


def span_of(quarter: Quarter) -> QuarterSpan:
    """Return a quarter with the moments at which it begins and ends by the country's clocks."""
    country = load().country
    begins, ends = country.midnight(quarter.first), country.midnight(quarter.after)
    return QuarterSpan(quarter.first, quarter.after, begins, ends, country.time_zone)


async def take(tx: Transaction, quarter: Quarter, told: StaysSince) -> dict[str, Any]:
    """Return a quarter's figures by region, and the nights each cap displaced; None if small.

    Places and staff are as they are now, because no history of them is kept.
    """
    span = span_of(quarter)
    hotels, waiting = (
        await quarter_rows.hotel_nights(tx, span),
        await quarter_rows.waiting_days(tx, span),
    )
    places, answers = (
        await quarter_rows.place_counts(tx),
        await quarter_rows.answer_counts(tx, span),
    )
    regions = (await tx.snapshots.reference(tx)).regions
    by_region = {
        code: {
            "hotel_nights": _unless_few(hotels.get(code, NOTHING)),
            "waiting_days": _unless_few(waiting.get(code, NOTHING)),
            **_of_places(places.get(code, NO_PLACES), population=region.population),
            **_of_answers(answers.get(code, NO_ANSWERS)),
        }
        for code, region in sorted(regions.items())
    }
    displaced = await _displaced_nights(tx, quarter, told.now.stays)
    year = await _year(tx, quarter, leaves=told.leaves)
    return {"regions": by_region, "displaced": displaced} | ({} if year is None else {YEAR: year})


def _of_places(count: PlaceCount, *, population: int) -> dict[str, int | None]:
    return {
        "places": count.places,
        "places_wanted": -(-population // PER_INHABITANTS),
        "places_per_10000_inhabitants_hundredths": (
            100 * PER_INHABITANTS * count.places // population if population else None
        ),
        "staffed_permille": 1000 * count.staffed // count.places if count.places else None,
    }


def _of_answers(count: AnswerCount) -> dict[str, int | None]:
    """Return the rates of answers, unless they are about few households."""
    if count.households < FEW:
        return {"lawful_offers": None, "refusals_permille": None, "no_answer_permille": None}
    return {
        "lawful_offers": count.offers,
        "refusals_permille": 1000 * count.declined // count.offers,
        "no_answer_permille": 1000 * count.unanswered // count.offers,
    }


async def _displaced_nights(
    tx: Transaction, quarter: Quarter, stays: Iterable[LedgerStay]
) -> dict[str, int | None]:
    by_arrival = {stay.arrival: stay for stay in stays}
    nights: defaultdict[str, list[int]] = defaultdict(list)
    for index, cap_id in await quarter_rows.displacements(tx):
        stay = by_arrival.get(index)
        there = None if stay is None else nights_between(stay, quarter.first, quarter.after)
        if there is not None:
            nights[str(cap_id)].append(there.counted + there.after_ready)
    return {
        cap_id: _unless_few(HouseholdSum(sum(each), len(each)))
        for cap_id, each in sorted(nights.items())
    }


def _unless_few(total: HouseholdSum) -> int | None:
    """Return an amount that ten households or more make up, and None for any other."""
    return None if total.households < FEW else total.amount


async def read_year(tx: Transaction, quarter: Quarter) -> HouseholdYear | None:
    """Return the newest year that was counted when a quarter was sealed; None without any."""
    within = _last_quarters(quarter)
    found = await quarter_rows.figures(tx, [str(one) for one in within])
    for one in within:
        if YEAR in found.get(str(one), {}):
            return HouseholdYear(_last_quarters(one)[-1], one, found[str(one)][YEAR])
    return None


async def _year(tx: Transaction, quarter: Quarter, *, leaves: int) -> Mapping[str, Any] | None:
    """Count the arrivals among a year's leaves, unless a year within it was counted."""
    if await read_year(tx, quarter) is not None:
        return None
    reference = await tx.snapshots.reference(tx)
    year_ago = _last_quarters(quarter)[-1].before
    seals = await quarter_rows.seals(tx, [str(year_ago)])
    first = seals[0].leaves if seals else 0
    stays = await stay_book.arrived_stays(tx, first=first, below=leaves)
    reasons = sorted({*load().codes_of("referral_reasons"), "other"})
    return await asyncio.to_thread(
        year_counts, stays, regions=sorted(reference.regions), reasons=reasons
    )


def _last_quarters(quarter: Quarter) -> list[Quarter]:
    """Return the four quarters of the year that ends with one, the newest first."""
    found = [quarter]
    while len(found) < QUARTERS:
        found.append(found[-1].before)
    return found
