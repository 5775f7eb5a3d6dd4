"""Placements: from a confirmed hold to arrival, and to the end of the stay; with the ledger's leaf where it is due."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from app.allocation.safety import active_zones, lawful_rooms
from app.errors import Conflict, Fault, Forbidden, Invalid, Missing
from app.seal import Keyring
from app.services import holds as hold_acts
from app.services import ledger, referrals
from app.services import rankings as ranking_acts
from app.services.caller import Caller
from app.store import holds, outbox, placements, transitions
from app.store import referrals as referral_rows
from app.store.database import Transaction
from app.store.holds import HoldRow
from app.store.placements import PlacementRow

CLOSED_HOLD = {
    "pending": ("not_accepted", "The receiving provider has not accepted yet."),
    "declined": ("not_accepted", "The receiving provider declined."),
    "no_answer": ("not_accepted", "The receiving provider did not answer in time."),
    "expired": ("hold_expired", "This hold has run out."),
    "released": ("hold_expired", "This hold was released."),
    "placed": ("already_placed", "This hold became a placement."),
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """A placement after an act, with the ledger's leaf that the act wrote, if any."""

    placement: PlacementRow
    ledger_leaf: int | None = None


async def confirm(
    tx: Transaction, caller: Caller, hold_id: UUID, *, expected_at: datetime | None, keyring: Keyring
) -> PlacementRow:
    """Confirm an accepted hold: the household is on its way."""
    hold = await holds.read(tx, hold_id, provider_id=caller.provider, lock=True)
    if hold is None or hold.provider_id != caller.provider:
        raise Missing
    if hold.status != "accepted":
        raise Conflict(*CLOSED_HOLD[hold.status])
    await _check_still_safe(tx, hold, keyring=keyring)
    placement = await _new(tx, hold, expected_at=expected_at)
    await placements.add(tx, placement)
    if not await transitions.confirm(tx, hold_id, placement_id=placement["id"]):
        raise Conflict(*CLOSED_HOLD["expired"])
    await outbox.add(tx, kind="hold", subject=str(hold_id), audience=[hold.provider_id, hold.receiver_id])
    return await _told(tx, caller, placement["id"], freed=False)


async def _new(tx: Transaction, hold: HoldRow, *, expected_at: datetime | None) -> Mapping[str, Any]:
    referral = await referral_rows.read(tx, hold.referral_id)
    assert referral is not None  # noqa: S101 - a foreign key says so
    reference = await tx.snapshots.reference(tx)
    origin = reference.region_of(referral.origin)
    receiving = reference.region_of(await placements.municipality_of(tx, hold.site_id))
    return {
        "id": uuid4(),
        "stay_id": uuid4(),
        "referral_id": hold.referral_id,
        "hold_id": hold.id,
        "provider_id": hold.provider_id,
        "receiver_id": hold.receiver_id,
        "place_id": hold.place_id,
        "site_id": hold.site_id,
        "kind": hold.kind,
        "reason": referral.reason,
        "origin": referral.origin,
        "origin_region": origin,
        "receiving": receiving,
        "cross_regional": origin != receiving,
        "expected_at": expected_at,
    }


async def _check_still_safe(tx: Transaction, hold: HoldRow, *, keyring: Keyring) -> None:
    """Refuse where a danger zone that became known after the ranking reaches the place."""
    row = await referral_rows.read(tx, hold.referral_id)
    assert row is not None  # noqa: S101 - a foreign key says so
    reference = await tx.snapshots.reference(tx)
    site = await placements.municipality_of(tx, hold.site_id)
    need = referrals.need_of(referrals.opened(tx, row, keyring).content, reference)
    zones = active_zones(need, as_of=tx.at, policy=reference.policy)
    if not lawful_rooms(
        (site,),
        zones=zones,
        clearances=ranking_acts.clearances_of(need, reference=reference, municipalities=(site,)),
        ample_margin_km=reference.policy.ample_margin_km,
    ):
        raise Conflict("no_longer_safe", "What is known of the danger has changed: this place is too near. Rank again.")


async def read(tx: Transaction, caller: Caller, placement_id: UUID, *, lock: bool = False) -> PlacementRow:
    """Return a placement that the caller's provider sent or received; locked against changes if asked."""
    row = await placements.read(tx, placement_id, provider_id=caller.provider, lock=lock)
    if row is None:
        raise Missing
    return row


async def listed(
    tx: Transaction, caller: Caller, *, status: str | None, limit: int, after: tuple[datetime, UUID] | None
) -> list[PlacementRow]:
    """Return the placements that the caller's provider sent or received, newest first."""
    return await placements.listed(tx, caller.provider, status=status, limit=limit, after=after)


async def arrive(tx: Transaction, caller: Caller, placement_id: UUID, *, keyring: Keyring) -> Recorded:
    """Record that the household has arrived; in another region the ledger gets its leaf with it."""
    placement = await _received(tx, caller, placement_id)
    if not await placements.change(
        tx, placement_id, expected="underway", values={"status": "arrived", "arrived_at": tx.at}
    ):
        raise _not("underway")
    now = await _told(tx, caller, placement_id, freed=False)
    leaf = None
    if placement.cross_regional:
        leaf = await ledger.record_arrival(tx, placement, at=tx.at, keyring=keyring)
    return Recorded(now, leaf)


async def no_show(tx: Transaction, caller: Caller, placement_id: UUID, *, safety_checked: bool) -> PlacementRow:
    """Record that the household did not come; the place is kept until the sender has made sure that they are safe."""
    placement = await read(tx, caller, placement_id, lock=True)
    if safety_checked and placement.provider_id != caller.provider:
        raise Forbidden("Only the provider that sent them can say that they are safe.")
    if placement.status not in {"underway", "no_show"}:
        raise _not("underway")
    if placement.status == "underway":
        await placements.change(
            tx, placement_id, expected="underway", values={"status": "no_show", "no_show_at": tx.at}
        )
    if safety_checked and placement.safety_checked_at is None:
        await placements.change(tx, placement_id, expected="no_show", values={"safety_checked_at": tx.at})
        await transitions.free(tx, placement_id)
        await referral_rows.set_status(tx, placement.referral_id, "open")
    return await _told(tx, caller, placement_id, freed=safety_checked)


async def note(tx: Transaction, caller: Caller, placement_id: UUID, *, changes: Mapping[str, Any]) -> PlacementRow:
    """Note what is known of a departure to come."""
    placement = await _received(tx, caller, placement_id)
    if placement.status not in {"underway", "arrived"}:
        raise _not("underway or arrived")
    if changes:
        await placements.change(tx, placement_id, expected=placement.status, values=changes)
    return await _told(tx, caller, placement_id, freed=False)


@dataclass(frozen=True, slots=True)
class Leaving:
    """How a stay ended: where to, what delayed it, and when; no time means now."""

    destination: str
    blockers: tuple[str, ...]
    departed_at: datetime | None


async def depart(
    tx: Transaction, caller: Caller, placement_id: UUID, *, leaving: Leaving, keyring: Keyring
) -> Recorded:
    """End a stay: the place is free again, and in another region the ledger gets its leaf."""
    placement = await _received(tx, caller, placement_id)
    if placement.status != "arrived" or placement.arrived_at is None:
        raise _not("arrived")
    at = leaving.departed_at or tx.at
    if not placement.arrived_at <= at <= tx.at:
        raise Invalid(Fault("/departedAt", "must lie between the arrival and now"))
    changes = {
        "status": "ended",
        "departed_at": at,
        "destination": leaving.destination,
        "blockers": list(leaving.blockers),
    }
    # The referral first: the receiver may change it only while the placement lives.
    await referral_rows.set_status(tx, placement.referral_id, "ended")
    await placements.change(tx, placement_id, expected="arrived", values=changes)
    await transitions.free(tx, placement_id)
    now = await _told(tx, caller, placement_id, freed=True)
    leaf = None
    if placement.cross_regional:
        leaf = await ledger.record_departure(tx, placement, at=at, keyring=keyring)
    return Recorded(now, leaf)


async def _told(tx: Transaction, caller: Caller, placement_id: UUID, *, freed: bool) -> PlacementRow:
    row = await read(tx, caller, placement_id)
    await outbox.add(tx, kind="placement", subject=str(row.id), audience=[row.provider_id, row.receiver_id])
    if freed:
        await hold_acts.tell_availability(tx, site_id=row.site_id, owner_id=row.receiver_id)
    return row


async def _received(tx: Transaction, caller: Caller, placement_id: UUID) -> PlacementRow:
    row = await read(tx, caller, placement_id, lock=True)
    if row.receiver_id != caller.provider:
        raise Missing
    return row


def _not(status: str) -> Conflict:
    return Conflict("placement_status", f"This placement is not {status}.")
