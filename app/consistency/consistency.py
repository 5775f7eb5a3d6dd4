"""Comparison of what is recorded twice: claims with holds, stays with leaves."""

from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID

import structlog

from app.allocation.ledger.agreement import LivedTime, disagreement
from app.consistency.store import discrepancy_rows, record_rows
from app.consistency.store.discrepancy_rows import DiscrepancyRow
from app.consistency.store.record_rows import TimeRow
from app.database import counters
from app.database.sealing import keys
from app.database.transaction import Transaction
from app.ledger import ledger
from app.reference import load
from app.referrals import referrals
from app.seal import DataKey, SealBroken

UNREADABLE, OVERLAP, SEALED = "leaf_unreadable", "stay_overlaps", "referral_unreadable"
CHECKED, PAST, LEAVES = "checked_until", "checked_past", "checked_leaves"
"""The heads that say how far the records have been compared: since the last time, in the pass over
all the past, and in the ledger."""
DAYS_AT_ONCE = 60
"""Days that one check reads, of those since the last one and of the past each."""
LEAVES_AT_ONCE = 2_000
DAY = timedelta(days=1)

Found = tuple[str, UUID]
"""A code, and the id of what it is about: a place, a hold, a placement or a stay."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Check:
    """What a check found anew, and whether there is more to compare at once."""

    new: tuple[Found, ...]
    more: bool


async def check_records(tx: Transaction) -> Check:
    """Compare the days and leaves since the last check, and some days of the past.

    Claims are compared as they are now, and so is what differed before. Each statement sees one
    moment of the database, and reads a day or what exists now: none reads a table that grows from
    end to end. Administrators are alarmed of the first that is new.
    """
    found = set(await record_rows.list_wrong_claims(tx))
    found |= {(SEALED, id_) for id_ in await referrals.list_unreadable(tx)}
    key = await keys.read(tx, keys.LEDGER)
    known = [one.subject for one in await discrepancy_rows.list_open(tx)]
    found |= set(_compare(await record_rows.list_times(tx, known), key))
    overlaps = await record_rows.list_overlaps(tx, known, zone=load().country.time_zone)
    found |= {(OVERLAP, id_) for id_ in overlaps}
    more = await _check_new(tx, found, key)
    await _check_past(tx, found, key)
    new = await discrepancy_rows.note(tx, sorted(found))
    if new:
        await alarm_administrators(tx, new)
    return Check(tuple(new), more)


async def alarm_administrators(tx: Transaction, new: Sequence[Found]) -> None:
    """Write to administrators, and log the first of what is new; their page has all of it."""
    await discrepancy_rows.mail_administrators(tx)
    code, subject = new[0]
    said = partial(log.error, "records_disagree", code=code, subject=str(subject), new=len(new))
    tx.after_commit.append(said)


async def _check_new(tx: Transaction, found: set[Found], key: DataKey) -> bool:
    """Compare the days and leaves since the last check; return whether some are left."""
    country, today = load().country, load().country.day_of(tx.at)
    last = await counters.moment(tx, CHECKED)
    first = (today if last is None else country.day_of(last)) - DAY
    until = min(today, first + DAYS_AT_ONCE * DAY)
    for day in days(first, until):
        found |= await compare_day(tx, day, key=key)
    await counters.note(tx, CHECKED, min(tx.at, country.midnight(until + DAY)))
    size = await counters.read(tx, "ledger")
    seen = await counters.read(tx, LEAVES) if last else size
    written = min(size, seen + LEAVES_AT_ONCE)
    found |= set(_compare(await record_rows.list_times_written(tx, seen, written), key))
    await counters.put(tx, LEAVES, written)
    return until < today or written < size


async def _check_past(tx: Transaction, found: set[Found], key: DataKey) -> None:
    """Compare the next days of the pass over all the past, which begins anew at its end."""
    began = await record_rows.first_arrival(tx)
    if began is None:
        return
    country = load().country
    reached = await counters.moment(tx, PAST)
    today = country.day_of(tx.at)
    first = country.day_of(began if reached is None or reached >= tx.at - DAY else reached)
    last = min(today, first + DAYS_AT_ONCE * DAY)
    for day in days(first, last):
        found |= await compare_day(tx, day, key=key)
    await counters.note(tx, PAST, country.midnight(last + DAY))


def days(first: date, last: date) -> Iterator[date]:
    """Yield the days from one to another."""
    while first <= last:
        yield first
        first += DAY


async def compare_day(tx: Transaction, day: date, *, key: DataKey) -> set[Found]:
    """Return what differs of the households that came or left on a local day."""
    country = load().country
    first, after = country.midnight(day), country.midnight(day + DAY)
    overlaps = await record_rows.list_overlaps_within(tx, first, after, zone=country.time_zone)
    times = await record_rows.list_times_within(tx, first, after)
    return {(OVERLAP, id_) for id_ in overlaps} | set(_compare(times, key))


def _compare(times: Iterable[TimeRow], key: DataKey) -> Iterator[Found]:
    for time in times:
        try:
            stay = ledger.opened_stay(
                time.began_with, list(zip(time.indexes, time.sealed, strict=True)), key=key
            )
        except SealBroken:
            yield UNREADABLE, time.began_with
            continue
        code = disagreement(
            LivedTime(time.cross_regional, _day(time.arrived_at), _day(time.departed_at)),
            arrival=None if stay is None else stay.states[stay.arrival],
            departure=None
            if stay is None or stay.departure is None
            else stay.states[stay.departure],
        )
        if code is not None:
            yield code, time.began_with


def _day(at: datetime | None) -> date | None:
    return None if at is None else load().country.day_of(at)


# --- for administrators and the operator ------------------------------------------------------


async def list_open(tx: Transaction) -> tuple[list[DiscrepancyRow], datetime | None]:
    """Return what differs, the newest first, and when the records were compared last."""
    return await discrepancy_rows.list_open(tx), await counters.moment(tx, CHECKED)


async def check_everything(tx: Transaction) -> AsyncGenerator[tuple[date | None, set[Found]]]:
    """Yield what differs now, and then day by day from the first arrival on; note nothing."""
    unreadable = {(SEALED, id_) for id_ in await referrals.list_unreadable(tx)}
    yield None, unreadable | set(await record_rows.list_wrong_claims(tx))
    began = await record_rows.first_arrival(tx)
    if began is None:
        return
    key = await keys.read(tx, keys.LEDGER)
    country = load().country
    for day in days(country.day_of(began), country.day_of(tx.at)):
        yield day, await compare_day(tx, day, key=key)
