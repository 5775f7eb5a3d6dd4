"""Releases of the monitor: the worker counts every day, and releases each quarter once."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from app.allocation.figures import curves
from app.allocation.figures.figures import COUNTRY, Figures, Measure, RegionCount, figures
from app.allocation.figures.survival import ObservedStay, survival
from app.allocation.shares.quarters import Quarter, last_closed_quarter, quarter_of
from app.database.transaction import Transaction
from app.ledger import household_counts
from app.ledger.household_counts import CountKey
from app.reference import load
from app.shares.quarter_figures import span_of
from app.shares.store import monitor_counts, monitor_rows
from app.shares.store.monitor_counts import CountRow, EndedRow, GoingOnRow, ProviderUseRow
from app.shares.store.monitor_rows import StalenessRow

SETTLED_DAYS = 7
"""The wait after a quarter's end before its release, as departures may be noted late."""
MOST_MOVES = 3
WAITING = ("within_hour", "within_day", "within_week", "longer")
YES, NO, NOT_COUNTED = "with", "without", "not_counted"
PERMILLE = 1000


async def count_day(tx: Transaction) -> None:
    """Count the use of places and the freshness of sites once a day: neither has a history."""
    policy = (await tx.snapshots.reference(tx)).policy
    stale_before = tx.at - timedelta(hours=policy.fresh_hours)
    await monitor_counts.count_day(tx, load().country.day_of(tx.at), stale_before=stale_before)


async def release_next_quarter(tx: Transaction) -> Quarter | None:
    """Release the oldest quarter that is due; return it, or None if all have been released."""
    due = await _due(tx)
    if due is not None:
        await _release(tx, due)
    return due


async def _due(tx: Transaction) -> Quarter | None:
    released = await monitor_rows.newest(tx)
    if released is not None:
        due = quarter_of(released).next
    else:
        first = await monitor_counts.first_referral(tx)
        if first is None:
            return None
        due = quarter_of(load().country.day_of(first))
    return (
        due if due <= last_closed_quarter(load().country.day_of(tx.at), days=SETTLED_DAYS) else None
    )


async def _release(tx: Transaction, quarter: Quarter) -> None:
    span = span_of(quarter)
    counted = await monitor_counts.count_quarter(tx, span)
    ended = await monitor_counts.ended_stays(tx, span)
    going_on = await monitor_counts.running_stays(tx, span)
    use = await monitor_counts.place_use(tx, span)
    households = await household_counts.read_quarter(tx, quarter)
    regions = sorted((await tx.snapshots.reference(tx)).regions)
    served = {
        region for card in (await tx.snapshots.providers(tx)).values() for region in card.regions
    }
    inflow = counted["inflow"]
    of_all = [
        *_of_counted_rows(counted),
        *_of_households(households, inflow),
        *_of_ended(ended),
        *_of_use(use),
    ]
    wanted = measures(not_counted=_count_missed(households, inflow) > 0)
    shown = await asyncio.to_thread(figures, wanted, of_all, regions=regions, served=served)
    documents = {
        region: {
            "counts": _without_families(counts),
            "stay": _curve(region, counts, ended=ended, going_on=going_on),
            "places": _places(use, region),
            "days_counted": max(
                (row.days for row in use if region in {COUNTRY, row.region}), default=0
            ),
        }
        for region, counts in shown.items()
    }
    await monitor_rows.release(
        tx, quarter.first, documents, staleness=[_staleness(quarter, row) for row in use]
    )
    await monitor_counts.forget_quarter(tx, span)


def measures(*, not_counted: bool) -> tuple[Measure, ...]:
    """Return every measure with every code there is: a missing code would look like zero.

    `not_counted`: whether some households of the quarter came before households were counted.
    """

    def codes(listed: str, *more: str) -> tuple[str, ...]:
        return (*sorted({*load().codes_of(listed), "other"}), *more)

    either = (YES, NO, NOT_COUNTED) if not_counted else (YES, NO)
    return (
        Measure("inflow", {"reason": codes("referral_reasons"), "children": either, "men": either}),
        Measure("throughflow"),
        Measure(
            "outflow",
            {
                "destination": codes("departure_destinations"),
                "stay": curves.CLASSES,
                "moves": tuple(_moves(moves) for moves in range(MOST_MOVES + 1)),
            },
        ),
        Measure("waiting", {"time": WAITING}, by_origin=True),
        Measure("overrides", {"code": codes("override_reasons", "none")}, by_origin=True),
        Measure("alternatives", {"kind": codes("alternative_kinds")}, by_origin=True),
        Measure("answers", {"code": codes("decline_reasons", "no_answer", "accepted")}),
        Measure("releases", {"code": codes("release_reasons")}, by_origin=True),
        Measure("blockers", {"code": codes("blockers")}),
        Measure("persons", {"who": ("children", "men")}, adds_up=False),
        Measure("target_groups", {"code": codes("target_groups")}, adds_up=False),
        Measure("occupied"),
    )


BREAKDOWNS = {
    "inflow": "reason",
    "waiting": "time",
    "overrides": "code",
    "alternatives": "kind",
    "answers": "code",
    "releases": "code",
    "blockers": "code",
}
"""The breakdown that the code of a counted row belongs to."""


def _of_counted_rows(by_measure: Mapping[str, Iterable[CountRow]]) -> Iterable[RegionCount]:
    for measure, rows in by_measure.items():
        for row in rows:
            codes = {} if row.code is None else {BREAKDOWNS[measure]: row.code}
            yield RegionCount(measure, row.region, row.provider, row.count, codes)


def _of_households(
    households: Mapping[CountKey, Mapping[str, int]], inflow: Iterable[CountRow]
) -> Iterable[RegionCount]:
    came = _count_inflow(inflow)
    for whose, sums in households.items():
        came[whose.region, str(whose.provider_id)] -= sums[household_counts.HOUSEHOLDS]
        yield from _of_sums(whose, sums)
    for (region, provider), left in came.items():
        if left > 0:
            yield RegionCount(
                "inflow", region, provider, left, dict.fromkeys(("children", "men"), NOT_COUNTED)
            )


def _of_sums(whose: CountKey, sums: Mapping[str, int]) -> Iterable[RegionCount]:
    region, provider = whose.region, str(whose.provider_id)
    for breakdown, name in (
        ("children", household_counts.WITH_CHILDREN),
        ("men", household_counts.WITH_MEN),
    ):
        without = sums[household_counts.HOUSEHOLDS] - sums[name]
        yield RegionCount("inflow", region, provider, sums[name], {breakdown: YES})
        yield RegionCount("inflow", region, provider, without, {breakdown: NO})
    for who in (household_counts.CHILDREN, household_counts.MEN):
        yield RegionCount("persons", region, provider, sums[who], {"who": who})
    for name in sums:
        if name.startswith(household_counts.OF_GROUP):
            code = name.removeprefix(household_counts.OF_GROUP)
            yield RegionCount("target_groups", region, provider, sums[name], {"code": code})


def _count_missed(
    households: Mapping[CountKey, Mapping[str, int]], inflow: Iterable[CountRow]
) -> int:
    return _count_inflow(inflow).total() - sum(
        sums[household_counts.HOUSEHOLDS] for sums in households.values()
    )


def _count_inflow(inflow: Iterable[CountRow]) -> Counter[tuple[str, str]]:
    came = Counter[tuple[str, str]]()
    for row in inflow:
        came[row.region, row.provider] += row.count
    return came


def _of_ended(ended: Iterable[EndedRow]) -> Iterable[RegionCount]:
    for row in ended:
        codes = {
            "destination": row.destination,
            "stay": curves.class_of(row.days),
            "moves": _moves(row.moves),
        }
        yield RegionCount("outflow", row.region, row.provider, row.count, codes)


def _without_families(counts: Figures) -> Figures:
    """Hide the number of children, or of men, if the number of their households is hidden."""
    hidden = [who for who in ("children", "men") if counts[f"inflow.{who}.{YES}"] is None]
    return counts | {f"persons.who.{who}": None for who in hidden}


def _moves(moves: int) -> str:
    return str(moves) if moves < MOST_MOVES else f"{MOST_MOVES}+"


def _of_use(use: Iterable[ProviderUseRow]) -> Iterable[RegionCount]:
    for row in use:
        yield RegionCount(
            "occupied", row.region, str(row.provider_id), round(row.in_use / row.days)
        )


def _places(use: Iterable[ProviderUseRow], region: str) -> int:
    return sum(round(row.places / row.days) for row in use if region in {COUNTRY, row.region})


def _curve(
    region: str,
    counts: Mapping[str, int | None],
    *,
    ended: Sequence[EndedRow],
    going_on: Sequence[GoingOnRow],
) -> dict[str, Any]:
    over = (
        ObservedStay(row.entered, row.days, ended=True, count=row.count)
        for row in ended
        if region in {COUNTRY, row.region}
    )
    on = (
        ObservedStay(row.entered, row.days, ended=False, count=row.count)
        for row in going_on
        if region in {COUNTRY, row.region}
    )
    shown = {name for name in curves.CLASSES if counts[f"outflow.stay.{name}"] is not None}
    found = curves.curve(survival([*over, *on]), shown=shown)
    return {
        "median_days": found.median_days,
        "points": [[point.days, point.staying_percent] for point in found.points],
    }


def _staleness(quarter: Quarter, row: ProviderUseRow) -> StalenessRow:
    stale, unknown = (number * PERMILLE // max(row.sites, 1) for number in (row.stale, row.unknown))
    return StalenessRow(quarter.first, row.provider_id, row.region, row.days, stale, unknown)
