"""The demo country's past as the ledger has it.

A leaf for each beginning and end, and for who was ready to leave.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from app.allocation.ledger.openings import READY_TO_LEAVE, Correction, OpeningContent, persons_class
from app.database.caller import Role
from app.demo.past.lives import RecordedLife, RecordedStay, noted_at
from app.ledger.ledger import LedgerFact
from app.reference import load

ITS_ARRIVAL = 0
"""Stands for the index of the arrival's leaf, which the ledger fills in."""


def facts_of(lives: Iterable[RecordedLife], *, policy_hash: str) -> list[LedgerFact]:
    """Return what the ledger is to say of all lives, in the order in which it happened."""
    facts = (fact for one in lives for fact in _of_life(one, policy_hash))
    return sorted(facts, key=lambda fact: fact.at)


def _of_life(life: RecordedLife, policy_hash: str) -> Iterator[LedgerFact]:
    begun: LedgerFact | None = None
    for stayed in life.stays:
        if stayed.leaves.departure:
            if begun is not None:
                yield _end(begun, at=stayed.arrived_at)
            begun = None
        if stayed.leaves.arrival:
            begun = LedgerFact(stayed.id, stayed.arrived_at, _arrival(life, stayed, policy_hash))
            yield begun
    if begun is not None:
        yield from _last(begun, life.stays[-1])


def _last(begun: LedgerFact, stayed: RecordedStay) -> Iterator[LedgerFact]:
    """Yield what is said of the last place.

    Since when they were ready to leave, and that they left.
    """
    ready = replace(begun.opening, ready_since=stayed.ready_since)
    if stayed.ready_since is not None:
        correction = Correction(ITS_ARRIVAL, Role.COORDINATOR, stayed.receiving, READY_TO_LEAVE)
        said = replace(ready, type="correction", correction=correction)
        yield LedgerFact(begun.placement_id, noted_at(stayed.ready_since), said)
    if stayed.departed_at is not None:
        yield _end(replace(begun, opening=ready), at=stayed.departed_at)


def _end(begun: LedgerFact, *, at: datetime) -> LedgerFact:
    return LedgerFact(
        begun.placement_id,
        at,
        replace(begun.opening, type="departure", date=load().country.day_of(at)),
    )


def _arrival(life: RecordedLife, stayed: RecordedStay, policy_hash: str) -> OpeningContent:
    need = life.history.need
    return OpeningContent(
        type="arrival",
        origin=stayed.origin_region,
        receiving=stayed.receiving,
        kind=stayed.visit.group.kind,
        date=load().country.day_of(stayed.arrived_at),
        reason=need.reason,
        persons=persons_class(need.household.persons),
        lawful_regions=stayed.visit.asked[-1].ranking.lawful_regions,
        policy_hash=policy_hash,
        swap_id=None,
    )
