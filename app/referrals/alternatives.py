"""Alternatives: what a household has until a place is found, and checks of how they are."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

from app.allocation.policy.policy import Policy
from app.allocation.ranking.waiting_list import last_night
from app.database import outbox
from app.database.transaction import Transaction
from app.errors import Conflict, Fault, Invalid, Missing
from app.reference import load
from app.referrals import referrals
from app.referrals.store import alternative_rows
from app.referrals.store.alternative_rows import AlternativeRow, Capacity
from app.referrals.store.referral_rows import AlternativeInUse

NEWS, ALARM = "waiting", "alarm"
"""Events about an alternative: it changed, or a provider has to act at once."""
WELL = "well"


@dataclass(frozen=True, slots=True)
class AlternativeRequest:
    """What a household is to have, who answers for it, and when they leave it, if known."""

    kind: str
    responsible_id: UUID
    until: date | None


async def begin_alternative(
    tx: Transaction, referral_id: UUID, *, wanted: AlternativeRequest
) -> AlternativeRow:
    """Record what one of the caller's referrals has until a place is found.

    Help at home uses one of the trajectories that the responsible provider has published; the
    database decides who gets the last one.
    """
    referral = await referrals.read(tx, referral_id, lock=True)
    if referral.status not in {"open", "held"}:
        raise Conflict("referral_not_open", "This referral has a placement, or is closed.")
    if await alternative_rows.in_use(tx, referral.id):
        raise Conflict(
            "alternative_in_use", "This referral has an alternative; end that one first."
        )
    policy = (await tx.snapshots.reference(tx)).policy
    until = _until(wanted, today=load().country.day_of(tx.at), policy=policy)
    row = AlternativeRow(
        id=uuid4(),
        referral_id=referral.id,
        reference=referral.case.reference,
        provider_id=referral.case.provider_id,
        responsible_id=wanted.responsible_id,
        kind=wanted.kind,
        started_at=tx.at,
        until=until,
        nights_over_at=None if until is None else load().country.midnight(until),
        checked_at=None,
        outcome=None,
        next_check_at=tx.at + timedelta(hours=policy.alternative_check_hours),
        ended_at=None,
        end_reason=None,
    )
    if not await alternative_rows.add(tx, row):
        raise Conflict(
            "no_capacity", "This provider can help no more households where they are at the moment."
        )
    await _tell(tx, row, NEWS)
    return row


async def read(tx: Transaction, alternative_id: UUID, *, lock: bool = False) -> AlternativeRow:
    """Return an alternative that the caller's provider uses or is responsible for."""
    row = await alternative_rows.read(tx, alternative_id, provider_id=tx.caller.provider, lock=lock)
    if row is None:
        raise Missing
    tx.looks.referral_ids.add(row.referral_id)
    return row


async def list_for(
    tx: Transaction, *, limit: int, after: tuple[datetime, UUID] | None
) -> list[AlternativeRow]:
    """Return the alternatives in use that concern the caller's provider, next check first."""
    rows = await alternative_rows.list_for(tx, tx.caller.provider, limit=limit, after=after)
    tx.looks.referral_ids.update(row.referral_id for row in rows)
    return rows


async def note_check(tx: Transaction, alternative_id: UUID, *, outcome: str) -> AlternativeRow:
    """Note how they are; unless they are well, alarm both sides and ask again at once."""
    await _check_live(tx, alternative_id)
    policy = (await tx.snapshots.reference(tx)).policy
    well = outcome == WELL
    next_check_at = tx.at + timedelta(hours=policy.alternative_check_hours) if well else tx.at
    row = await alternative_rows.note_check(
        tx, alternative_id, outcome=outcome, next_check_at=next_check_at
    )
    await _tell(tx, row, NEWS if well else ALARM)
    return row


async def end_alternative(tx: Transaction, alternative_id: UUID, *, reason: str) -> AlternativeRow:
    """End an alternative; if the responsible provider does, alarm the household's provider."""
    await _check_live(tx, alternative_id)
    row = await alternative_rows.end(tx, alternative_id, reason=reason)
    await _tell(tx, row, NEWS if row.provider_id == tx.caller.provider else ALARM)
    return row


async def capacity(tx: Transaction) -> Capacity:
    """Return how many households the caller's provider can help at home, and how many it does."""
    return await alternative_rows.capacity(tx, tx.caller.provider)


async def set_capacity(tx: Transaction, *, capacity: int) -> Capacity:
    """Publish how many that can be; households that are helped already stay, even if too many."""
    await alternative_rows.set_capacity(tx, tx.caller.provider, capacity=capacity)
    return await alternative_rows.capacity(tx, tx.caller.provider)


def is_overdue(row: AlternativeRow | AlternativeInUse, *, at: datetime) -> bool:
    """Whether a check of an alternative in use is due, or its nights are over."""
    return row.next_check_at <= at or (row.nights_over_at is not None and row.nights_over_at <= at)


def _until(wanted: AlternativeRequest, *, today: date, policy: Policy) -> date | None:
    most = last_night(today, kind=wanted.kind, policy=policy)
    if wanted.until is None:
        return most
    if wanted.until <= today:
        raise Invalid(Fault("/until", "must lie ahead"))
    if most is not None and wanted.until > most:
        raise Invalid(
            Fault("/until", f"can be {most.isoformat()} at the latest: the policy's nights")
        )
    return wanted.until


async def _check_live(tx: Transaction, alternative_id: UUID) -> None:
    if (await read(tx, alternative_id, lock=True)).ended_at is not None:
        raise Conflict("alternative_ended", "This alternative has ended.")


async def _tell(tx: Transaction, row: AlternativeRow, kind: str) -> None:
    await outbox.add(
        tx, kind=kind, subject=str(row.id), audience=[row.provider_id, row.responsible_id]
    )
