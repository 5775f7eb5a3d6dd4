"""Give the demo country a past.

Quarters that are over, as the service would have written them while they went by.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from app.allocation.policy.policy import Policy
from app.allocation.ranking.replay import register_hash
from app.allocation.shares.quarters import (
    Quarter,
    last_closed_quarter,
    quarter_of,
    quarters_between,
)
from app.allocation.values import Register
from app.database import register
from app.database.register import RegisterSnapshot
from app.database.transaction import Transaction
from app.demo.past.days import days_of
from app.demo.past.leaves import facts_of
from app.demo.past.rows import told_of
from app.demo.past.told import Around, Told
from app.demo.store import place_uses
from app.ledger import household_counts, ledger
from app.ledger.household_counts import CountKey
from app.ledger.ledger import LedgerFact
from app.reference import load
from app.registry import first_load
from app.registry.first_load import Batch
from app.shares import quarter_totals
from app.simulation.country.luck import Luck
from app.simulation.country.past import Past, PastSetting, PlaceNow

QUARTERS = 4
"""Quarters that are over, and that the worker may seal by now."""
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)

TOLD, STORED = 0.35, 0.55
"""Which shares of writing a past are done when it has been told, and when its rows are stored: of
the time."""

Reach: TypeAlias = Callable[[str, float], None]
"""Told what is being done, and which share of the whole is."""


def to_nobody(_task: str, _share: float) -> None:
    """Where nobody waits for it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a past takes place, and at which moment its first minute is."""

    began: datetime
    ground: PastSetting
    snapshot: RegisterSnapshot
    """The register that the rankings of the past cite: as it is now, and every site admits."""

    def moment(self, minute: int) -> datetime:
        """Return a minute of the past as a moment."""
        return self.began + minute * MINUTE


async def setting(tx: Transaction, *, quarters: int = QUARTERS) -> Setting:
    """Return what a past has to end with, the register as it is now.

    `quarters` is how many it has that are over.
    """
    policy = (await tx.snapshots.reference(tx)).policy
    snapshot = _admitting(await tx.snapshots.register(tx))
    # A day after the quarter has begun, so that whoever comes first was registered within it.
    began = load().country.midnight(_first(tx.at, policy, quarters).first + DAY).astimezone(UTC)
    places = [
        PlaceNow(row.place_id, str(row.group_id), row.kind or "free", (row.since - began) // MINUTE)
        for row in await place_uses.places(tx)
    ]
    span = tx.at - began
    return Setting(
        began,
        PastSetting(snapshot.register, places, days=span // DAY, now=span // MINUTE),
        snapshot,
    )


def _admitting(now: RegisterSnapshot) -> RegisterSnapshot:
    """Return the register with every site open: none has been paused for a year."""
    register = Register(tuple(replace(group, admission="open") for group in now.register.groups))
    return replace(now, register=register, hash=register_hash(register))


def _first(at: datetime, policy: Policy, quarters: int) -> Quarter:
    quarter = last_closed_quarter(load().country.day_of(at), days=policy.quarter_grace_days)
    for _ in range(quarters - 1):
        quarter = quarter_of(quarter.first - DAY)
    return quarter


async def write(
    tx: Transaction,
    past: Past,
    here: Setting,
    *,
    seed: int,
    reach: Reach = to_nobody,
) -> int:
    """Write all rows and leaves of a past; return how many households came.

    What was sealed of those who have been gone for longer than the policy keeps it is not there any
    more.
    """
    batch = Batch()
    around = await _around(tx, past, here, seed=seed, batch=batch)
    told = told_of(around, past, seed=seed, reach=lambda share: reach("telling it", TOLD * share))
    batch.monitor_days.extend(
        days_of(past, here.snapshot.register, first=load().country.day_of(here.began))
    )
    await register.record(tx, here.snapshot)
    reach("storing it", TOLD)
    await first_load.add_rows(tx, batch)
    await place_uses.settle(tx, _claims(told, past, here))
    await _count(tx, told)
    facts = facts_of(told, policy_hash=(await tx.snapshots.reference(tx)).policy_hash)
    await _record(
        tx, facts, here, reach=lambda share: reach("its ledger", STORED + (1 - STORED) * share)
    )
    return sum(bool(one.life.visits) for one in told)


async def _record(
    tx: Transaction,
    facts: Sequence[LedgerFact],
    here: Setting,
    *,
    reach: Callable[[float], None],
) -> None:
    """Write the leaves, and seal each quarter on the day on which the worker would have."""
    arrivals = dict[UUID, int]()
    grace = (await tx.snapshots.reference(tx)).policy.quarter_grace_days
    every = max(1, len(facts))
    for quarter in quarters_between(
        quarter_of(load().country.day_of(here.began)),
        last_closed_quarter(load().country.day_of(tx.at), days=grace),
    ):
        reach(1 - len(facts) / every)
        due = load().country.midnight(quarter.after + (grace + 1) * DAY)
        until = bisect_left(facts, due, key=lambda fact: fact.at)
        await ledger.record_past(tx, facts[:until], arrivals=arrivals)
        await quarter_totals.seal_quarters(replace(tx, at=min(due, tx.at)))
        facts = facts[until:]
    reach(1 - len(facts) / every)
    await ledger.record_past(tx, facts, arrivals=arrivals)


async def _around(tx: Transaction, past: Past, here: Setting, *, seed: int, batch: Batch) -> Around:
    reference = await tx.snapshots.reference(tx)
    cards = sorted((await tx.snapshots.providers(tx)).values(), key=lambda card: card.slug)
    return Around(
        reference=reference,
        snapshot=here.snapshot,
        senders={
            region: [card for card in cards if region in card.regions]
            for region in sorted(reference.regions)
        },
        place_in={visit.group.id: visit.place_id for life in past.lives for visit in life.visits},
        at=tx.at,
        kept_for=timedelta(days=reference.policy.retention_days),
        keyring=tx.keyring,
        luck=Luck(seed, subject="how the past is told"),
        moment=here.moment,
        batch=batch,
    )


def _claims(told: Iterable[Told], past: Past, here: Setting) -> list[place_uses.Settled]:
    lived_in = [
        place_uses.Settled(one.life.visits[-1].place_id, one.stays[-1].arrived_at, one.stays[-1].id)
        for one in told
        if one.life.visits and one.life.over is None
    ]
    return lived_in + [
        place_uses.Settled(place, here.moment(since), None) for place, since in past.since.items()
    ]


async def _count(
    tx: Transaction,
    told: Iterable[Told],
) -> None:
    """Add up who came, as arrivals do."""
    sums: defaultdict[CountKey, Counter[str]] = defaultdict(Counter)
    for one in told:
        if one.stays:
            first = one.stays[0]
            whose = CountKey(
                quarter_of(load().country.day_of(first.arrived_at)).first,
                first.receiver_id,
                first.receiving,
            )
            sums[whose].update(household_counts.counts_of(one.life.need))
    await household_counts.add_counts(tx, sums)
