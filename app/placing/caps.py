"""Caps: how many households of other regions a region takes at once, except for safety."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid4

from app.database import counters
from app.database.caller import Caller
from app.database.transaction import Transaction
from app.errors import Conflict, Fault, Forbidden, Invalid, Missing
from app.ledger.ledger import append_clear
from app.placing.store import cap_rows, hold_rows
from app.placing.store.cap_rows import CapRow
from app.placing.store.placement_rows import PlacementRow
from app.ranking import rankings
from app.reference import load

MONTHS = 3
"""The longest that a cap may be in force."""
AHEAD = timedelta(days=92)
"""The earliest before its first day that a cap may be set."""
CAP, WITHDRAWN = "cap", "withdrawn"
SAFETY = "safety"


@dataclass(frozen=True, slots=True)
class CapRequest:
    """A cap to be set, from today unless a first day is given, to the last day inclusive."""

    at_most: int
    reason: str
    first_day: date | None
    last_day: date


@dataclass(frozen=True, slots=True)
class CapView:
    """A cap, whether it is in force, and the nights it displaced in sealed quarters.

    `displaced_nights` is None if they are few, or if none of its quarters has been sealed.
    """

    cap: CapRow
    in_force: bool
    displaced_nights: int | None


async def set_cap(tx: Transaction, wanted: CapRequest) -> CapView:
    """Set a cap for the caller's region, and write its leaf in the ledger."""
    region = _region_of(tx.caller)
    first = wanted.first_day or load().country.day_of(tx.at)
    if faults := faults_of(tx, wanted):
        raise Invalid(*faults)
    begins_at = max(load().country.midnight(first), tx.at)
    ends_at = load().country.midnight(wanted.last_day + timedelta(days=1))
    # Of two caps set at once the second sees the first: the ledger's lock is always the last.
    await counters.lock(tx, "ledger")
    if await cap_rows.overlaps(tx, region, begins_at=begins_at, ends_at=ends_at):
        raise Conflict(
            "cap_overlaps", "Your region has a cap on one of these days: withdraw it first."
        )
    id_ = uuid4()
    content = _content(region, wanted.at_most, wanted.reason, (first, wanted.last_day))
    values = {
        "id": id_,
        "region": region,
        "at_most": wanted.at_most,
        "reason": wanted.reason,
        "first_day": first,
        "last_day": wanted.last_day,
        "begins_at": begins_at,
        "ends_at": ends_at,
        "account_id": tx.caller.account_id,
        "index": await append_clear(tx, leaf_type=CAP, content=content),
    }
    await cap_rows.add(tx, values)
    return await _view(tx, id_)


def faults_of(tx: Transaction, wanted: CapRequest) -> tuple[Fault, ...]:
    """Return the faults in the days of a cap to be set."""
    today = load().country.day_of(tx.at)
    return tuple(_faults_of_days(wanted.first_day or today, wanted.last_day, today=today))


async def withdraw_cap(tx: Transaction, cap_id: UUID) -> CapView:
    """End a cap of the caller's region now, and correct its leaf; again changes nothing."""
    cap = await cap_rows.read(tx, cap_id)
    if cap is None or cap.region != _region_of(tx.caller):
        raise Missing
    locked = await cap_rows.read(tx, cap_id, lock=True)
    if locked is not None and locked.withdrawn_at is None:
        today = load().country.day_of(tx.at)
        if locked.ends_at <= tx.at:
            raise Conflict("cap_is_over", "This cap is over already.")
        await cap_rows.withdraw(tx, cap_id, on=today)
        by = {"role": "auditor", "region": cap.region}
        said = _content(cap.region, cap.at_most, cap.reason, (cap.first_day, today))
        content = {**said, "corrects": cap.index, "by": by, "code": WITHDRAWN}
        await append_clear(tx, leaf_type="correction", content=content)
    return await _view(tx, cap_id)


async def list_for(
    tx: Transaction, *, region: str | None, limit: int, after: tuple[date, UUID] | None
) -> list[CapView]:
    """Return the caps of one or all regions, the latest to begin first."""
    rows = await cap_rows.list_for(tx, region=region, limit=limit, after=after)
    displaced = await displaced_nights(tx)
    return [CapView(row, row.holds(tx.at), displaced.get(str(row.id))) for row in rows]


async def displaced_nights(
    tx: Transaction, quarters: Sequence[str] | None = None
) -> Mapping[str, int | None]:
    """Return the nights each cap displaced in some or all sealed quarters; None if few."""
    sums: dict[str, int | None] = {}
    for displaced in await cap_rows.displaced_nights(tx, quarters):
        for cap_id, nights in displaced.items():
            before = sums.get(cap_id, 0)
            sums[cap_id] = None if before is None or nights is None else before + nights
    return sums


async def note_displacement(tx: Transaction, placement: PlacementRow, *, leaf: int) -> None:
    """Note which caps sent a household that does not flee to the region where it arrived.

    A cap did if the ranking by which it was placed left out places of another region only because
    of that cap.
    """
    if placement.reason == SAFETY:
        return
    hold = await hold_rows.read(tx, placement.hold_id, provider_id=placement.provider_id)
    recorded = None if hold is None else await rankings.read_sealed(tx, hold.ranking_id)
    if recorded is None or recorded[1] is None:
        return
    ranked = await rankings.recompute_ranking(tx, *recorded)
    left_out = sorted(
        {out.region for out in ranked.ranking.excluded if out.rule == CAP} - {placement.receiving}
    )
    await cap_rows.note_displacement(
        tx, leaf, await cap_rows.held_at(tx, left_out, at=ranked.as_of)
    )


async def _view(tx: Transaction, cap_id: UUID) -> CapView:
    row = await cap_rows.read(tx, cap_id)
    assert row is not None  # noqa: S101 - it was written or read in this transaction
    return CapView(row, row.holds(tx.at), (await displaced_nights(tx)).get(str(cap_id)))


def _faults_of_days(first: date, last: date, *, today: date) -> Iterator[Fault]:
    if not today <= first <= today + AHEAD:
        yield Fault("/from", f"must lie between today and {AHEAD.days} days ahead")
    if not first <= last < months_after(first):
        yield Fault("/until", f"must lie within {MONTHS} months from the first day")


def months_after(day: date) -> date:
    """Return the day three months later, or the first of the next month if there is none."""
    month = day.month - 1 + MONTHS
    year, month = day.year + month // 12, month % 12 + 1
    try:
        return day.replace(year=year, month=month)
    except ValueError:
        return date(year, month + 1, 1)


def _content(region: str, at_most: int, reason: str, days: tuple[date, date]) -> dict[str, object]:
    first, last = (day.isoformat() for day in days)
    return {
        "region": region,
        "at_most": at_most,
        "reason": reason,
        "first_day": first,
        "last_day": last,
    }


def _region_of(caller: Caller) -> str:
    if caller.region is None:
        raise Forbidden
    return caller.region


# --- for other rooms --------------------------------------------------------------------


async def list_within(tx: Transaction, first: date, last: date) -> list[CapRow]:
    """Return the caps in force on any day from one to another, the earliest to begin first."""
    return await cap_rows.list_between(tx, first, last)
