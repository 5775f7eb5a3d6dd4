"""Quarters that are over, made by rows.

Places, and households that came and left long before a test begins.
"""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.allocation.shares.quarters import Quarter
from app.database.transaction import WORKER
from app.shares import monitor_releases
from tests.country import HERE, Country, Shelter

ZONE = ZoneInfo("Europe/Amsterdam")
PAST = Quarter(2026, 1)
"""A quarter that is long over whenever a test runs."""

STAYS = """
WITH made AS (
  SELECT n, gen_random_uuid() AS referral, gen_random_uuid() AS ranking, gen_random_uuid() AS hold,
         gen_random_uuid() AS stay, gen_random_uuid() AS placement
  FROM generate_series(1, :count) AS n
), referral AS (
  INSERT INTO referrals (id, provider_id, reference, status, urgency, reason, origin, created_at)
  SELECT referral, :sender, referral::text, 'ended', 'acute', :reason, :origin,
         CAST(:arrived AS timestamptz) - interval '3 hours' FROM made
), ranking AS (
  INSERT INTO rankings (id, referral_id, provider_id, referral_version, register_version, as_of, policy_hash,
                        register_hash, rules_version, digest, sealed)
  SELECT ranking, referral, :sender, 1, 1, :arrived, '', '', '', '', '' FROM made
), hold AS (
  INSERT INTO holds (id, referral_id, provider_id, receiver_id, place_id, site_id, kind, ranking_id, rank,
                     override_reason, status, accepted_by, accepted_at, expires_at, renewals_left, resolved_at)
  SELECT hold, referral, :sender, :receiver, :place, :site, 'crisis', ranking, 1, NULL, 'placed', 'person', :arrived,
         :arrived, 0, :arrived FROM made
), stay AS (
  INSERT INTO stays (id, referral_id, provider_id) SELECT stay, referral, :sender FROM made
)
INSERT INTO placements (id, stay_id, referral_id, hold_id, provider_id, receiver_id, place_id, site_id, kind, status,
                        reason, origin, origin_region, receiving, cross_regional, arrived_at, departed_at, destination,
                        created_at)
SELECT placement, stay, referral, hold, :sender, :receiver, :place, :site, 'crisis', :status, :reason, :origin,
       :origin_region, :receiving, :origin_region <> :receiving, :arrived, :departed, :destination,
       CAST(:arrived AS timestamptz) - interval '1 hour'
FROM made
"""


WHERE = """
SELECT s.provider_id, m.region FROM sites AS s JOIN municipalities AS m ON m.code = s.municipality
WHERE s.id = CAST(:id AS uuid)
"""


def noon(day: date) -> datetime:
    """Return the middle of a day where the country is."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=ZONE)


class Past:
    """What happened before: stays at a few shelters, of households of one sender."""

    def __init__(self, country: Country, sender: Any) -> None:
        self.country = country
        self.sender = sender

    async def stays(
        self, there: Shelter, count: int, *, arrived: date, days: int | None = None, **more: str
    ) -> None:
        """Let some households come to a shelter on a day, and leave after some days.

        None: they are there yet.
        """
        site = (await self.country.rows(WHERE, id=there.site_id))[0]
        values = {
            "sender": self.sender,
            "receiver": site.provider_id,
            "place": there.place_ids[0],
            "site": there.site_id,
            "origin": more.get("origin", HERE),
            "origin_region": more.get("origin", HERE),
            "receiving": site.region,
            "reason": more.get("reason", "safety"),
            "arrived": noon(arrived),
            "departed": None if days is None else noon(arrived + timedelta(days=days)),
            "status": "arrived" if days is None else "ended",
            "destination": None if days is None else more.get("destination", "new_home"),
        }
        await self.country.rows(STAYS, count=count, **values)


async def release_all(country: Country) -> list[Quarter]:
    """Release every quarter that is due, as the worker does."""
    released: list[Quarter] = []
    while True:
        async with country.parts.database.transaction(actor=WORKER) as tx:
            made = await monitor_releases.release_next_quarter(tx)
        if made is None:
            return released
        released.append(made)
