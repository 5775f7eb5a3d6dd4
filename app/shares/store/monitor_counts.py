"""What the worker counts of a quarter, each by an index on the moment of its rows."""

# ruff: noqa: S608 - every statement is made of the constants here

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, DateTime, TextClause, bindparam, delete, func, select, text

from app.database.transaction import Transaction
from app.models import HouseholdCount, MonitorDay, Referral
from app.shares.store.quarter_rows import QuarterSpan

_TYPES: Mapping[str, Any] = {
    "begins": DateTime(timezone=True),
    "ends": DateTime(timezone=True),
    "first": Date(),
    "after": Date(),
}

# A household's time with Plek begins, or goes on in another place; and it ends.
BEGINS = "p.arrived_at >= :begins AND p.arrived_at < :ends"
# One lookup each: as a condition on the whole table it would be read from end to end.
MOVED_ON = (
    "coalesce((SELECT true FROM placements AS n WHERE n.previous_id = p.id"
    " AND n.status NOT IN ('no_show', 'cancelled') AND n.arrived_at IS NOT NULL LIMIT 1), false)"
)
STAY = """
  SELECT min(s.arrived_at AT TIME ZONE :zone)::date AS began, count(*) - 1 AS moves
  FROM placements AS s
  WHERE s.stay_id = p.stay_id AND s.arrived_at IS NOT NULL AND s.arrived_at < :ends"""
ORIGIN = (
    "JOIN referrals AS r ON r.id = {}.referral_id JOIN municipalities AS m ON m.code = r.origin"
)

COUNTED: Mapping[str, str] = {
    "inflow": f"""
SELECT p.receiving AS region, p.receiver_id::text AS provider, p.reason AS code, count(*) AS count
FROM placements AS p WHERE {BEGINS} AND p.previous_id IS NULL GROUP BY 1, 2, 3""",
    "throughflow": f"""
SELECT p.receiving AS region, p.receiver_id::text AS provider, NULL::text AS code, count(*) AS count
FROM placements AS p JOIN placements AS o ON o.id = p.previous_id
WHERE {BEGINS} AND o.kind IN ('crisis', 'emergency') AND p.kind = 'regular' GROUP BY 1, 2""",
    "waiting": f"""
SELECT p.origin_region AS region, p.provider_id::text AS provider,
       CASE WHEN p.created_at - r.created_at < interval '1 hour' THEN 'within_hour'
            WHEN p.created_at - r.created_at < interval '1 day' THEN 'within_day'
            WHEN p.created_at - r.created_at < interval '7 days' THEN 'within_week'
            ELSE 'longer' END AS code,
       count(*) AS count
FROM placements AS p JOIN referrals AS r ON r.id = p.referral_id
WHERE {BEGINS} AND p.previous_id IS NULL GROUP BY 1, 2, 3""",
    "overrides": f"""
SELECT p.origin_region AS region, p.provider_id::text AS provider,
       coalesce(h.override_reason, 'none') AS code, count(*) AS count
FROM placements AS p JOIN holds AS h ON h.id = p.hold_id WHERE {BEGINS} GROUP BY 1, 2, 3""",
    "alternatives": f"""
SELECT m.region, a.provider_id::text AS provider, a.kind AS code, count(*) AS count
FROM alternatives AS a {ORIGIN.format("a")}
WHERE a.started_at >= :begins AND a.started_at < :ends GROUP BY 1, 2, 3""",
    "answers": """
SELECT m.region, h.receiver_id::text AS provider,
       CASE WHEN h.status IN ('no_answer', 'declined') THEN coalesce(h.reason, h.status)
            ELSE 'accepted' END AS code,
       count(*) AS count
FROM holds AS h
JOIN sites AS s ON s.id = h.site_id JOIN municipalities AS m ON m.code = s.municipality
WHERE h.resolved_at >= :begins AND h.resolved_at < :ends AND h.provider_id <> h.receiver_id
  AND (h.status IN ('no_answer', 'declined') OR h.accepted_by = 'person') GROUP BY 1, 2, 3""",
    "releases": f"""
SELECT m.region, h.provider_id::text AS provider, h.reason AS code, count(*) AS count
FROM holds AS h {ORIGIN.format("h")}
WHERE h.resolved_at >= :begins AND h.resolved_at < :ends
  AND h.status = 'released' AND h.reason IS NOT NULL
GROUP BY 1, 2, 3""",
    "blockers": """
SELECT p.receiving AS region, p.receiver_id::text AS provider, b.code, count(*) AS count
FROM blocker_periods AS b JOIN placements AS p ON p.id = b.placement_id
WHERE b.since >= :begins AND b.since < :ends GROUP BY 1, 2, 3""",
}
"""The statements by measure; `code` is that of the first breakdown, if there is one."""

ENDED = f"""
SELECT p.receiving AS region, p.receiver_id::text AS provider, p.destination, s.moves,
       greatest(:first - s.began, 0) AS entered,
       (p.departed_at AT TIME ZONE :zone)::date - s.began AS days, count(*) AS count
FROM placements AS p CROSS JOIN LATERAL ({STAY}) AS s
WHERE p.arrived_at IS NOT NULL AND p.departed_at >= :begins AND p.departed_at < :ends
  AND NOT {MOVED_ON}
GROUP BY 1, 2, 3, 4, 5, 6"""

GOING_ON = f"""
SELECT p.receiving AS region, greatest(:first - s.began, 0) AS entered,
       :after - 1 - s.began AS days, count(*) AS count
FROM placements AS p CROSS JOIN LATERAL ({STAY}) AS s
WHERE p.arrived_at IS NOT NULL AND p.arrived_at < :ends
  AND (p.departed_at IS NULL OR p.departed_at >= :ends)
GROUP BY 1, 2, 3"""

USE = """
SELECT provider_id, region, count(*) AS days, sum(places - out_of_service) AS places,
       sum(in_use) AS in_use, sum(sites) AS sites, sum(stale) AS stale, sum(unknown) AS unknown
FROM monitor_days WHERE day >= :first AND day < :after GROUP BY 1, 2"""

COUNT_DAY = """
INSERT INTO monitor_days
  (day, provider_id, region, places, in_use, out_of_service, sites, stale, unknown)
SELECT :first, p.provider_id, m.region, count(*),
       count(*) FILTER (WHERE c.kind IN ('placement', 'occupied')),
       count(*) FILTER (WHERE c.kind = 'out_of_service'),
       count(DISTINCT s.id), count(DISTINCT s.id) FILTER (WHERE s.confirmed_at < :begins),
       count(DISTINCT s.id) FILTER (WHERE s.confirmed_at IS NULL)
FROM claims AS c JOIN places AS p ON p.id = c.place_id JOIN sites AS s ON s.id = p.site_id
JOIN municipalities AS m ON m.code = s.municipality
WHERE s.status = 'approved' AND NOT EXISTS (SELECT FROM monitor_days WHERE day = :first)
GROUP BY 2, 3
ON CONFLICT DO NOTHING"""


@dataclass(frozen=True, slots=True)
class CountRow:
    """How many a provider had in a region; `code` is None if the measure has no breakdown."""

    region: str
    provider: str
    code: str | None
    count: int


@dataclass(frozen=True, slots=True)
class EndedRow:
    """Stays that ended alike: observed from their day `entered` on, and ended on day `days`."""

    region: str
    provider: str
    destination: str
    moves: int
    entered: int
    days: int
    count: int


@dataclass(frozen=True, slots=True)
class GoingOnRow:
    """Stays that were going on when the quarter ended, on their day `days`."""

    region: str
    entered: int
    days: int
    count: int


@dataclass(frozen=True, slots=True)
class ProviderUseRow:
    """A provider's places and sites in a region, each summed over the counted days."""

    provider_id: UUID
    region: str
    days: int
    places: int
    in_use: int
    sites: int
    stale: int
    unknown: int


def _statement(sql: str) -> TextClause:
    return text(sql).bindparams(
        *(bindparam(name, type_=kind) for name, kind in _TYPES.items() if f":{name}" in sql)
    )


_COUNTED = {measure: _statement(sql) for measure, sql in COUNTED.items()}
_ENDED, _GOING_ON, _USE, _COUNT_DAY = (_statement(sql) for sql in (ENDED, GOING_ON, USE, COUNT_DAY))
_FIRST_REFERRAL = select(func.min(Referral.created_at))


async def count_quarter(tx: Transaction, span: QuarterSpan) -> dict[str, list[CountRow]]:
    """Count a quarter, by measure."""
    return {
        measure: [CountRow(*row) for row in await tx.rows(statement, span.values_for(statement))]
        for measure, statement in _COUNTED.items()
    }


async def ended_stays(tx: Transaction, span: QuarterSpan) -> list[EndedRow]:
    """Return the stays that ended in a quarter."""
    return [EndedRow(*row) for row in await tx.rows(_ENDED, span.values_for(_ENDED))]


async def running_stays(tx: Transaction, span: QuarterSpan) -> list[GoingOnRow]:
    """Return the stays that had begun and not ended when a quarter ended."""
    return [GoingOnRow(*row) for row in await tx.rows(_GOING_ON, span.values_for(_GOING_ON))]


async def place_use(tx: Transaction, span: QuarterSpan) -> list[ProviderUseRow]:
    """Return how places were used, over the counted days."""
    return [
        ProviderUseRow(row.provider_id, row.region, *(int(number) for number in row[2:]))
        for row in await tx.rows(_USE, span.values_for(_USE))
    ]


async def count_day(tx: Transaction, day: date, *, stale_before: datetime) -> bool:
    """Count the places of all providers now, for this day; False if that has been done."""
    return await tx.run(_COUNT_DAY, {"first": day, "begins": stale_before}) > 0


async def forget_quarter(tx: Transaction, span: QuarterSpan) -> None:
    """Delete the daily counts and household sums of a quarter and of those before it."""
    await tx.run(delete(MonitorDay).where(MonitorDay.day < span.after))
    await tx.run(delete(HouseholdCount).where(HouseholdCount.quarter <= span.first))


async def first_referral(tx: Transaction) -> datetime | None:
    """Return when the first referral was registered."""
    return (await tx.rows(_FIRST_REFERRAL))[0][0]
