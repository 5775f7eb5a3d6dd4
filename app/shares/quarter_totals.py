"""Quarter totals: the worker adds up the openings and seals each quarter in the ledger."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.allocation.shares.disclosure import FEW
from app.allocation.shares.nights import LedgerStay, nights_between
from app.allocation.shares.quarters import (
    Quarter,
    last_closed_quarter,
    quarter_of,
    quarters_between,
)
from app.allocation.shares.totals import Totals, content_of, have_same_figures, totals_of
from app.database.sealing import keys
from app.database.transaction import Transaction
from app.ledger.ledger import append_clear
from app.reference import load
from app.shares import stay_book
from app.shares.stay_book import StaysSince
from app.shares.store import quarter_rows, stay_rows
from app.shares.store.quarter_rows import AnswerCount, PairRow, PlaceCount, QuarterSpan

LATER_FACTS = "later_facts"
"""The code of a correction by facts that became known after a quarter was sealed."""
BY = {"role": "worker", "region": None}
PER_INHABITANTS = 10_000
"""The inhabitants to one wanted place, by the Council of Europe's yardstick."""
NO_PLACES = PlaceCount(0, 0)
NO_ANSWERS = AnswerCount(0, 0, 0)


@dataclass(frozen=True, slots=True)
class QuarterAccount:
    """The totals of a quarter by what is known now."""

    quarter: Quarter
    totals: Totals
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SealedCounts:
    """How many quarters were sealed for the first time, and how many again."""

    first: int = 0
    anew: int = 0


async def seal_quarters(tx: Transaction) -> SealedCounts:
    """Seal, as the worker, every quarter that ended as long ago as the policy says.

    Sealed quarters are sealed again along with them, and only then, if facts that became known
    since change their totals: once a quarter, so that no single fact shows by itself.
    """
    missing = await _missing_quarters(tx)
    if not missing:
        return SealedCounts()
    sealed = await quarter_rows.sealed_leaves(tx)
    told = await stay_book.read_stays(tx, missing[0], sealed=sealed)
    before = await quarter_rows.newest(
        tx, [str(quarter) for quarter in quarters_between(told.first, missing[-1])]
    )
    first = anew = 0
    for account in await _accounts(tx, told, missing[-1]):
        old = before.get(str(account.quarter))
        if old is None:
            first += await _append(tx, account, version=1, stays=told.stays)
        elif not have_same_figures(old.content, account.content):
            correction = {"corrects": old.index, "by": BY, "code": LATER_FACTS}
            anew += await _append(
                tx, account, version=old.version + 1, stays=told.stays, correction=correction
            )
    await stay_rows.note_running(tx, (stay.arrival for stay in told.stays), leaves=told.leaves)
    return SealedCounts(first, anew)


async def _missing_quarters(tx: Transaction) -> tuple[Quarter, ...]:
    """Return the quarters to be sealed in order, without gaps from the ledger's first leaf on."""
    began = await quarter_rows.first_leaf(tx)
    if began is None:
        return ()
    written_at, opening = began
    days = [load().country.day_of(written_at)]
    if opening is not None:
        key = await keys.read(tx, keys.LEDGER)
        days.append(stay_book.unseal_opening(key, *opening).date)
    policy = (await tx.snapshots.reference(tx)).policy
    over = last_closed_quarter(load().country.day_of(tx.at), days=policy.quarter_grace_days)
    sealed = await quarter_rows.sealed_quarters(tx)
    return tuple(
        quarter
        for quarter in quarters_between(quarter_of(min(days)), over)
        if str(quarter) not in sealed
    )


async def _accounts(tx: Transaction, told: StaysSince, last: Quarter) -> list[QuarterAccount]:
    reference = await tx.snapshots.reference(tx)
    # Every leaf behind these totals has been written by now, and opens at most so many days later.
    open_from = load().country.day_of(tx.at) + timedelta(
        days=reference.policy.opening_delay_days + 1
    )

    def account(quarter: Quarter) -> QuarterAccount:
        totals = totals_of(
            quarter, told.stays, weights=told.weights, regions=sorted(reference.regions)
        )
        return QuarterAccount(
            quarter, totals, content_of(quarter, totals, leaves=told.leaves, open_from=open_from)
        )

    return await asyncio.to_thread(
        lambda: [account(quarter) for quarter in quarters_between(told.first, last)]
    )


async def _append(
    tx: Transaction,
    account: QuarterAccount,
    *,
    version: int,
    stays: Sequence[LedgerStay],
    correction: Mapping[str, object] | None = None,
) -> bool:
    """Seal a version of a quarter's totals; False if another worker has done so meanwhile."""
    name = str(account.quarter)
    if not await quarter_rows.claim_version(tx, name, version=version):
        return False
    await quarter_rows.add_pairs(tx, _pairs(account), version=version)
    if version == 1:
        await quarter_rows.add_figures(tx, name, await _take_figures(tx, account.quarter, stays))
    leaf_type = "quarter_total" if correction is None else "correction"
    index = await append_clear(
        tx, leaf_type=leaf_type, content={**account.content, **(correction or {})}
    )
    await quarter_rows.set_leaf(tx, name, version=version, index=index)
    return True


def _pairs(account: QuarterAccount) -> list[PairRow]:
    return [
        PairRow(
            str(account.quarter),
            flow.origin,
            flow.receiving,
            flow.month,
            flow.reason,
            amount.nights,
            amount.after_ready,
            amount.stays,
        )
        for flow, amount in sorted(account.totals.flows.items())
    ]


def span_of(quarter: Quarter) -> QuarterSpan:
    """Return a quarter with the moments at which it begins and ends by the country's clocks."""
    country = load().country
    begins, ends = country.midnight(quarter.first), country.midnight(quarter.after)
    return QuarterSpan(quarter.first, quarter.after, begins, ends, country.time_zone)


async def _take_figures(
    tx: Transaction, quarter: Quarter, stays: Sequence[LedgerStay]
) -> dict[str, Any]:
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
            "hotel_nights": _unless_small(hotels.get(code, 0)),
            "waiting_days": _unless_small(waiting.get(code, 0)),
            **_of_places(places.get(code, NO_PLACES), population=region.population),
            **_of_answers(answers.get(code, NO_ANSWERS)),
        }
        for code, region in sorted(regions.items())
    }
    return {"regions": by_region, "displaced": await _displaced_nights(tx, quarter, stays)}


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
    """Return the rates of answers, unless there are few offers: then a rate tells the count."""
    if count.offers < FEW:
        return {"lawful_offers": None, "refusals_permille": None, "no_answer_permille": None}
    return {
        "lawful_offers": count.offers,
        "refusals_permille": 1000 * count.declined // count.offers,
        "no_answer_permille": 1000 * count.unanswered // count.offers,
    }


async def _displaced_nights(
    tx: Transaction, quarter: Quarter, stays: Sequence[LedgerStay]
) -> dict[str, int | None]:
    by_arrival = {stay.arrival: stay for stay in stays}
    nights: Counter[str] = Counter()
    for index, cap_id in await quarter_rows.displacements(tx):
        stay = by_arrival.get(index)
        there = None if stay is None else nights_between(stay, quarter.first, quarter.after)
        if there is not None:
            nights[str(cap_id)] += there.counted + there.after_ready
    return {cap_id: _unless_small(count) for cap_id, count in sorted(nights.items())}


def _unless_small(count: int) -> int | None:
    return None if 0 < count < FEW else count
