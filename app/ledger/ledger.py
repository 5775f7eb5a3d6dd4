"""The ledger's leaves: each beginning and end of a cross-regional stay, as it is recorded."""

import os
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from app.allocation.ledger.leaves import clear_leaf_bytes, leaf_bytes
from app.allocation.ledger.openings import (
    ARRIVED_AFTER_ALL,
    DEPARTED_AFTER_ALL,
    READY_TO_LEAVE,
    Correction,
    OpeningContent,
    commitment,
    opening_document,
    parse_opening,
    persons_class,
)
from app.allocation.policy.documents import canonical_json
from app.database.caller import Caller, Role
from app.database.sealing import keys
from app.database.transaction import Transaction
from app.ledger.store import leaf_rows
from app.ledger.store.leaf_rows import NewLeaf, NewOpening
from app.ranking import rankings
from app.reference import load
from app.referrals import referrals
from app.seal import DataKey

SALT_BYTES = 16


async def append_clear(tx: Transaction, *, leaf_type: str, content: Mapping[str, object]) -> int:
    """Append a leaf that everybody can read, and return its index; the ledger is locked last.

    The database lets the worker write totals, administrators policies, auditors caps, the operator
    any leaf, and each of them corrections of their own. Raises ValueError for content other than
    whole numbers, strings and null.
    """
    return await leaf_rows.append(
        tx,
        NewLeaf(type=leaf_type, content=lambda index: clear_leaf_bytes(index, leaf_type, content)),
    )


async def has_leaf(tx: Transaction, leaf_type: str) -> bool:
    """Whether the ledger has any leaf of a type."""
    return await leaf_rows.has_leaf(tx, leaf_type)


async def record_policy(tx: Transaction, *, version: str, hash_: str, valid_from: datetime) -> int:
    """Write the leaf of a policy that rankings and leaves may cite from a moment on."""
    begins = valid_from.astimezone(UTC).isoformat().replace("+00:00", "Z")
    content = {"version": version, "hash": hash_, "valid_from": begins}
    return await append_clear(tx, leaf_type="policy", content=content)


async def record_weights(tx: Transaction, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a leaf for the new or changed weights of each day and source.

    Each row has `region`, `valid_from`, `weight` and `source`. A region that a leaf does not name
    keeps its weight.
    """

    def day_and_source(row: Mapping[str, Any]) -> tuple[str, str]:
        return row["valid_from"].isoformat(), row["source"]

    for (valid_from, source), alike in groupby(
        sorted(rows, key=day_and_source), key=day_and_source
    ):
        weights = {row["region"]: row["weight"] for row in alike}
        content = {"valid_from": valid_from, "source": source, "weights": weights}
        await append_clear(tx, leaf_type="weights", content=content)


@dataclass(frozen=True, slots=True)
class RecordedStay:
    """A household's time at a provider in the ledger: its leaves, and what they say by now."""

    began_with: UUID
    arrival: int
    departure: int | None
    states: Mapping[int, OpeningContent]
    """The openings of the two leaves by index, each in its newest correction."""


async def stay_of(tx: Transaction, began_with: UUID) -> RecordedStay | None:
    """Return a household's time at a provider in the ledger; None if it has no leaf."""
    rows = await leaf_rows.openings_of(tx, began_with)
    return opened_stay(began_with, rows, key=await keys.read(tx, keys.LEDGER)) if rows else None


def opened_stay(
    began_with: UUID, rows: Sequence[tuple[int, bytes]], *, key: DataKey
) -> RecordedStay | None:
    """Return a household's time at a provider by its sealed openings; None without any."""
    if not rows:
        return None
    states: dict[int, OpeningContent] = {}
    for index, sealed in rows:
        opening = parse_opening(key.unseal_json(sealed, row=str(index)))
        states[index if opening.correction is None else opening.correction.corrects] = opening
    ends = [index for index in states if index != rows[0][0]]
    return RecordedStay(began_with, rows[0][0], ends[0] if ends else None, states)


@dataclass(frozen=True, slots=True)
class StayBeginning:
    """The beginning of a stay in another region: the household, the regions, and the reason."""

    placement_id: UUID
    referral_id: UUID
    ranking_id: UUID
    swap_id: UUID | None
    origin: str
    receiving: str
    kind: str
    reason: str
    ready_since: date | None


async def record_arrival(tx: Transaction, begun: StayBeginning, *, at: datetime) -> int:
    """Write the leaf of an arrival in another region.

    If the ledger has one that was taken back, it is corrected: a beginning has one leaf, whatever
    happened to it.
    """
    opening = await _arrival(tx, begun, at=at)
    stay = await stay_of(tx, begun.placement_id)
    if stay is None:
        return await _append(tx, begun.placement_id, opening)
    correction = Correction(stay.arrival, role_of(tx.caller), begun.receiving, ARRIVED_AFTER_ALL)
    return await record_correction(tx, stay, opening, correction)


async def record_departure(
    tx: Transaction, began_with: UUID, *, at: datetime, swap_id: UUID | None = None
) -> int | None:
    """Write the leaf that ends a household's time at a provider, if its arrival has one.

    It repeats the arrival with the day of departure, whatever places of that provider they lived in
    meanwhile, and with the swap by which they leave, if any.
    """
    stay = await stay_of(tx, began_with)
    if stay is None:
        return None
    arrival = stay.states[stay.arrival]
    opening = replace(
        arrival,
        type="departure",
        date=load().country.day_of(at),
        swap_id=arrival.swap_id if swap_id is None else str(swap_id),
        arrival=stay.arrival,
        correction=None,
    )
    if stay.departure is None:
        return await _append(tx, began_with, opening)
    # It was taken back: an end has one leaf, whatever happened to it.
    correction = Correction(
        stay.departure, role_of(tx.caller), arrival.receiving, DEPARTED_AFTER_ALL
    )
    return await record_correction(tx, stay, opening, correction)


async def record_ready(
    tx: Transaction, began_with: UUID, *, receiving: str, since: date | None
) -> int | None:
    """Correct a running stay's arrival by the day since when the household is ready to leave.

    Returns None if its arrival has no leaf, or says so already.
    """
    stay = await stay_of(tx, began_with)
    if stay is None or stay.states[stay.arrival].ready_since == since:
        return None
    changed = replace(stay.states[stay.arrival], ready_since=since)
    correction = Correction(stay.arrival, role_of(tx.caller), receiving, READY_TO_LEAVE)
    return await record_correction(tx, stay, changed, correction)


async def record_correction(
    tx: Transaction, stay: RecordedStay, changed: OpeningContent, correction: Correction
) -> int:
    """Write the leaf of a correction, which replaces what another leaf of the same stay says."""
    opening = replace(changed, type="correction", arrival=stay.arrival, correction=correction)
    return await _append(tx, stay.began_with, opening)


def role_of(caller: Caller) -> str:
    """Return the role in which a caller corrects; the ledger names only it and a region."""
    return Role.COORDINATOR if caller.has(Role.COORDINATOR) else Role.INTAKE_WORKER


async def _arrival(tx: Transaction, begun: StayBeginning, *, at: datetime) -> OpeningContent:
    recorded = await rankings.read_sealed(tx, begun.ranking_id)
    assert recorded is not None  # noqa: S101 - a foreign key says so
    ranked = await rankings.recompute_ranking(tx, *recorded)
    referral = await referrals.read_sealed(tx, begun.referral_id)
    assert referral is not None  # noqa: S101 - a foreign key says so
    household = referrals.need_of(
        referrals.unseal(tx, referral).content, await tx.snapshots.reference(tx)
    ).household
    return OpeningContent(
        type="arrival",
        origin=begun.origin,
        receiving=begun.receiving,
        kind=begun.kind,
        date=load().country.day_of(at),
        reason=begun.reason,
        persons=persons_class(household.persons),
        lawful_regions=ranked.ranking.lawful_regions,
        policy_hash=ranked.policy_hash,
        swap_id=None if begun.swap_id is None else str(begun.swap_id),
        ready_since=begun.ready_since,
    )


@dataclass(frozen=True, slots=True)
class LedgerFact:
    """A leaf to be written about a household's time at a provider, and when it happened."""

    placement_id: UUID
    at: datetime
    opening: OpeningContent


async def record_past(
    tx: Transaction, facts: Iterable[LedgerFact], *, arrivals: MutableMapping[UUID, int]
) -> None:
    """Write what happened before there was a ledger, in order and under one lock.

    The arrival comes first of each time at a provider, and its leaf is noted in `arrivals`, from
    which the later leaves get its index. As for every leaf, the ledger is locked last of all.
    """
    first = await leaf_rows.begin_appending(tx)
    known: list[LedgerFact] = []
    for index, fact in enumerate(facts, start=first):
        arrival = arrivals.setdefault(fact.placement_id, index)
        known.append(
            fact
            if arrival == index
            else replace(fact, opening=_point_to_arrival(fact.opening, arrival))
        )
    await leaf_rows.append_all(tx, await _leaves(tx, known), first=first)


def _point_to_arrival(opening: OpeningContent, arrival: int) -> OpeningContent:
    correction = opening.correction and replace(opening.correction, corrects=arrival)
    return replace(opening, arrival=arrival, correction=correction)


async def _append(tx: Transaction, placement_id: UUID, opening: OpeningContent) -> int:
    leaves = await _leaves(tx, [LedgerFact(placement_id, tx.at, opening)])
    return await leaf_rows.append(tx, leaves[0])


async def _leaves(tx: Transaction, facts: Iterable[LedgerFact]) -> list[NewLeaf]:
    policy = (await tx.snapshots.reference(tx)).policy
    key = await keys.read(tx, keys.LEDGER)
    return [_leaf(fact, key=key, delay_days=policy.opening_delay_days) for fact in facts]


def _leaf(fact: LedgerFact, *, key: DataKey, delay_days: int) -> NewLeaf:
    opening, salt = fact.opening, os.urandom(SALT_BYTES)
    document = canonical_json(opening_document(opening, salt))
    wait = timedelta(days=0 if opening.type == "departure" else delay_days)
    return NewLeaf(
        type=opening.type,
        content=lambda index: leaf_bytes(index, opening.type, commitment(opening, salt)),
        opening=NewOpening(
            placement_id=fact.placement_id,
            origin_region=opening.origin,
            receiving_region=opening.receiving,
            opens_at=fact.at + wait,
            sealed=lambda index: key.seal(document, row=str(index)),
        ),
    )
