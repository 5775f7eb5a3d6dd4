"""What is counted of a quarter beside the ledger: hotel nights, waiting, places, staff, answers, and caps."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Date, Text, bindparam, select, text

from app.database.transaction import Transaction
from app.models import Displacement

_SPAN = (
    bindparam("first", type_=Date()),
    bindparam("after", type_=Date()),
    bindparam("zone", type_=Text()),
)

# A night is a local midnight; who is still there has all that there have been.
_HOTEL_NIGHTS = text("""
SELECT m.region, sum(least(:after, coalesce((a.ended_at AT TIME ZONE :zone)::date, :after))
                     - greatest(:first, (a.started_at AT TIME ZONE :zone)::date))::bigint AS amount
FROM alternatives AS a
JOIN referrals AS r ON r.id = a.referral_id
JOIN municipalities AS m ON m.code = r.origin
WHERE a.kind = 'hotel' AND (a.started_at AT TIME ZONE :zone)::date < :after
  AND coalesce((a.ended_at AT TIME ZONE :zone)::date, :after) > :first
GROUP BY m.region
""").bindparams(*_SPAN)

# From the day of registering until somebody confirmed a place, or the referral was closed without
# one.
_WAITING_DAYS = text("""
SELECT w.region, sum(least(:after, w.until) - greatest(:first, w.since))::bigint AS amount
FROM (
  SELECT m.region, (r.created_at AT TIME ZONE :zone)::date AS since,
         coalesce((SELECT (min(p.created_at) AT TIME ZONE :zone)::date FROM placements AS p WHERE p.referral_id = r.id),
                  CASE WHEN r.status IN ('ended', 'withdrawn') THEN (r.updated_at AT TIME ZONE :zone)::date END,
                  :after) AS until
  FROM referrals AS r JOIN municipalities AS m ON m.code = r.origin
) AS w
WHERE w.since < :after AND w.until > :first
GROUP BY w.region
""").bindparams(*_SPAN)

_PLACES = text("""
SELECT m.region, count(*) AS places,
       count(*) FILTER (WHERE s.admission = 'open'
                        AND (c.kind = 'out_of_service' AND c.reason = 'staffing') IS NOT TRUE) AS staffed
FROM places AS p
JOIN place_groups AS g ON g.id = p.group_id
JOIN sites AS s ON s.id = p.site_id
JOIN municipalities AS m ON m.code = s.municipality
JOIN claims AS c ON c.place_id = p.id
WHERE g.kind <> 'alternative'
GROUP BY m.region
""")

# What people were asked: not a provider's own places, nor those that are accepted by themselves,
# nor swaps.
_ANSWERS = text("""
SELECT m.region, count(*) AS offers, count(*) FILTER (WHERE h.status = 'declined') AS declined,
       count(*) FILTER (WHERE h.status = 'no_answer') AS unanswered
FROM holds AS h
JOIN sites AS s ON s.id = h.site_id
JOIN municipalities AS m ON m.code = s.municipality
WHERE (h.created_at AT TIME ZONE :zone)::date >= :first AND (h.created_at AT TIME ZONE :zone)::date < :after
  AND h.swap_id IS NULL AND (h.accepted_by IS NULL OR h.accepted_by = 'person')
GROUP BY m.region
""").bindparams(*_SPAN)


@dataclass(frozen=True, slots=True)
class PlaceCount:
    """How many places a region has now, and how many of them are not closed for want of staff."""

    places: int
    staffed: int


@dataclass(frozen=True, slots=True)
class Answers:
    """How many lawful offers people of a region were asked to accept, and how they were not accepted."""

    offers: int
    declined: int
    unanswered: int


@dataclass(frozen=True, slots=True)
class Span:
    """The days from one to before another, where the clocks of a zone are."""

    first: date
    after: date
    zone: str

    @property
    def values(self) -> dict[str, object]:
        """As statements take it."""
        return {"first": self.first, "after": self.after, "zone": self.zone}


async def hotel_nights(tx: Transaction, span: Span) -> Mapping[str, int]:
    """Return nights in hotels by the region that the household comes from."""
    return {row.region: row.amount for row in await tx.rows(_HOTEL_NIGHTS, span.values)}


async def waiting_days(tx: Transaction, span: Span) -> Mapping[str, int]:
    """Return whole days that households waited for a place, by the region that they come from."""
    return {row.region: row.amount for row in await tx.rows(_WAITING_DAYS, span.values)}


async def places(tx: Transaction) -> Mapping[str, PlaceCount]:
    """Return how many places there are now, by region."""
    return {row.region: PlaceCount(row.places, row.staffed) for row in await tx.rows(_PLACES)}


async def answers(tx: Transaction, span: Span) -> Mapping[str, Answers]:
    """Return how lawful offers were answered, by the region of the place."""
    return {
        row.region: Answers(row.offers, row.declined, row.unanswered)
        for row in await tx.rows(_ANSWERS, span.values)
    }


async def displacements(tx: Transaction) -> list[tuple[int, UUID]]:
    """Return each arrival that a cap sent elsewhere, by its leaf, with the cap."""
    wanted = select(Displacement.index.label("leaf"), Displacement.cap_id)
    return [
        (row.leaf, row.cap_id)
        for row in await tx.rows(wanted.order_by(Displacement.index, Displacement.cap_id))
    ]
