"""Records that must agree, each read by one statement: it sees one moment of the database."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, DateTime, Text, Uuid, bindparam, func, select, text

from app.database.pool import Row
from app.database.transaction import Transaction
from app.models import Placement
from app.models.states import placement_awaited, placement_coming

# As many rows as there are places, live holds and households in them: it does not grow with time.
# The clock is read once: a hold and its claim run out at the same moment.
_CLAIMS = text(f"""
WITH moment AS MATERIALIZED (SELECT clock_timestamp() AS at), coming AS (
  SELECT id, place_id, stay_id, status FROM placements WHERE status IN ('underway', 'arrived')
  UNION SELECT id, place_id, stay_id, status FROM placements AS p WHERE {placement_awaited("p")}
)
SELECT 'claim_without_hold' AS code, c.place_id AS subject FROM claims AS c, moment
WHERE c.kind = 'hold' AND c.claimed_until > moment.at
  AND NOT EXISTS (SELECT FROM holds AS h
                  WHERE h.id = c.hold_id AND h.place_id = c.place_id AND h.resolved_at IS NULL
                    AND h.expires_at = c.claimed_until)
UNION ALL
SELECT 'claim_without_placement', c.place_id FROM claims AS c
WHERE c.kind = 'placement'
  AND NOT EXISTS (SELECT FROM placements AS p
                  WHERE p.id = c.placement_id AND p.place_id = c.place_id
                    AND {placement_coming("p")})
UNION ALL
SELECT 'successor_without_placement', c.place_id FROM claims AS c
WHERE c.successor_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM placements AS p
                  WHERE p.id = c.successor_id AND p.place_id = c.place_id
                    AND {placement_awaited("p")})
UNION ALL
SELECT 'hold_without_claim', h.id FROM holds AS h, moment
WHERE h.resolved_at IS NULL AND h.expires_at > moment.at
  AND NOT EXISTS (SELECT FROM claims AS c WHERE c.place_id = h.place_id AND c.hold_id = h.id)
UNION ALL
SELECT 'placement_without_claim', p.id FROM coming AS p
WHERE NOT EXISTS (SELECT FROM claims AS c
                  WHERE c.place_id = p.place_id AND p.id IN (c.placement_id, c.successor_id))
UNION ALL
SELECT DISTINCT 'stay_twice', p.stay_id FROM coming AS p WHERE p.status <> 'no_show'
GROUP BY p.stay_id, p.status HAVING count(*) > 1
ORDER BY code, subject
""")  # noqa: S608 - conditions by their names

_OVERLAPS = """
SELECT n.id FROM placements AS n JOIN placements AS p ON p.id = n.previous_id
WHERE n.id IN ({turned}) AND n.arrived_at IS NOT NULL
  AND (p.departed_at AT TIME ZONE :zone)::date > (n.arrived_at AT TIME ZONE :zone)::date
ORDER BY n.id
"""
_TURNED = """
SELECT id FROM placements WHERE arrived_at >= :first AND arrived_at < :after
UNION
SELECT t.id FROM placements AS l JOIN placements AS t ON t.previous_id = l.id
WHERE t.status IN ('arrived', 'ended')
  AND l.arrived_at IS NOT NULL AND l.departed_at >= :first AND l.departed_at < :after
"""

# What a household's time at a provider began with is named by each of its placements, once they
# have arrived there. Before that, the same column names the time from which they come.
_WITHIN = """
SELECT coalesce(began_id, id) AS id FROM placements
WHERE arrived_at >= :first AND arrived_at < :after
UNION
SELECT coalesce(began_id, id) FROM placements
WHERE arrived_at IS NOT NULL AND departed_at >= :first AND departed_at < :after
"""
_WRITTEN = """
SELECT DISTINCT placement_id AS id FROM leaves
WHERE index >= :first AND index < :after AND placement_id IS NOT NULL
"""
_OF_PLACEMENTS = """
SELECT DISTINCT CASE WHEN arrived_at IS NULL THEN id ELSE coalesce(began_id, id) END AS id
FROM placements WHERE id = ANY (:ids)
"""
_NAMED = "SELECT unnest(:ids)"
_IDS, _ZONE = bindparam("ids", type_=ARRAY(Uuid())), bindparam("zone", type_=Text())
_TIMES = """
WITH began AS MATERIALIZED ({began})
SELECT p.id, p.cross_regional, p.arrived_at,
       CASE WHEN lived.goes_on THEN NULL ELSE lived.departed_at END AS departed_at,
       told.indexes, told.sealed
FROM began JOIN placements AS p ON p.id = began.id
CROSS JOIN LATERAL (
  SELECT bool_or(n.status = 'arrived') AS goes_on, max(n.departed_at) AS departed_at
  FROM placements AS n
  WHERE n.arrived_at IS NOT NULL AND (n.id = p.id OR n.began_id = p.id)
) AS lived
CROSS JOIN LATERAL (
  SELECT coalesce(array_agg(l.index ORDER BY l.index), '{{}}') AS indexes,
         coalesce(array_agg(o.sealed ORDER BY l.index), '{{}}') AS sealed
  FROM leaves AS l JOIN openings AS o ON o.index = l.index WHERE l.placement_id = p.id
) AS told
ORDER BY p.id
"""
_MOMENTS = (
    bindparam("first", type_=DateTime(timezone=True)),
    bindparam("after", type_=DateTime(timezone=True)),
)
_INDEXES = (bindparam("first", type_=BigInteger()), bindparam("after", type_=BigInteger()))
_TIMES_WITHIN = text(_TIMES.format(began=_WITHIN)).bindparams(*_MOMENTS)
_TIMES_WRITTEN = text(_TIMES.format(began=_WRITTEN)).bindparams(*_INDEXES)
_TIMES_NAMED = text(_TIMES.format(began=_OF_PLACEMENTS)).bindparams(_IDS)
_OVERLAPS_WITHIN = text(_OVERLAPS.format(turned=_TURNED)).bindparams(*_MOMENTS, _ZONE)
_OVERLAPS_NAMED = text(_OVERLAPS.format(turned=_NAMED)).bindparams(_IDS, _ZONE)


@dataclass(frozen=True, slots=True)
class TimeRow:
    """A household's time at a provider, and the leaves that the ledger has of it, sealed."""

    began_with: UUID
    """The placement with which it began."""
    cross_regional: bool
    arrived_at: datetime | None
    departed_at: datetime | None
    """None while they live there."""
    indexes: list[int]
    sealed: list[bytes] = field(repr=False)


async def list_wrong_claims(tx: Transaction) -> list[tuple[str, UUID]]:
    """Return the claims, holds, placements and stays that contradict one another, by codes."""
    return [(row.code, row.subject) for row in await tx.rows(_CLAIMS)]


async def list_overlaps_within(
    tx: Transaction, first: datetime, after: datetime, *, zone: str
) -> list[UUID]:
    """Return the placements that began on an earlier day than the one before ended.

    Of those that began, or followed on one that ended, between two moments.
    """
    values = {"first": first, "after": after, "zone": zone}
    return [row.id for row in await tx.rows(_OVERLAPS_WITHIN, values)]


async def list_overlaps(tx: Transaction, ids: Collection[UUID], *, zone: str) -> list[UUID]:
    """Return those of some placements that began on an earlier day than the one before ended."""
    rows = await tx.rows(_OVERLAPS_NAMED, {"ids": list(ids), "zone": zone})
    return [row.id for row in rows]


async def list_times_within(tx: Transaction, first: datetime, after: datetime) -> list[TimeRow]:
    """Return the times at a provider in which someone came or left between two moments."""
    return _times(await tx.rows(_TIMES_WITHIN, {"first": first, "after": after}))


async def list_times_written(tx: Transaction, first: int, after: int) -> list[TimeRow]:
    """Return the times at a provider about which some leaves were written."""
    return _times(await tx.rows(_TIMES_WRITTEN, {"first": first, "after": after}))


async def list_times(tx: Transaction, ids: Collection[UUID]) -> list[TimeRow]:
    """Return the times at a provider that some placements are part of."""
    return _times(await tx.rows(_TIMES_NAMED, {"ids": list(ids)}))


async def first_arrival(tx: Transaction) -> datetime | None:
    """Return when the first household arrived; None before that."""
    return (await tx.rows(select(func.min(Placement.arrived_at))))[0][0]


def _times(rows: Collection[Row]) -> list[TimeRow]:
    return [TimeRow(*row) for row in rows]
