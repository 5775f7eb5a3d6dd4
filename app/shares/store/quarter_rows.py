"""Totals of quarters: versions, leaves, what regions settle, and regional balances."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Text, TextClause, bindparam, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on, insert

from app.allocation.shares.balances import RegionBalance
from app.allocation.shares.quarters import quarter_named
from app.allocation.shares.settlement import QuarterSeal
from app.database.transaction import Transaction
from app.models import (
    Displacement,
    Leaf,
    Opening,
    QuarterFigures,
    QuarterTotal,
    Share,
    Weight,
)

FIRST = 1
"""The version of a quarter's totals: there is no other, but in ledgers of the earlier edition."""


@dataclass(frozen=True, slots=True)
class SealedTotals:
    """A quarter's newest totals: the version, the leaf, and the leaf's readable content."""

    quarter: str
    version: int
    index: int
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HouseholdSum:
    """An amount, and how many households make it up."""

    amount: int
    households: int


@dataclass(frozen=True, slots=True)
class PlaceCount:
    """How many places a region has now, and how many of them have staff."""

    places: int
    staffed: int


@dataclass(frozen=True, slots=True)
class AnswerCount:
    """How many lawful offers a region's providers were asked to accept, and did not accept.

    And how many households they were for.
    """

    households: int
    offers: int
    declined: int
    unanswered: int


@dataclass(frozen=True, slots=True)
class QuarterSpan:
    """A quarter: its days, the moments at which it begins and ends, and the local time zone."""

    first: date
    after: date
    begins: datetime
    ends: datetime
    zone: str

    def values_for(self, statement: TextClause) -> Mapping[str, object]:
        """Return the values that a statement names."""
        return {
            name: getattr(self, name)
            for name in QuarterSpan.__slots__
            if f":{name}" in statement.text
        }


_NEWEST = (
    select(
        QuarterTotal.quarter, QuarterTotal.version, QuarterTotal.index.label("leaf"), Leaf.content
    )
    .ext(distinct_on(QuarterTotal.quarter))
    .join(Leaf, Leaf.index == QuarterTotal.index)
    .order_by(QuarterTotal.quarter, QuarterTotal.version.desc())
)


async def newest(tx: Transaction, quarters: Sequence[str] | None = None) -> dict[str, SealedTotals]:
    """Return the newest totals by quarter, of some quarters or of all sealed ones."""
    wanted = _NEWEST if quarters is None else _NEWEST.where(QuarterTotal.quarter.in_(quarters))
    return {
        row.quarter: SealedTotals(row.quarter, row.version, row.leaf, content_of_leaf(row.content))
        for row in await tx.rows(wanted)
    }


def content_of_leaf(leaf: bytes) -> Mapping[str, Any]:
    """Return the content of a readable leaf."""
    content: Mapping[str, Any] = json.loads(leaf)["content"]
    return content


async def sealed_quarters(tx: Transaction) -> set[str]:
    """Return the quarters that have been sealed."""
    return {row.quarter for row in await tx.rows(select(QuarterTotal.quarter).distinct())}


async def sealed_leaves(tx: Transaction) -> int:
    """Return the number of leaves that the newest totals were made from; 0 without totals."""
    wanted = select(Leaf.content).join(QuarterTotal, QuarterTotal.index == Leaf.index)
    row = await tx.row(wanted.order_by(QuarterTotal.index.desc()).limit(1))
    return 0 if row is None else content_of_leaf(row.content)["leaves"]


async def first_leaf(tx: Transaction) -> tuple[datetime, tuple[int, bytes] | None] | None:
    """Return when the first leaf was written, and the first sealed opening; None without any."""
    first = await tx.row(select(Leaf.written_at).order_by(Leaf.index).limit(1))
    if first is None:
        return None
    row = await tx.row(
        select(Opening.index.label("leaf"), Opening.sealed).order_by(Opening.index).limit(1)
    )
    return first.written_at, None if row is None else (row.leaf, row.sealed)


async def weights_on(tx: Transaction, day: date) -> dict[str, tuple[int, str]]:
    """Return each region's weight in force on a day, with its source."""
    rows = await tx.rows(
        select(Weight.region, Weight.weight, Weight.source)
        .ext(distinct_on(Weight.region))
        .where(Weight.valid_from <= day)
        .order_by(Weight.region, Weight.valid_from.desc())
    )
    return {row.region: (row.weight, row.source) for row in rows}


async def seals(tx: Transaction, quarters: Sequence[str]) -> list[QuarterSeal]:
    """Return when quarters were sealed first, in order; those that were not are left out."""
    wanted = (
        select(QuarterTotal.quarter, QuarterTotal.sealed_at, Leaf.content)
        .join(Leaf, Leaf.index == QuarterTotal.index)
        .where(QuarterTotal.quarter.in_(quarters), QuarterTotal.version == FIRST)
        .order_by(QuarterTotal.quarter)
    )
    return [
        QuarterSeal(
            quarter_named(row.quarter), content_of_leaf(row.content)["leaves"], row.sealed_at
        )
        for row in await tx.rows(wanted)
    ]


# --- sealing --------------------------------------------------------------------------


async def claim_quarter(tx: Transaction, quarter: str) -> bool:
    """Claim a quarter for sealing; False if another worker did.

    The second worker waits for the first, and finds the quarter sealed.
    """
    new = insert(QuarterTotal).values(quarter=quarter, version=FIRST).on_conflict_do_nothing()
    return await tx.run(new) == 1


async def set_leaf(tx: Transaction, quarter: str, *, index: int) -> None:
    """Store the leaf of a quarter that was claimed."""
    ours = (QuarterTotal.quarter == quarter, QuarterTotal.version == FIRST)
    await tx.run(
        update(QuarterTotal).where(*ours, QuarterTotal.index.is_(None)).values(index=index)
    )


async def add_figures(tx: Transaction, quarter: str, figures: Mapping[str, Any]) -> None:
    """Store a quarter's figures that no opening has, unless there are some."""
    await tx.run(
        insert(QuarterFigures)
        .values(quarter=quarter, figures=dict(figures))
        .on_conflict_do_nothing()
    )


# --- reading --------------------------------------------------------------------------


async def figures(
    tx: Transaction, quarters: Sequence[str] | None = None
) -> dict[str, Mapping[str, Any]]:
    """Return the figures of some or all quarters that no opening has, by quarter."""
    wanted = select(QuarterFigures.quarter, QuarterFigures.figures)
    rows = await tx.rows(
        wanted if quarters is None else wanted.where(QuarterFigures.quarter.in_(quarters))
    )
    return {row.quarter: row.figures for row in rows}


# --- figures that no opening has ---

_SPAN = (
    bindparam("first", type_=Date()),
    bindparam("after", type_=Date()),
    bindparam("zone", type_=Text()),
)

# A night is a local midnight; a household that is still there has all nights so far.
_HOTEL_NIGHTS = text("""
SELECT m.region, sum(least(:after, coalesce((a.ended_at AT TIME ZONE :zone)::date, :after))
                     - greatest(:first, (a.started_at AT TIME ZONE :zone)::date))::bigint AS amount,
       count(DISTINCT r.id) AS households
FROM alternatives AS a
JOIN referrals AS r ON r.id = a.referral_id
JOIN municipalities AS m ON m.code = r.origin
WHERE a.kind = 'hotel' AND (a.started_at AT TIME ZONE :zone)::date < :after
  AND coalesce((a.ended_at AT TIME ZONE :zone)::date, :after) > :first
GROUP BY m.region
""").bindparams(*_SPAN)

# From the day of registration until a place was confirmed, or the referral was closed without one.
_WAITING_DAYS = text("""
SELECT w.region, sum(least(:after, w.until) - greatest(:first, w.since))::bigint AS amount,
       count(*) AS households
FROM (
  SELECT m.region, (r.created_at AT TIME ZONE :zone)::date AS since,
         coalesce(
           (SELECT (min(p.created_at) AT TIME ZONE :zone)::date
            FROM placements AS p WHERE p.referral_id = r.id),
           CASE WHEN r.status IN ('ended', 'withdrawn')
                THEN (r.updated_at AT TIME ZONE :zone)::date END,
           :after) AS until
  FROM referrals AS r JOIN municipalities AS m ON m.code = r.origin
) AS w
WHERE w.since < :after AND w.until > :first
GROUP BY w.region
""").bindparams(*_SPAN)

_PLACES = text("""
SELECT m.region, count(*) AS places,
       count(*) FILTER (
         WHERE s.admission = 'open'
           AND (c.kind = 'out_of_service' AND c.reason = 'staffing') IS NOT TRUE) AS staffed
FROM places AS p
JOIN place_groups AS g ON g.id = p.group_id
JOIN sites AS s ON s.id = p.site_id
JOIN municipalities AS m ON m.code = s.municipality
JOIN claims AS c ON c.place_id = p.id
WHERE g.kind <> 'alternative'
GROUP BY m.region
""")

# Only what people were asked: not a provider's own places, automatic acceptances or swaps.
_ANSWERS = text("""
SELECT m.region, count(DISTINCT h.referral_id) AS households, count(*) AS offers,
       count(*) FILTER (WHERE h.status = 'declined') AS declined,
       count(*) FILTER (WHERE h.status = 'no_answer') AS unanswered
FROM holds AS h
JOIN sites AS s ON s.id = h.site_id
JOIN municipalities AS m ON m.code = s.municipality
WHERE (h.created_at AT TIME ZONE :zone)::date >= :first
  AND (h.created_at AT TIME ZONE :zone)::date < :after
  AND h.swap_id IS NULL AND (h.accepted_by IS NULL OR h.accepted_by = 'person')
GROUP BY m.region
""").bindparams(*_SPAN)


async def hotel_nights(tx: Transaction, span: QuarterSpan) -> Mapping[str, HouseholdSum]:
    """Return nights in hotels, by the household's region of origin."""
    return {
        row.region: HouseholdSum(row.amount, row.households)
        for row in await tx.rows(_HOTEL_NIGHTS, span.values_for(_HOTEL_NIGHTS))
    }


async def waiting_days(tx: Transaction, span: QuarterSpan) -> Mapping[str, HouseholdSum]:
    """Return the whole days that households waited for a place, by region of origin."""
    return {
        row.region: HouseholdSum(row.amount, row.households)
        for row in await tx.rows(_WAITING_DAYS, span.values_for(_WAITING_DAYS))
    }


async def place_counts(tx: Transaction) -> Mapping[str, PlaceCount]:
    """Return how many places there are now, by region."""
    return {row.region: PlaceCount(row.places, row.staffed) for row in await tx.rows(_PLACES)}


async def answer_counts(tx: Transaction, span: QuarterSpan) -> Mapping[str, AnswerCount]:
    """Return how lawful offers were answered, by the region of the place."""
    return {
        row.region: AnswerCount(row.households, row.offers, row.declined, row.unanswered)
        for row in await tx.rows(_ANSWERS, span.values_for(_ANSWERS))
    }


async def displacements(tx: Transaction) -> list[tuple[int, UUID]]:
    """Return each arrival that a cap sent elsewhere, by its leaf, with the cap."""
    wanted = select(Displacement.index.label("leaf"), Displacement.cap_id)
    return [
        (row.leaf, row.cap_id)
        for row in await tx.rows(wanted.order_by(Displacement.index, Displacement.cap_id))
    ]


# --- balances, as rankings see them ---


async def regions_without_balance(tx: Transaction, *, on: date) -> list[str]:
    """Return the regions whose balance on a day rankings do not see yet."""
    stale = select(Share.region).where(Share.shown_on.is_distinct_from(on)).order_by(Share.region)
    return [row.region for row in await tx.rows(stale)]


async def set_balances(tx: Transaction, balances: Mapping[str, RegionBalance], *, on: date) -> None:
    """Store the balances of regions on a day, for rankings to see."""
    rows = [
        {
            "of": region,
            "given": balance.given,
            "quota": balance.quota,
            "deficit": balance.deficit,
            "on": on,
        }
        for region, balance in sorted(balances.items())
    ]
    statement = (
        update(Share)
        .where(Share.region == bindparam("of"))
        .values(
            given=bindparam("given"),
            quota=bindparam("quota"),
            deficit=bindparam("deficit"),
            shown_on=bindparam("on"),
        )
    )
    await tx.run_each(statement, rows)
