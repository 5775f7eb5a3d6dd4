"""Referrals: register a household's need, and change what is known of it."""

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

from app.allocation.policy import documents
from app.allocation.values import Adult, Child, DangerZone, Household, Need
from app.database.reference import Reference
from app.database.transaction import Transaction
from app.errors import Conflict, Erased, Fault, Invalid, Missing, Unreadable
from app.reference import load
from app.referrals.store import referral_rows
from app.referrals.store.referral_rows import ReferralRow
from app.seal import DataKey, SealBroken

CONSONANTS = "bdfghklmnprstvz"
VOWELS = "aeiou"
TRIES = 8
AT_ONCE = 500
"""Open referrals whose keys are tried in one reading."""

CLEAR = ("urgency", "reason", "origin_municipality")
"""The content that the referral's own row has; the rest is sealed."""

ANCHORS = ("near_municipality", "origin_municipality")
"""What a ranking measures distances from, beside the danger zones: changed often, with rankings,
it tells where sites are. The log says so."""


@dataclass(frozen=True, slots=True)
class UnsealedReferral:
    """A referral with its seal open, for a caller who may read it.

    `content` has the wire's names in snake_case.
    """

    case: ReferralRow
    content: Mapping[str, Any]
    key: DataKey

    @property
    def id(self) -> UUID:
        """The referral's id."""
        return self.case.id

    @property
    def status(self) -> str:
        """Open, held, placed, ended or withdrawn."""
        return self.case.status


class SealedReferral(Protocol):
    """The clear columns of a referral that has not been erased."""

    @property
    def id(self) -> UUID: ...  # noqa: D102 - as `ReferralRow` has them
    @property
    def urgency(self) -> str: ...  # noqa: D102
    @property
    def reason(self) -> str: ...  # noqa: D102
    @property
    def origin(self) -> str: ...  # noqa: D102


async def register_referral(tx: Transaction, *, content: Mapping[str, Any]) -> UnsealedReferral:
    """Register a referral for the caller's provider."""
    _check_zones(content, before=(), today=load().country.day_of(tx.at))
    id_ = uuid4()
    key, wrapped = tx.keyring.new_data_key(row=str(id_))
    sealed = key.seal_json(_secret(content), row=str(id_))
    for _ in range(TRIES):
        values = {
            "id": id_,
            "provider_id": tx.caller.provider,
            "reference": speakable_code(),
            **_clear(content),
        }
        if await referral_rows.add(tx, values, key=wrapped, sealed=sealed):
            return await read(tx, id_)
    raise Conflict("busy", "No free reference was found; try again.")


async def read(tx: Transaction, referral_id: UUID, *, lock: bool = False) -> UnsealedReferral:
    """Return a referral of the caller's provider."""
    row = await referral_rows.read(tx, referral_id, provider_id=tx.caller.provider, lock=lock)
    if row is None:
        raise Missing
    return unseal(tx, row)


async def list_for(
    tx: Transaction,
    *,
    status: str | None,
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[ReferralRow]:
    """Return the referrals of the caller's provider, newest first, with their seals closed."""
    return await referral_rows.list_for(
        tx, tx.caller.provider, status=status, limit=limit, after=after
    )


async def change(
    tx: Transaction, referral: UnsealedReferral, *, content: Mapping[str, Any]
) -> UnsealedReferral:
    """Change what is known of a referral that is not closed yet."""
    if referral.status in {"ended", "withdrawn"}:
        raise Conflict("referral_not_open", "This referral is closed.")
    if content == referral.content:
        return referral
    before = referral.content["danger_zones"]
    _check_zones(content, before=before, today=load().country.day_of(tx.at))
    if content["danger_zones"] != before:
        tx.looks.purpose = "danger_zones"
    elif any(content[name] != referral.content[name] for name in ANCHORS):
        tx.looks.purpose = "anchors"
    sealed = referral.key.seal_json(_secret(content), row=str(referral.id))
    await referral_rows.change(tx, referral.id, _clear(content), sealed=sealed)
    await referral_rows.notify_receivers(tx, referral.id)
    row = await referral_rows.read(tx, referral.id)
    assert row is not None  # noqa: S101 - it was there a moment ago, and is locked
    return UnsealedReferral(row, dict(content), referral.key)


def unseal(tx: Transaction, row: ReferralRow) -> UnsealedReferral:
    """Open the seal of a referral, and note in the transaction that it was opened.

    Raises Erased where nothing is left to open, and Unreadable where no key opens it: call it only
    for a caller who may know that there was a referral.
    """
    if row.key is None or row.sealed is None:
        raise Erased
    try:
        return UnsealedReferral(row, *unseal_content(tx, row, key=row.key, sealed=row.sealed))
    except SealBroken:
        raise Unreadable from None


def unseal_readable(
    tx: Transaction, rows: Iterable[ReferralRow]
) -> tuple[list[UnsealedReferral], list[ReferralRow]]:
    """Open the seals of referrals; return those opened, and those that no key opens."""
    opened: list[UnsealedReferral] = []
    unreadable: list[ReferralRow] = []
    for row in rows:
        try:
            opened.append(unseal(tx, row))
        except Unreadable:
            unreadable.append(row)
    return opened, unreadable


def unseal_content(
    tx: Transaction, row: SealedReferral, *, key: bytes, sealed: bytes
) -> tuple[Mapping[str, Any], DataKey]:
    """Return what is known of a referral and its data key; note that it was opened.

    Raises SealBroken where no key opens it.
    """
    opened_with = tx.keyring.unwrap(key, row=str(row.id))
    content: dict[str, Any] = opened_with.unseal_json(sealed, row=str(row.id))
    tx.looks.referral_ids.add(row.id)
    content |= {"urgency": row.urgency, "reason": row.reason, "origin_municipality": row.origin}
    return content, opened_with


def need_of(content: Mapping[str, Any], reference: Reference) -> Need:
    """Return the need that rules and points look at."""
    household = content["household"]
    return Need(
        urgency=content["urgency"],
        reason=content["reason"],
        origin=content["origin_municipality"],
        origin_region=reference.region_of(content["origin_municipality"]),
        household=Household(
            adults=tuple(Adult(adult["gender"], adult["age"]) for adult in household["adults"]),
            children=tuple(Child(child["age"], child["gender"]) for child in household["children"]),
            pets=household["pets"],
            pregnant=household["pregnant"],
        ),
        danger_assessment=content["danger_assessment"],
        danger_zones=tuple(_zone(zone) for zone in content["danger_zones"]),
        threat_level=content["threat_level"],
        target_groups=tuple(content["target_groups"]),
        needs=tuple(content["needs"]),
        near_municipality=content["near_municipality"],
        barred_providers=tuple(content["barred_providers"]),
    )


def _zone(zone: Mapping[str, Any]) -> DangerZone:
    return documents.read(
        DangerZone, {name: zone[name] for name in ("municipality", "radius_km", "until")}
    )


def speakable_code() -> str:
    """Return a random code of four syllables, easy to say on the telephone."""
    syllables = [secrets.choice(CONSONANTS) + secrets.choice(VOWELS) for _ in range(4)]
    return f"{syllables[0]}{syllables[1]}-{syllables[2]}{syllables[3]}"


def _check_zones(
    content: Mapping[str, Any], *, before: Collection[Mapping[str, Any]], today: date
) -> None:
    """Refuse a danger zone named after its end; one that ended since then may stay."""
    faults = tuple(_faults_of_zones(content["danger_zones"], before=before, today=today))
    if faults:
        raise Invalid(*faults)


def _faults_of_zones(
    zones: Collection[Mapping[str, Any]], *, before: Collection[Mapping[str, Any]], today: date
) -> Iterator[Fault]:
    for number, zone in enumerate(zones):
        if zone not in before and _zone(zone).has_ended(today):
            yield Fault(
                f"/dangerZones/{number}/until",
                "has passed: a zone that has ended is no danger to keep clear of",
            )


def _secret(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name not in CLEAR}


def _clear(content: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "urgency": content["urgency"],
        "reason": content["reason"],
        "origin": content["origin_municipality"],
        "has_safety_plan": content["safety_plan"],
    }


# --- for other rooms, which read a referral with its seal closed ------------------------


async def read_sealed(
    tx: Transaction, referral_id: UUID, *, own: bool = False
) -> ReferralRow | None:
    """Return a referral that the caller may see, with its seal closed.

    With `own` only a referral of the caller's provider.
    """
    return await referral_rows.read(tx, referral_id, provider_id=_owner(tx, own=own))


async def list_sealed(
    tx: Transaction, ids: Collection[UUID], *, own: bool = False
) -> list[ReferralRow]:
    """Return the referrals among some ids that the caller may see, or only own ones."""
    return await referral_rows.read_several(tx, ids, provider_id=_owner(tx, own=own))


async def list_next_open(tx: Transaction, *, after: UUID | None, most: int) -> list[ReferralRow]:
    """Return the next open referrals of all providers, oldest first, after the one given."""
    return await referral_rows.list_open_after(tx, after, most=most)


async def read_content(tx: Transaction, ids: Collection[UUID]) -> dict[UUID, Mapping[str, Any]]:
    """Return what is known of households that the caller may see, and that can be read."""
    rows = await list_sealed(tx, sorted(ids)) if ids else []
    opened, _ = unseal_readable(tx, (row for row in rows if row.key is not None))
    return {referral.id: referral.content for referral in opened}


async def list_unreadable(tx: Transaction) -> list[UUID]:
    """Return the open referrals of all providers whose data key no key opens; open no content."""
    unreadable: list[UUID] = []
    after: UUID | None = None
    while rows := await list_next_open(tx, after=after, most=AT_ONCE):
        after = rows[-1].id
        for row in rows:
            try:
                tx.keyring.unwrap(row.key or b"", row=str(row.id))
            except SealBroken:
                unreadable.append(row.id)
    return unreadable


async def set_status(tx: Transaction, referral_id: UUID, status: str) -> None:
    """Give a referral a status in which it has no hold; an erased one is closed, not reopened."""
    await referral_rows.set_status(tx, referral_id, status)


async def close(tx: Transaction, referral_id: UUID, *, because: str) -> None:
    """Close a referral without a hold, with the reason why it needs no place any more."""
    await referral_rows.close(tx, referral_id, because=because)


async def reopen_referral(tx: Transaction, referral_id: UUID) -> UnsealedReferral:
    """Open a referral that was closed within the policy's days; again changes nothing."""
    referral = await read(tx, referral_id, lock=True)
    if referral.status == "open":
        return referral
    if referral.status != "withdrawn":
        raise Conflict("referral_not_closed", "This referral has a place, or has had its stay.")
    days = (await tx.snapshots.reference(tx)).policy.reopening_days
    closed_at = referral.case.closed_at or referral.case.updated_at
    if closed_at < tx.at - timedelta(days=days):
        raise Conflict(
            "closed_too_long",
            "This was closed more than %(days)s days ago: register them again.",
            days=days,
        )
    await referral_rows.reopen(tx, referral_id)
    return await read(tx, referral_id)


async def list_closed(tx: Transaction) -> list[ReferralRow]:
    """Return what the caller's desk closed and may open again, with the seals closed."""
    days = (await tx.snapshots.reference(tx)).policy.reopening_days
    return await referral_rows.list_closed(
        tx, tx.caller.provider, since=tx.at - timedelta(days=days)
    )


def _owner(tx: Transaction, *, own: bool) -> UUID | None:
    return tx.caller.provider if own else None
