"""The situation of many referrals in one reading, and plans in counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, delete, func, insert, select, text, update

from app.database.transaction import Transaction
from app.models import PeakPlan
from app.models.states import decline_bars
from app.ranking.store.situation import OF_ALL, WAIT, ReferralSituation

A_RANKING_SEES = 3
"""The most free places of a group that a ranking counts: three stands for more."""
KEPT_HOURS = 24

# As situation.py reads it for one referral, but with every free place counted: a plan may use each.
STANDING = text(f"""
SELECT
  (SELECT coalesce(json_object_agg(group_id, free), '{{}}') FROM (
     SELECT group_id, count(*) AS free FROM claims
     WHERE claimed_until <= (SELECT clock_timestamp()) GROUP BY group_id
   ) AS f) AS free,
  {OF_ALL},
  ARRAY(SELECT capped_regions(NULL)) AS capped,
  (SELECT coalesce(json_object_agg(referral_id, sites), '{{}}') FROM (
     SELECT h.referral_id, array_agg(DISTINCT h.site_id) AS sites
     FROM holds AS h
     WHERE h.referral_id = ANY (:ids) AND h.status = 'declined' AND {decline_bars("h")}
     GROUP BY h.referral_id
   ) AS d) AS declined,
  (SELECT coalesce(json_object_agg(id, wait_s), '{{}}') FROM (
     SELECT asked.id, {WAIT.format(referral="asked.id")} AS wait_s FROM unnest(:ids) AS asked (id)
   ) AS w WHERE wait_s IS NOT NULL) AS waits
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)))  # noqa: S608 - made of the constants there


@dataclass(frozen=True, slots=True)
class ReferralSituations:
    """What the database knows of the moment for many referrals; `free` has all free places."""

    free: Mapping[str, int]
    each: Mapping[UUID, ReferralSituation]


async def read_situations(
    tx: Transaction, ids: Sequence[UUID], *, rankings_per_hour: int
) -> ReferralSituations:
    """Return the situations of some referrals."""
    row = (await tx.rows(STANDING, {"ids": ids, "most": rankings_per_hour}))[0]
    for_all = ReferralSituation(
        free={group: min(free, A_RANKING_SEES) for group, free in row.free.items()},
        confirmed_hours=row.confirmed_hours,
        deficits=row.deficits,
        occupancy=row.occupancy,
        declined_sites=frozenset(),
        capped_regions=frozenset(row.capped),
        wait_s=0,
    )
    each = {
        id_: replace(
            for_all,
            declined_sites=frozenset(row.declined.get(str(id_), ())),
            wait_s=max(0, row.waits.get(str(id_), 0)),
        )
        for id_ in ids
    }
    return ReferralSituations(row.free, each)


# --- counts, made by the worker -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CountsRow:
    """A plan for all of the country in counts, which the worker fills in."""

    id: UUID
    asked_at: datetime
    made_at: datetime | None
    counts: Mapping[str, Any] | None


_COLUMNS = (PeakPlan.id, PeakPlan.asked_at, PeakPlan.made_at, PeakPlan.counts)


async def ask(tx: Transaction, id_: UUID, *, account_id: UUID) -> None:
    """Ask for a plan in counts."""
    await tx.run(insert(PeakPlan).values(id=id_, account_id=account_id))


async def newest(tx: Transaction, *, minutes: int) -> CountsRow | None:
    """Return the newest plan in counts that was asked for in the last minutes."""
    since = func.clock_timestamp() - timedelta(minutes=minutes)
    wanted = (
        select(*_COLUMNS)
        .where(PeakPlan.asked_at > since)
        .order_by(PeakPlan.asked_at.desc())
        .limit(1)
    )
    row = await tx.row(wanted)
    return None if row is None else CountsRow(*row)


async def read(tx: Transaction, id_: UUID) -> CountsRow | None:
    """Return a plan in counts."""
    row = await tx.row(select(*_COLUMNS).where(PeakPlan.id == id_))
    return None if row is None else CountsRow(*row)


async def lock_unmade(tx: Transaction) -> list[UUID]:
    """Lock and return the plans in counts that are still to be made; skip those locked."""
    wanted = select(PeakPlan.id).where(PeakPlan.made_at.is_(None)).order_by(PeakPlan.id)
    return [row.id for row in await tx.rows(wanted.with_for_update(skip_locked=True))]


async def answer(tx: Transaction, ids: Sequence[UUID], counts: Mapping[str, Any]) -> None:
    """Store the counts of plans that were asked for."""
    made = (
        update(PeakPlan)
        .where(PeakPlan.id.in_(ids))
        .values(counts=dict(counts), made_at=func.clock_timestamp())
    )
    await tx.run(made)


async def prune(tx: Transaction) -> None:
    """Delete plans in counts that are a day old."""
    await tx.run(
        delete(PeakPlan).where(
            PeakPlan.asked_at < func.clock_timestamp() - timedelta(hours=KEPT_HOURS)
        )
    )
