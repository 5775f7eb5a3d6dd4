"""Peaks: plan many referrals together; each ranking is recorded, and no place is taken."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from app.allocation.figures.suppression import counts_to_show
from app.allocation.peaks import peaks
from app.allocation.peaks.peaks import MOST, PeakReferral, Plan, PlannedReferral
from app.allocation.policy.policy import Policy
from app.allocation.ranking.rank import RankingInputs
from app.budgets import budgets
from app.database import access_log, register
from app.database.reference import Reference
from app.database.register import RegisterSnapshot
from app.database.transaction import Transaction
from app.errors import Missing
from app.ranking import rankings
from app.ranking.rankings import RecordedRanking
from app.ranking.store import peak_rows, ranking_rows
from app.ranking.store.peak_rows import CountsRow, ReferralSituations
from app.ranking.store.ranking_rows import RankingRow
from app.referrals import referrals, waiting_list
from app.referrals.referrals import UnsealedReferral

OVERRIDE = "peak_plan"
"""The override reason of a planned hold on an offer below rank 1."""
READ_AT_ONCE = 1000
"""Open referrals that are read, oldest first, to find the first on the waiting list."""
NOT_OPEN, ERASED, TOO_OFTEN = "referral_not_open", "erased", "too_often"
UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class PlanPart:
    """What a plan has for one referral, or the code of why it takes no part."""

    referral_id: UUID
    urgency: str
    ranked: RecordedRanking | None = None
    planned: PlannedReferral | None = None
    refusal: str | None = None
    wait_s: int = 0
    """Seconds until it may be ranked again, if that is why."""


@dataclass(frozen=True, slots=True)
class DeskPeakPlan:
    """A plan for some of a provider's referrals, in the waiting list's order.

    Those that take no part come last.
    """

    as_of: datetime
    policy_version: str
    policy_hash: str
    parts: tuple[PlanPart, ...]
    plan: Plan
    left_out: int
    """Waiting referrals beyond those that are planned for at once."""


@dataclass(frozen=True, slots=True)
class RankedCase:
    """A referral that takes part, ranked."""

    referral: UnsealedReferral
    ranked: RecordedRanking
    asker: PeakReferral


async def plan_peak(tx: Transaction, ids: Sequence[UUID] | None) -> DeskPeakPlan:
    """Plan for some referrals of the caller's provider, or all that wait; record each ranking.

    Raises Missing if one is not theirs. A referral that is not open, was erased, or was ranked as
    often as the policy allows takes no part, and the plan says why.
    """
    reference = await tx.snapshots.reference(tx)
    await budgets.check_budget(tx, budgets.RANKINGS)
    opened, refused, left_out = await _taking_part(tx, ids, reference.policy)
    most = reference.policy.rankings_per_hour
    known = await peak_rows.read_situations(tx, [one.id for one in opened], rankings_per_hour=most)
    waits = {one.id: known.each[one.id].wait_s for one in opened}
    refused += [_part(one, TOO_OFTEN, wait_s=waits[one.id]) for one in opened if waits[one.id]]
    taking_part = [one for one in opened if not waits[one.id]]
    snapshot = await tx.snapshots.register(tx)
    ranked, plan = await asyncio.to_thread(
        rank_and_plan, taking_part, known, reference, snapshot, tx.at
    )
    shown = {one.referral.id for one in ranked if rankings.offers_elsewhere(one.ranked)}
    await budgets.spend_budget(tx, budgets.RANKINGS, times=len(shown))
    await _log_offers(tx, shown)
    if ranked:
        await register.record(tx, snapshot)
        await ranking_rows.add(tx, await asyncio.to_thread(_rows_of, ranked, snapshot))
    parts = [
        PlanPart(one.referral.id, one.referral.case.urgency, one.ranked, planned)
        for one, planned in zip(ranked, plan.referrals, strict=True)
    ]
    return DeskPeakPlan(
        tx.at,
        reference.policy.version,
        reference.policy_hash,
        (*parts, *refused),
        plan,
        left_out=left_out,
    )


async def _log_offers(tx: Transaction, shown: set[UUID]) -> None:
    """Log which referrals a plan showed offers for, each of them in one entry."""
    if shown == tx.looks.referral_ids:
        tx.looks.purpose = rankings.OFFERS if shown else None
    elif shown:
        entry = tx.caller.entry(
            "rank", "peak_plan", None, purpose=rankings.OFFERS, referral_ids=shown
        )
        await access_log.add(tx, entry)
        tx.looks.referral_ids -= shown


async def _taking_part(
    tx: Transaction, ids: Sequence[UUID] | None, policy: Policy
) -> tuple[list[UnsealedReferral], list[PlanPart], int]:
    """Return the open referrals in order, those that take no part, and how many are left out."""
    if ids is None:
        found = await waiting_list.list_sealed(tx)
    else:
        found = await referrals.list_sealed(tx, ids, own=True)
        if len(found) != len(set(ids)):
            raise Missing
    refused = [
        PlanPart(row.id, row.urgency, refusal=ERASED if row.key is None else NOT_OPEN)
        for row in sorted(found, key=lambda row: (row.created_at, row.id))
        if row.key is None or row.status != "open"
    ]
    apart = {part.referral_id for part in refused}
    opened, unreadable = referrals.unseal_readable(tx, (r for r in found if r.id not in apart))
    refused += [PlanPart(row.id, row.urgency, refusal=UNREADABLE) for row in unreadable]
    ordered = waiting_list.in_order(opened, policy=policy)
    return ordered[:MOST], refused, len(ordered[MOST:])


def _part(referral: UnsealedReferral, refusal: str, *, wait_s: int) -> PlanPart:
    return PlanPart(referral.id, referral.case.urgency, refusal=refusal, wait_s=wait_s)


def rank_and_plan(
    taking_part: Sequence[UnsealedReferral],
    known: ReferralSituations,
    reference: Reference,
    snapshot: RegisterSnapshot,
    at: datetime,
) -> tuple[list[RankedCase], Plan]:
    """Rank all and plan: pure work for another thread, so that the process stays responsive."""
    ranked: list[RankedCase] = []
    for referral in taking_part:
        need = referrals.need_of(referral.content, reference)
        situation = rankings.situation_of(
            known.each[referral.id], need, at=at, reference=reference, snapshot=snapshot
        )
        inputs = RankingInputs(need, snapshot.register, situation, reference.policy)
        made = rankings.apply_newest_rules(referral, inputs, reference=reference)
        asker = peaks.peak_referral(
            str(referral.id), need, made.ranking, snapshot.register, situation, reference.policy
        )
        ranked.append(RankedCase(referral, made, asker))
    return ranked, peaks.plan([one.asker for one in ranked], known.free)


def _rows_of(ranked: Sequence[RankedCase], snapshot: RegisterSnapshot) -> list[RankingRow]:
    return [rankings.ranking_row(one.referral, one.ranked, snapshot=snapshot) for one in ranked]


# --- in counts: administrators see no client, and the worker, who may, shows them none


async def ask_counts(tx: Transaction) -> CountsRow:
    """Ask for a plan for all open referrals of the country, in counts.

    There is one for each step of availability, shared by all: asking often shows nobody who comes
    or goes.
    """
    policy = (await tx.snapshots.reference(tx)).policy
    of_this_step = await peak_rows.newest(tx, minutes=policy.availability_step_minutes)
    if of_this_step is not None:
        return of_this_step
    id_ = uuid4()
    await peak_rows.ask(tx, id_, account_id=tx.caller.account_id)
    return await read_counts(tx, id_)


async def read_counts(tx: Transaction, id_: UUID) -> CountsRow:
    """Return a plan in counts, or raise Missing."""
    row = await peak_rows.read(tx, id_)
    if row is None:
        raise Missing
    return row


async def make_counts(tx: Transaction) -> int:
    """Make the plans in counts that were asked for, as the worker; return how many."""
    asked = await peak_rows.lock_unmade(tx)
    if not asked:
        return 0
    reference = await tx.snapshots.reference(tx)
    snapshot = await tx.snapshots.register(tx)
    found = await referrals.list_next_open(tx, after=None, most=READ_AT_ONCE)
    opened, _ = referrals.unseal_readable(tx, found)
    ordered = waiting_list.in_order(opened, policy=reference.policy)[:MOST]
    most = reference.policy.rankings_per_hour
    known = await peak_rows.read_situations(tx, [one.id for one in ordered], rankings_per_hour=most)
    ranked, plan = await asyncio.to_thread(
        rank_and_plan, ordered, known, reference, snapshot, tx.at
    )
    await peak_rows.answer(tx, asked, plan_in_counts(ranked, plan))
    opened_ids = tuple(sorted(tx.looks.referral_ids))
    await access_log.add(
        tx, access_log.of_actor(tx.actor, "rank", "peak_plan", asked[0], referral_ids=opened_ids)
    )
    return len(asked)


async def prune_counts(tx: Transaction) -> None:
    """Forget plans in counts that are a day old."""
    await peak_rows.prune(tx)


def plan_in_counts(ranked: Sequence[RankedCase], plan: Plan) -> dict[str, Any]:
    """Return a plan in counts by urgency, region of origin and band, small ones suppressed."""
    parts = list(zip(ranked, plan.referrals, strict=True))
    return {
        "urgency": suppress_small(
            Counter((one.asker.urgency, _done(planned)) for one, planned in parts),
            keys=[(urgency, done) for urgency in peaks.URGENCIES for done in DONE],
        ),
        "in_turn": suppress_small(Counter(plan.placed_in_turn), keys=peaks.URGENCIES),
        "region": suppress_small(
            Counter((one.ranked.need.origin_region, _done(planned)) for one, planned in parts),
            keys=[
                (region, done)
                for region in sorted({o.ranked.need.origin_region for o in ranked})
                for done in DONE
            ],
        ),
        "band": suppress_small(
            Counter(planned.choice.offer.band for planned in plan.referrals if planned.choice),
            keys=BANDS,
        ),
    }


DONE = ("placed", "not_placed")
BANDS = ("ample", "sufficient")


def _done(planned: PlannedReferral) -> str:
    return DONE[planned.choice is None]


def suppress_small(counts: Mapping[Any, int], *, keys: Collection[Any]) -> list[list[Any]]:
    """Return the count of each key: None for small ones and for those that would reveal them.

    The total counts as known, since another table gives it away.
    """
    shown = counts_to_show(counts, keys=keys)
    return [[*(key if isinstance(key, tuple) else (key,)), count] for key, count in shown.items()]
