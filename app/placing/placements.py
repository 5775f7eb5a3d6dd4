"""Placements: under way, arrived, ended; with the ledger's leaves where they are due."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from app.allocation.ledger.stays import StayArrival, leaves_due
from app.database import access_log, outbox
from app.database.transaction import Transaction
from app.errors import Conflict, Fault, Forbidden, Invalid, Missing, Unreadable
from app.ledger import household_counts, ledger
from app.ledger.household_counts import CountedArrival
from app.placing import caps, holds, referral_changes
from app.placing.agreements import plan_return
from app.placing.stays import reason_of
from app.placing.store import hold_changes, hold_rows, placement_rows
from app.placing.store.placement_rows import PlacementRow
from app.placing.swaps import swap_course
from app.reference import load
from app.referrals import referrals

ONWARD = "follow_on_place"
"""The destination of a household that leaves for its next place in a swap."""
RETURN_BY, READY, EXPECTED = "return_by", "ready_to_leave_since", "expected_at"
LEAVING = "expected_departure"
EITHER = frozenset({RETURN_BY, EXPECTED})
"""The plans that either side may change."""
GIVE_BACK = "give_back"
"""The action of the access log for a place given back whose address was seen."""
OTHERS_THERE = "must not lie while another household had the place, or this one another"


@dataclass(frozen=True, slots=True)
class RecordedPlacement:
    """A placement after an act, with the index of the leaf that the act wrote, if any."""

    placement: PlacementRow
    ledger_leaf: int | None = None


async def read(tx: Transaction, placement_id: UUID, *, lock: bool = False) -> PlacementRow:
    """Return a placement that the caller's provider sent or received; locked if asked."""
    row = await placement_rows.read(tx, placement_id, provider_id=tx.caller.provider, lock=lock)
    if row is None:
        raise Missing
    return row


async def list_for(
    tx: Transaction,
    *,
    status: str | None,
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[PlacementRow]:
    """Return the placements that the caller's provider sent or received, newest first."""
    return await placement_rows.list_for(
        tx, tx.caller.provider, status=status, limit=limit, after=after
    )


async def list_awaited_sent(tx: Transaction) -> list[PlacementRow]:
    """Return the placements that the caller's provider sent and that may still arrive."""
    return await placement_rows.list_awaited_sent(tx, tx.caller.provider)


async def list_left(tx: Transaction, *, since: datetime) -> list[PlacementRow]:
    """Return placements that ended with the caller's provider since a moment, newest first."""
    return await placement_rows.list_left(tx, tx.caller.provider, since=since)


async def newest_of(tx: Transaction, referral_id: UUID) -> PlacementRow | None:
    """Return the newest placement of a referral that the caller's provider sent."""
    return await placement_rows.newest_of(tx, referral_id, provider_id=tx.caller.provider)


async def households_received(
    tx: Transaction, rows: Iterable[PlacementRow]
) -> Mapping[UUID, Mapping[str, Any]]:
    """Return what is known of the households coming to or living at the caller's provider.

    Placements that are over, and those the caller's provider does not receive, have no entry.
    """
    received = [
        row
        for row in rows
        if row.receiver_id == tx.caller.provider and (row.awaited or row.status == "arrived")
    ]
    known = await referrals.read_content(tx, {row.referral_id for row in received})
    return {row.id: known[row.referral_id] for row in received if row.referral_id in known}


async def record_arrival(
    tx: Transaction, placement_id: UUID, *, arrived_at: datetime | None = None
) -> RecordedPlacement:
    """Record that a household has arrived, and so has left the place before it, if any.

    It may have been some of the policy's hours ago, also before it was confirmed. It may arrive
    after a no-show too, until the sender has made sure that it is safe. The ledger gets leaves
    where its time at a provider in another region begins or ends.
    """
    swap = await swap_course.lock_swap_of(tx, placement_id)
    placement = await _lock_received(tx, placement_id)
    if not placement.awaited:
        raise _not("underway")
    if not await hold_changes.has_place(tx, placement_id):
        raise Conflict("place_occupied", "Whoever lives there has not left yet.")
    if placement.status != "underway":
        await _expect_again(tx, placement)
    at = tx.at if arrived_at is None else await _checked_arrival(tx, placement_id, at=arrived_at)
    placement = await _take_facts(tx, placement)
    left, left_at = await _leave_previous(tx, placement, at=at)
    if arrived_at is not None and left_at > at:
        raise Invalid(Fault("/arrivedAt", OTHERS_THERE))
    at = left_at
    due = leaves_due(StayArrival(left_inside=left, cross_regional=placement.cross_regional))
    if due.departure:
        swap_id = None if swap is None else swap.row.id
        await ledger.record_departure(tx, placement.began_with, at=at, swap_id=swap_id)
    arrived: dict[str, Any] = {"status": "arrived", "arrived_at": at}
    if not left:
        arrived |= {"began_id": None, READY: None}
    if not await placement_rows.change(tx, placement_id, expected="underway", values=arrived):
        raise _not("underway")
    now = await notify_providers(tx, placement_id, freed=False)
    leaf = await _begin(tx, now, leaf_due=due.arrival)
    await swap_course.note_arrival(tx, swap, placement_id)
    return RecordedPlacement(now, leaf)


async def _leave_previous(
    tx: Transaction, placement: PlacementRow, *, at: datetime
) -> tuple[bool | None, datetime]:
    """End the placement that they leave, if any; return whether it was inside, and the moment.

    The moment is a later one where they were elsewhere until then.
    """
    left = None
    if placement.previous_id is not None:
        left = await hold_changes.leave_previous(tx, placement.id, at=at)
    around = await placement_rows.days_around(tx, placement.id)
    return left, max(at, around.left_before or at)


async def _checked_arrival(tx: Transaction, placement_id: UUID, *, at: datetime) -> datetime:
    """Return the moment of an arrival in the past; Invalid for one that cannot be."""
    hours = (await tx.snapshots.reference(tx)).policy.arrival_back_hours
    if not tx.at - timedelta(hours=hours) <= at <= tx.at:
        raise Invalid(
            Fault("/arrivedAt", "must lie in the past, and not longer ago than the policy's hours")
        )
    if not await placement_rows.could_be_there(tx, placement_id, at=at):
        raise Invalid(Fault("/arrivedAt", OTHERS_THERE))
    return at


async def _take_facts(tx: Transaction, placement: PlacementRow) -> PlacementRow:
    """Note where they come from, why, and in which region the site is, as is known now.

    Each may have been corrected since they were confirmed. A stay keeps the origin with which it
    began, and its reason where they go on to the next place.
    """
    reference = await tx.snapshots.reference(tx)
    referral = await referrals.read_sealed(tx, placement.referral_id)
    assert referral is not None  # noqa: S101 - a foreign key says so
    municipality = await placement_rows.municipality_of(tx, placement.site_id)
    origin = referral.origin if placement.previous_id is None else placement.origin
    home, receiving = map(reference.region_of, (origin, municipality))
    facts = {
        "origin": origin,
        "origin_region": home,
        "receiving": receiving,
        "cross_regional": home != receiving,
        "reason": reason_of(referral, placement),
    }
    known = replace(placement, **facts)
    if known != placement:
        await placement_rows.change(tx, placement.id, expected="underway", values=facts)
    return known


async def _expect_again(tx: Transaction, placement: PlacementRow) -> None:
    """Take back a no-show, and check again that the household is safe there."""
    again = await placement_rows.expect_again(tx, placement.id)
    if again is None:
        raise Conflict(
            "already_moving_on", "They went on to another place: record first what became of that."
        )
    if not again:
        raise _not("underway")
    row = await referrals.read_sealed(tx, placement.referral_id)
    if row is not None and row.key is not None:
        with suppress(Unreadable):
            await referral_changes.recheck_place(tx, referrals.unseal(tx, row))


async def _begin(tx: Transaction, now: PlacementRow, *, leaf_due: bool) -> int | None:
    """Write the leaf and the counts of a beginning; return the leaf's index.

    What a cap displaced is noted already where a stay that was taken back begins again.
    """
    leaf = await _write_leaf(tx, now) if leaf_due else None
    if now.previous_id is None:
        await household_counts.count_household(tx, counted_arrival(now))
    if leaf is not None and now.arrival_withdrawn_at is None:
        await caps.note_displacement(tx, now, leaf=leaf)
    return leaf


def counted_arrival(placement: PlacementRow) -> CountedArrival:
    """Return the arrival with which a stay begins, as the sums of households count it."""
    assert placement.arrived_at is not None  # noqa: S101 - they have arrived
    return CountedArrival(
        placement.referral_id, placement.arrived_at, placement.receiver_id, placement.receiving
    )


async def _write_leaf(tx: Transaction, placement: PlacementRow) -> int:
    hold = await hold_rows.read(tx, placement.hold_id, provider_id=placement.provider_id)
    assert hold is not None  # noqa: S101 - a foreign key says so
    begun = ledger.StayBeginning(
        placement_id=placement.id,
        referral_id=placement.referral_id,
        ranking_id=hold.ranking_id,
        swap_id=hold.swap_id,
        origin=placement.origin_region,
        receiving=placement.receiving,
        kind=placement.kind,
        reason=placement.reason,
        ready_since=placement.ready_to_leave_since,
    )
    assert placement.arrived_at is not None  # noqa: S101 - they have just arrived
    return await ledger.record_arrival(tx, begun, at=placement.arrived_at)


async def record_no_show(
    tx: Transaction, placement_id: UUID, *, safety_checked: bool
) -> PlacementRow:
    """Record a no-show; the place is kept until the sender has made sure that they are safe."""
    swap = await swap_course.lock_swap_of(tx, placement_id)
    placement = await read(tx, placement_id, lock=True)
    if safety_checked and placement.provider_id != tx.caller.provider:
        raise Forbidden("Only the provider that sent them can say that they are safe.")
    if placement.status not in {"underway", "no_show"}:
        raise _not("underway")
    if placement.status == "underway":
        await placement_rows.change(
            tx,
            placement_id,
            expected="underway",
            values={"status": "no_show", "no_show_at": tx.at},
        )
    if safety_checked and placement.safety_checked_at is None:
        await placement_rows.change(
            tx, placement_id, expected="no_show", values={"safety_checked_at": tx.at}
        )
        await hold_changes.free(tx, placement_id)
        # A household that was to move within its stay still lives where it lived.
        lives = await placement_rows.lives_somewhere(tx, placement.referral_id)
        await referrals.set_status(tx, placement.referral_id, "placed" if lives else "open")
        await swap_course.note_no_show(tx, swap, placement_id)
        await _tell_of_seen_address(tx, placement)
    return await notify_providers(tx, placement_id, freed=safety_checked)


async def _tell_of_seen_address(tx: Transaction, placement: PlacementRow) -> None:
    """Tell a site's owner that nobody comes to an address that the sender has seen."""
    if placement.receiver_id == tx.caller.provider:
        return
    if not await placement_rows.address_was_seen(tx, placement.site_id, placement.referral_id):
        return
    entry = tx.caller.entry(
        GIVE_BACK, "site", placement.site_id, referral_ids=(placement.referral_id,)
    )
    await access_log.add_notice(tx, entry, provider_id=placement.receiver_id)


async def note_plans(
    tx: Transaction, placement_id: UUID, *, changes: Mapping[str, Any]
) -> PlacementRow:
    """Note plans for a departure, as the receiver; for arrival or return, as either side.

    In another region the day since which they are ready to leave gets a leaf.
    """
    placement = await read(tx, placement_id, lock=True)
    if placement.receiver_id != tx.caller.provider and not (changes and changes.keys() <= EITHER):
        raise Missing
    if not placement.live:
        raise Conflict("placement_status", "This placement is not underway or arrived.")
    await _check_days(tx, placement, changes)
    changes = {**changes, **_check_plans(tx, placement, changes)}
    if changes:
        await placement_rows.change(tx, placement_id, expected=placement.status, values=changes)
    if "blockers" in changes:
        await placement_rows.note_blockers(tx, placement_id, codes=changes["blockers"])
    now = await notify_providers(tx, placement_id, freed=False)
    if READY in changes:
        await _note_ready(tx, placement, since=changes[READY])
    return now


async def _check_days(tx: Transaction, placement: PlacementRow, changes: Mapping[str, Any]) -> None:
    """Check the days of a departure to come; those that stay as they were are not asked again."""
    day_of, faults = load().country.day_of, list[Fault]()
    ready, leaving = (
        None if changes.get(name) == getattr(placement, name) else changes.get(name)
        for name in (READY, LEAVING)
    )
    if ready is not None:
        began = (await placement_rows.days_around(tx, placement.id)).began_at
        arrived = began if placement.status == "arrived" else None
        if arrived is None or not day_of(arrived) <= ready <= day_of(tx.at):
            faults.append(Fault("/readyToLeaveSince", "must lie between the arrival and today"))
    if leaving is not None and leaving < day_of(placement.arrived_at or tx.at):
        faults.append(Fault("/expectedDeparture", "must not lie before the arrival"))
    if faults:
        raise Invalid(*faults)


def _check_plans(
    tx: Transaction, placement: PlacementRow, changes: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Check the plans that either side may change; return what follows from them."""
    follows: dict[str, Any] = {}
    if EXPECTED in changes:
        if placement.status != "underway":
            raise _not("underway")
        if changes[EXPECTED] is None or changes[EXPECTED] <= tx.at:
            raise Invalid(Fault("/expectedAt", "must lie ahead"))
    if RETURN_BY in changes:
        follows |= plan_return(
            changes[RETURN_BY], reason=placement.reason, cross_regional=placement.cross_regional
        )
    return follows


async def _note_ready(tx: Transaction, placement: PlacementRow, *, since: date | None) -> None:
    await placement_rows.note_ready(tx, placement.id, since=since)
    if placement.status == "arrived":
        await ledger.record_ready(
            tx, placement.began_with, receiving=placement.receiving, since=since
        )


@dataclass(frozen=True, slots=True)
class DepartureReport:
    """Where a household went, what had delayed it, and when it left; no time means now."""

    destination: str
    blockers: tuple[str, ...]
    departed_at: datetime | None


async def record_departure(
    tx: Transaction, placement_id: UUID, *, leaving: DepartureReport
) -> RecordedPlacement:
    """End a placement and free its place; in another region the ledger gets its leaf."""
    swap = await swap_course.lock_swap_of(tx, placement_id)
    placement = await _lock_received(tx, placement_id)
    if placement.status != "arrived" or placement.arrived_at is None:
        raise _not("arrived")
    latest = max(tx.at, placement.arrived_at)
    at = leaving.departed_at or latest
    around = await placement_rows.days_around(tx, placement_id)
    if not (placement.arrived_at <= at <= latest and around.hold(at)):
        raise Invalid(Fault("/departedAt", "must lie between the arrival and now"))
    changes = {
        "status": "ended",
        "departed_at": at,
        "destination": leaving.destination,
        "blockers": list(leaving.blockers),
    }
    leg = None if swap is None else swap.departing_leg(placement_id)
    goes_on = leg is not None and leg.next_id is not None and leaving.destination == ONWARD
    # The referral first: the receiver may change it only while the placement is live.
    if not goes_on:
        await referrals.set_status(tx, placement.referral_id, "ended")
    await placement_rows.change(tx, placement_id, expected="arrived", values=changes)
    await hold_changes.free(tx, placement_id)
    await swap_course.note_departure(tx, swap, placement_id, goes_on=goes_on)
    now = await notify_providers(tx, placement_id, freed=True)
    swap_id = swap.row.id if swap is not None and goes_on else None
    leaf = await ledger.record_departure(tx, placement.began_with, at=at, swap_id=swap_id)
    return RecordedPlacement(now, leaf)


async def notify_providers(tx: Transaction, placement_id: UUID, *, freed: bool) -> PlacementRow:
    """Tell both providers that a placement changed, and that its place was freed; return it."""
    row = await read(tx, placement_id)
    await outbox.add(
        tx, kind="placement", subject=str(row.id), audience=[row.provider_id, row.receiver_id]
    )
    if freed:
        await holds.notify_availability(tx, site_id=row.site_id, owner_id=row.receiver_id)
    return row


async def _lock_received(tx: Transaction, placement_id: UUID) -> PlacementRow:
    row = await read(tx, placement_id, lock=True)
    if row.receiver_id != tx.caller.provider:
        raise Missing
    return row


def _not(status: str) -> Conflict:
    return Conflict(
        "placement_status", "This placement is not %(placement_status)s.", placement_status=status
    )
