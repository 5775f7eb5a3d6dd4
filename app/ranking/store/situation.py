"""The situation of a referral in one reading: free places, freshness, shares, refusals."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from app.database.transaction import Transaction
from app.models.states import decline_bars

OF_ALL = """
  (SELECT coalesce(json_object_agg(
     id, floor(extract(epoch FROM clock_timestamp() - confirmed_at) / 3600)::int), '{}')
   FROM sites WHERE confirmed_at IS NOT NULL) AS confirmed_hours,
  (SELECT coalesce(json_object_agg(region, deficit), '{}') FROM shares) AS deficits,
  (SELECT coalesce(json_object_agg(provider_id, permille), '{}') FROM (
     SELECT provider_id, (1000 * sum(total - free) / sum(total))::int AS permille
     FROM availability_steps GROUP BY provider_id HAVING sum(total) > 0
   ) AS step) AS occupancy
"""
"""The columns that are the same for every referral."""

# Rankings that the worker made because of a vacancy do not count: nobody asked for them.
WAIT = """
(SELECT ceil(extract(epoch FROM as_of + interval '1 hour' - clock_timestamp()))::int FROM rankings
 WHERE referral_id = {referral} AND as_of > clock_timestamp() - interval '1 hour'
   AND came_free_rank IS NULL
 ORDER BY as_of DESC OFFSET :most - 1 LIMIT 1)
"""
"""Seconds until a referral may be ranked again, or null; `most` is the limit per hour."""

# Free places are counted up to three, which stands for more, and the clock is read once, so that
# the index can be searched for it: then the cost does not grow with the number of places.
STANDING = text(f"""
SELECT
  (SELECT coalesce(json_object_agg(g.id, f.free), '{{}}')
   FROM place_groups g
   CROSS JOIN LATERAL (
     SELECT count(*) AS free FROM (
       SELECT FROM claims c
       WHERE c.group_id = g.id AND c.claimed_until <= (SELECT clock_timestamp()) LIMIT 3
     ) AS first_three
   ) AS f
   WHERE f.free > 0) AS free,
  {OF_ALL},
  ARRAY(SELECT DISTINCT h.site_id::text FROM holds AS h
        WHERE h.referral_id = :referral_id AND h.status = 'declined'
          AND {decline_bars("h")}) AS declined,
  ARRAY(SELECT capped_regions(CAST(:referral_id AS uuid))) AS capped,
  {WAIT.format(referral=":referral_id")} AS wait_s
""")  # noqa: S608 - made of the constants here


@dataclass(frozen=True, slots=True)
class ReferralSituation:
    """What the database knows of the moment for a referral.

    Ids are strings; units are those of `allocation.values.Situation`.
    """

    free: Mapping[str, int]
    confirmed_hours: Mapping[str, int]
    deficits: Mapping[str, int]
    occupancy: Mapping[str, int]
    declined_sites: frozenset[str]
    capped_regions: frozenset[str]
    wait_s: int
    """Seconds until the referral may be ranked again; 0 for now."""


async def read(tx: Transaction, referral_id: UUID, *, rankings_per_hour: int) -> ReferralSituation:
    """Return the situation of a referral."""
    row = (await tx.rows(STANDING, {"referral_id": referral_id, "most": rankings_per_hour}))[0]
    return ReferralSituation(
        free=row.free,
        confirmed_hours=row.confirmed_hours,
        deficits=row.deficits,
        occupancy=row.occupancy,
        declined_sites=frozenset(row.declined),
        capped_regions=frozenset(row.capped),
        wait_s=max(0, row.wait_s or 0),
    )
