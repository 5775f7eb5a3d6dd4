"""The ledger's leaves: each beginning and end of a cross-regional stay, in the transaction that made it so."""

import os
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from app.allocation.canonical import canonical_json
from app.allocation.leaves import Opening, commitment, leaf_bytes, opening_document, persons_class
from app.allocation.shares import STAY, divide
from app.reference import load
from app.seal import Keyring
from app.services import rankings, referrals
from app.store import holds, keys, ledger
from app.store import rankings as ranking_rows
from app.store import referrals as referral_rows
from app.store.database import Transaction
from app.store.ledger import NewLeaf
from app.store.placements import PlacementRow

SALT_BYTES = 16


async def record_arrival(tx: Transaction, placement: PlacementRow, *, at: datetime, keyring: Keyring) -> int:
    """Write the leaf of an arrival in another region, and add a safety stay to the running shares."""
    opening = await _arrival(tx, placement, at=at, keyring=keyring)
    index = await _append(tx, placement.id, opening, keyring=keyring)
    if placement.reason == "safety":
        weights = (await tx.snapshots.reference(tx)).weights
        parts = divide(opening.lawful_regions, weights)
        await ledger.account(tx, receiving=placement.receiving, parts=parts, stay=STAY)
    return index


async def record_departure(
    tx: Transaction, began_with: UUID, *, at: datetime, keyring: Keyring, swap_id: UUID | None = None
) -> int | None:
    """Write the leaf of the end of a household's time at a provider, where its arrival there had one.

    It is as the arrival had it, with the day of departure, whatever rooms of that provider they lived in meanwhile; and
    with the swap for which they leave, if any.
    """
    arrival = await ledger.arrival_opening(tx, began_with)
    if arrival is None:
        return None
    index, sealed = arrival
    key = await keys.read(tx, keys.LEDGER, keyring=keyring)
    document = key.unseal_json(sealed, row=str(index))
    opening = Opening(
        type="departure",
        origin=document["origin"],
        receiving=document["receiving"],
        kind=document["kind"],
        date=_local_day(at),
        reason=document["reason"],
        persons=document["persons"],
        lawful_regions=tuple(document["lawful_regions"]),
        policy_hash=document["policy_hash"],
        swap_id=document["swap_id"] if swap_id is None else str(swap_id),
    )
    return await _append(tx, began_with, opening, keyring=keyring)


async def _arrival(tx: Transaction, placement: PlacementRow, *, at: datetime, keyring: Keyring) -> Opening:
    hold = await holds.read(tx, placement.hold_id, provider_id=placement.provider_id)
    assert hold is not None  # noqa: S101 - a foreign key says so
    recorded = await ranking_rows.read(tx, hold.ranking_id)
    assert recorded is not None  # noqa: S101 - a foreign key says so
    ranked = await rankings.made_again(tx, *recorded, keyring=keyring)
    referral = await referral_rows.read(tx, placement.referral_id)
    assert referral is not None  # noqa: S101 - a foreign key says so
    household = referrals.need_of(
        referrals.opened(tx, referral, keyring).content, await tx.snapshots.reference(tx)
    ).household
    return Opening(
        type="arrival",
        origin=placement.origin_region,
        receiving=placement.receiving,
        kind=placement.kind,
        date=_local_day(at),
        reason=placement.reason,
        persons=persons_class(household.persons),
        lawful_regions=ranked.ranking.lawful_regions,
        policy_hash=ranked.policy_hash,
        swap_id=None if hold.swap_id is None else str(hold.swap_id),
    )


async def _append(tx: Transaction, placement_id: UUID, opening: Opening, *, keyring: Keyring) -> int:
    salt = os.urandom(SALT_BYTES)
    document = canonical_json(opening_document(opening, salt))
    policy = (await tx.snapshots.reference(tx)).policy
    key = await keys.read(tx, keys.LEDGER, keyring=keyring)
    return await ledger.append(
        tx,
        NewLeaf(
            type=opening.type,
            placement_id=placement_id,
            origin_region=opening.origin,
            receiving_region=opening.receiving,
            opens_at=tx.at + timedelta(days=policy.opening_delay_days if opening.type == "arrival" else 0),
            content=lambda index: leaf_bytes(index, opening.type, commitment(opening, salt)),
            sealed_opening=lambda index: key.seal(document, row=str(index)),
        ),
    )


def _local_day(at: datetime) -> date:
    return at.astimezone(ZoneInfo(load().country.time_zone)).date()
