"""Holds: accept, decline, release or renew a place that is kept for a referral."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.database import outbox
from app.database.transaction import Transaction
from app.errors import Conflict, Missing
from app.placing import incoming_household, place_check
from app.placing.store import hold_changes, hold_rows, placement_rows
from app.placing.store.hold_rows import HoldRow
from app.referrals import referrals
from app.words import N_

UNSAFE_SITE = N_(
    "Nobody is safe at this site any more: decline, so that another place is found for them."
)
UNSAFE_THERE = N_(
    "By what is known of the danger they are not safe here: decline, so that another place is"
    " found for them."
)
"""Why a place is not accepted."""
NOT_TAKEN_BACK = {
    "not_declined": N_("Nobody declined this hold."),
    "referral_not_open": N_("They do not look for a place any more: nothing is taken back."),
}
"""Why a decline is not taken back."""


@dataclass(frozen=True, slots=True)
class HoldView:
    """A hold as one of its sides sees it.

    `shared` is what the receiver may know of the household.
    """

    id: UUID
    status: str
    referral_id: UUID
    reference: str | None
    sender_id: UUID
    provider_id: UUID
    kind: str
    rank: int | None
    override_reason: str | None
    reason: str | None
    accepted_by: str | None
    created_at: datetime
    expires_at: datetime
    renewals_left: int
    shared: Mapping[str, Any] | None = None
    site_id: UUID | None = None
    """For the receiver alone."""
    place_id: UUID | None = None
    """For the receiver."""
    unsafe_since: datetime | None = None
    """Since when the known danger forbids this place."""
    decline_withdrawn_at: datetime | None = None
    """When its decline was taken back."""
    swap_id: UUID | None = None
    """The swap that the place is kept for: the receiver consents to it or refuses it."""


_SHARED = (
    "id",
    "status",
    "referral_id",
    "kind",
    "reason",
    "accepted_by",
    "created_at",
    "expires_at",
    "renewals_left",
    "unsafe_since",
    "decline_withdrawn_at",
    "swap_id",
)
"""The fields of a hold that both sides see alike."""


async def read(tx: Transaction, hold_id: UUID) -> HoldView:
    """Return a hold that the caller's provider sent or received."""
    row = await hold_rows.read(tx, hold_id, provider_id=tx.caller.provider)
    if row is None:
        raise Missing
    return await _view(tx, row)


async def list_for(
    tx: Transaction,
    *,
    status: str | None,
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[HoldView]:
    """Return the holds that the caller's provider sent or received, newest first."""
    rows = await hold_rows.list_for(tx, tx.caller.provider, status=status, limit=limit, after=after)
    return [await _view(tx, row) for row in rows]


async def list_live_sent(tx: Transaction) -> list[HoldRow]:
    """Return the live holds that the caller's provider asked for, the first to expire first."""
    return await hold_rows.list_live_sent(tx, tx.caller.provider)


async def newest_of(tx: Transaction, referral_id: UUID) -> HoldRow | None:
    """Return the newest hold of a referral of the caller's provider, live or over."""
    return await hold_rows.newest_of(tx, referral_id, provider_id=tx.caller.provider)


async def accept_hold(tx: Transaction, hold_id: UUID) -> HoldView:
    """Accept a household, as a person at the receiving provider.

    The answer is kept for repeats, so it does not say who is coming: a live hold does.
    """
    row = await _lock_received(tx, hold_id)
    _check(row, {"pending"})
    policy = (await tx.snapshots.reference(tx)).policy
    until = tx.at + timedelta(minutes=policy.hold_minutes)
    if not await hold_changes.keep(tx, hold_id, until=until, accepted_by="person", renewal=False):
        raise _ran_out()
    await _check_safe(tx, row)
    await _notify(tx, row)
    return replace(await read(tx, hold_id), shared=None)


async def _check_safe(tx: Transaction, row: HoldRow) -> None:
    """Refuse a place where the household would not be safe by what is known now.

    The referral is locked: a danger that becomes known after this finds the hold accepted, and
    raises the alarm.
    """
    referral = await referrals.read_sealed(tx, row.referral_id)
    if referral is None:  # the receiver sees it only while the hold is live
        raise _ran_out()
    now = await place_check.check_place(tx, row.place_id, referrals.unseal(tx, referral).content)
    place_check.refuse_unsafe(now, site=UNSAFE_SITE, danger=UNSAFE_THERE, rules=now.unsafe)


async def decline_hold(tx: Transaction, hold_id: UUID, *, reason: str) -> HoldView:
    """Decline a household, as the receiving provider, with a coded reason; free the place.

    What a person accepted can be declined for the policy's minutes, and as long as it is unsafe.
    """
    row = await _lock_received(tx, hold_id)
    _check(row, {"pending", "accepted"})
    policy = (await tx.snapshots.reference(tx)).policy
    if row.stands_since(tx.at - timedelta(minutes=policy.acceptance_minutes)):
        raise Conflict(
            "acceptance_stands",
            "A person here accepted this more than %(minutes)s minutes ago, and they may be on"
            " their way: call the desk that sends them.",
            minutes=policy.acceptance_minutes,
        )
    return await _resolve(tx, row, status="declined", reason=reason)


async def withdraw_decline(tx: Transaction, hold_id: UUID) -> HoldView:
    """Take a decline back, as the receiving provider, while the referral is open.

    The hold stays declined, and its place free; the site bars the referral no more. Again changes
    nothing.
    """
    answer = await hold_changes.withdraw_decline(tx, hold_id)
    if answer == "missing":
        raise Missing
    if answer != "withdrawn":
        raise Conflict(answer, NOT_TAKEN_BACK[answer])
    return await read(tx, hold_id)


async def release_hold(tx: Transaction, hold_id: UUID, *, reason: str | None) -> HoldView:
    """Give a place back, as the provider that asked for it."""
    row = await _lock_sent(tx, hold_id)
    _check(row, {"pending", "accepted"})
    return await _resolve(tx, row, status="released", reason=reason)


async def discard_hold(tx: Transaction, hold_id: UUID) -> None:
    """Give a place back if it is still held; a hold that is over stays as it is."""
    row = await _lock_sent(tx, hold_id)
    if row.status == "placed":
        raise Conflict("already_placed", "This hold became a placement.")
    if row.live:
        with suppress(Conflict):  # it ran out a moment ago, and is over all the same
            await _resolve(tx, row, status="released", reason=None)


async def renew_hold(tx: Transaction, hold_id: UUID) -> HoldView:
    """Keep a place longer, as the provider that asked for it, as often as the policy allows."""
    row = await _lock_sent(tx, hold_id)
    _check(row, {"pending", "accepted"})
    if row.renewals_left == 0:
        raise Conflict(
            "renewals_spent", "This hold has been renewed as often as the policy allows."
        )
    policy = (await tx.snapshots.reference(tx)).policy
    minutes = policy.answer_minutes if row.status == "pending" else policy.hold_minutes
    until = max(tx.at + timedelta(minutes=minutes), row.expires_at)
    if not await hold_changes.keep(tx, hold_id, until=until, accepted_by=None, renewal=True):
        raise _ran_out()
    await _notify(tx, row)
    return await read(tx, hold_id)


async def sweep_holds(tx: Transaction) -> int:
    """Note the holds that ran out and tell their sides; nothing else depends on this."""
    lapsed = await hold_changes.sweep(tx)
    if lapsed:
        tx.wrote_outbox()
    return lapsed


async def release_for_withdrawal(tx: Transaction, hold_id: UUID) -> None:
    """Release the live hold of a referral that is being withdrawn."""
    row = await _lock_sent(tx, hold_id)
    await hold_changes.resolve(tx, row.id, status="released", reason=None)
    await _notify(tx, row, freed=True)


async def _resolve(tx: Transaction, row: HoldRow, *, status: str, reason: str | None) -> HoldView:
    if not await hold_changes.resolve(tx, row.id, status=status, reason=reason):
        raise _ran_out()
    await _notify(tx, row, freed=True)
    return await read(tx, row.id)


async def _lock_received(tx: Transaction, hold_id: UUID) -> HoldRow:
    return await _lock(tx, hold_id, side="receiver_id")


async def _lock_sent(tx: Transaction, hold_id: UUID) -> HoldRow:
    return await _lock(tx, hold_id, side="provider_id")


async def _lock(tx: Transaction, hold_id: UUID, *, side: str) -> HoldRow:
    row = await hold_rows.read(tx, hold_id, provider_id=tx.caller.provider, lock=True)
    if row is None or getattr(row, side) != tx.caller.provider:
        raise Missing
    if row.swap_id is not None and row.live:
        raise part_of_swap()
    return row


def part_of_swap() -> Conflict:
    """Return the refusal of an act on a hold that belongs to a swap: nobody acts on it alone."""
    return Conflict("part_of_swap", "This place is kept for a swap: consent to that, or refuse it.")


def _check(row: HoldRow, allowed: set[str]) -> None:
    if row.status in allowed:
        return
    if row.status in {"expired", "no_answer"}:
        raise _ran_out()
    raise Conflict("hold_resolved", "This hold is %(hold_status)s.", hold_status=row.status)


def _ran_out() -> Conflict:
    return Conflict("hold_expired", "This hold has run out.")


async def _notify(tx: Transaction, row: HoldRow, *, freed: bool = False) -> None:
    await outbox.add(
        tx, kind="hold", subject=str(row.id), audience=[row.provider_id, row.receiver_id]
    )
    if freed:
        await notify_availability(tx, site_id=row.site_id, owner_id=row.receiver_id)


async def notify_availability(tx: Transaction, *, site_id: UUID, owner_id: UUID) -> None:
    """Tell the owner of a site, and nobody else, that its free places have changed."""
    municipality = await placement_rows.municipality_of(tx, site_id)
    region = (await tx.snapshots.reference(tx)).region_of(municipality)
    await outbox.add(tx, kind="availability", subject=region, audience=[owner_id])


async def _shared_content(tx: Transaction, row: HoldRow) -> Mapping[str, Any] | None:
    """Return what the receiver may know; before acceptance, what it is about."""
    content = (await referrals.read_content(tx, {row.referral_id})).get(row.referral_id)
    if content is None or row.told_all:
        return content
    return await incoming_household.read_asked(
        tx, content, place_id=row.place_id, sender_id=row.provider_id
    )


async def _view(tx: Transaction, row: HoldRow) -> HoldView:
    """Return a hold as the caller may see it: until they leave, the receiver sees who comes."""
    sent, received = row.provider_id == tx.caller.provider, row.receiver_id == tx.caller.provider
    shared = None
    if received and (row.live or row.comes_yet):
        shared = await _shared_content(tx, row)
    return HoldView(
        **{name: getattr(row, name) for name in _SHARED},
        reference=row.referral_reference,
        sender_id=row.provider_id,
        provider_id=row.receiver_id,
        rank=row.rank if sent else None,
        override_reason=row.override_reason if sent else None,
        shared=shared,
        site_id=row.site_id if received else None,
        place_id=row.place_id if received else None,
    )
