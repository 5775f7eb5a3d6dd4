"""Give the demo country a past.

Quarters that are over, as the service would have written them while they went by.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
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
from app.demo.past.leaves import facts_of
from app.demo.past.lives import RecordedLife, Surroundings
from app.demo.past.rows import record_lives
from app.demo.store import place_uses
from app.ledger import household_counts, ledger
from app.ledger.household_counts import CountKey
from app.ledger.ledger import LedgerFact
from app.reference import load
from app.registry import first_load
from app.registry.first_load import Batch, Values
from app.shares import quarter_totals
from app.simulation.country.luck import Luck
from app.simulation.country.past import Past, PastSetting, PlaceNow, ProviderRegion

QUARTERS = 4
"""Quarters that are over, and that the worker may seal by now."""
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)

TOLD, STORED = 0.35, 0.55
"""Which shares of writing a past are done when it has been told, and when its rows are stored: of
the time."""

ReportStage: TypeAlias = Callable[[str, float], None]
"""Reports what is being done, and which share of the whole is done."""


def report_to_nobody(_task: str, _share: float) -> None:
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
    snapshot = _with_every_site_open(await tx.snapshots.register(tx))
    # A day after the quarter has begun, so that the first to come was registered within it.
    began = (
        load().country.midnight(_first_quarter(tx.at, policy, quarters).first + DAY).astimezone(UTC)
    )
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


def _with_every_site_open(now: RegisterSnapshot) -> RegisterSnapshot:
    """Return the register with every site open: none has been paused for a year."""
    register = Register(tuple(replace(group, admission="open") for group in now.register.groups))
    return replace(now, register=register, hash=register_hash(register))


def _first_quarter(at: datetime, policy: Policy, quarters: int) -> Quarter:
    quarter = last_closed_quarter(load().country.day_of(at), days=policy.quarter_grace_days)
    for _ in range(quarters - 1):
        quarter = quarter_of(quarter.first - DAY)
    return quarter


async def write_past(
    tx: Transaction,
    past: Past,
    here: Setting,
    *,
    seed: int,
    report: ReportStage = report_to_nobody,
) -> int:
    """Write all rows and leaves of a past; return how many households came.

    What was sealed of those who have been gone for longer than the policy keeps it is not there any
    more.
    """
    batch = Batch()
    surroundings = await _surroundings(tx, past, here, seed=seed, batch=batch)
    lives = record_lives(
        surroundings, past, seed=seed, report=lambda share: report("telling it", TOLD * share)
    )
    batch.monitor_days.extend(
        _day_counts(past, here.snapshot.register, first=load().country.day_of(here.began))
    )
    await register.record(tx, here.snapshot)
    report("storing it", TOLD)
    await first_load.add_rows(tx, batch)
    await place_uses.settle(tx, _claims(lives, past, here))
    await _count_arrivals(tx, lives)
    facts = facts_of(lives, policy_hash=(await tx.snapshots.reference(tx)).policy_hash)
    await _record_leaves(
        tx, facts, here, report=lambda share: report("its ledger", STORED + (1 - STORED) * share)
    )
    return sum(bool(one.history.visits) for one in lives)


async def _record_leaves(
    tx: Transaction,
    facts: Sequence[LedgerFact],
    here: Setting,
    *,
    report: Callable[[float], None],
) -> None:
    """Write the leaves, and seal each quarter on the day on which the worker would have."""
    arrivals = dict[UUID, int]()
    grace = (await tx.snapshots.reference(tx)).policy.quarter_grace_days
    every = max(1, len(facts))
    for quarter in quarters_between(
        quarter_of(load().country.day_of(here.began)),
        last_closed_quarter(load().country.day_of(tx.at), days=grace),
    ):
        report(1 - len(facts) / every)
        due = load().country.midnight(quarter.after + (grace + 1) * DAY)
        until = bisect_left(facts, due, key=lambda fact: fact.at)
        await ledger.record_past(tx, facts[:until], arrivals=arrivals)
        await quarter_totals.seal_quarters(replace(tx, at=min(due, tx.at)))
        facts = facts[until:]
    report(1 - len(facts) / every)
    await ledger.record_past(tx, facts, arrivals=arrivals)


async def _surroundings(
    tx: Transaction, past: Past, here: Setting, *, seed: int, batch: Batch
) -> Surroundings:
    reference = await tx.snapshots.reference(tx)
    cards = sorted((await tx.snapshots.providers(tx)).values(), key=lambda card: card.slug)
    return Surroundings(
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


def _claims(lives: Iterable[RecordedLife], past: Past, here: Setting) -> list[place_uses.Settled]:
    lived_in = [
        place_uses.Settled(
            one.history.visits[-1].place_id, one.stays[-1].arrived_at, one.stays[-1].id
        )
        for one in lives
        if one.history.visits and one.history.over is None
    ]
    return lived_in + [
        place_uses.Settled(place, here.moment(since), None) for place, since in past.since.items()
    ]


async def _count_arrivals(tx: Transaction, lives: Iterable[RecordedLife]) -> None:
    """Add up who came, as arrivals do."""
    sums: defaultdict[CountKey, Counter[str]] = defaultdict(Counter)
    for one in lives:
        if one.stays:
            first = one.stays[0]
            whose = CountKey(
                quarter_of(load().country.day_of(first.arrived_at)).first,
                first.receiver_id,
                first.receiving,
            )
            sums[whose].update(household_counts.counts_of(one.history.need))
    await household_counts.add_counts(tx, sums)


def _day_counts(past: Past, register: Register, *, first: date) -> Iterator[Values]:
    """Yield a count for each day and each provider's places in a region.

    Every site is confirmed in time.
    """
    places: Counter[ProviderRegion] = Counter()
    sites: defaultdict[ProviderRegion, set[str]] = defaultdict(set)
    for group in register.groups:
        places[group.provider_id, group.region] += group.places
        sites[group.provider_id, group.region].add(group.site_id)
    for where, days in past.in_use.items():
        for day, used in enumerate(days):
            yield {
                "day": first + timedelta(days=day),
                "provider_id": UUID(where[0]),
                "region": where[1],
                "places": places[where],
                "in_use": used,
                "out_of_service": 0,
                "sites": len(sites[where]),
                "stale": 0,
                "unknown": 0,
            }
