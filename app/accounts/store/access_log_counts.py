"""Counts of the access log by account, for its review; what is refused is no look.

They are bounded by two moments, and contain no entry and no referral.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Integer, Text, bindparam, text
from sqlalchemy import Uuid as UuidType

from app.database.transaction import Transaction

if TYPE_CHECKING:
    from sqlalchemy import Executable


@dataclass(frozen=True, slots=True)
class ReviewPeriod:
    """The period from the first moment that is counted to the first that is not."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class LocalHours:
    """Hours of the day, by the clocks of a time zone."""

    hours: tuple[int, ...]
    zone: str


@dataclass(frozen=True, slots=True)
class ReviewedAccount:
    """What an account was when it last looked."""

    roles: tuple[str, ...]
    provider_id: UUID | None


GRANTED = "at >= :since AND at < :until AND outcome = 'granted' AND account_id IS NOT NULL"
_SPAN = (
    bindparam("since", type_=DateTime(timezone=True)),
    bindparam("until", type_=DateTime(timezone=True)),
)

_SIMPLE = text(f"""
SELECT account_id,
       count(*) FILTER (WHERE action = 'change' AND purpose = 'danger_zones') AS zone_changes,
       count(*) FILTER (WHERE action = 'reveal') AS reveals,
       count(*) FILTER (WHERE action = 'raise') AS budget_raises,
       count(*) FILTER (
         WHERE action = ANY (:looks)
           AND CAST(extract(hour FROM at AT TIME ZONE :zone) AS integer) = ANY (:hours)
       ) AS odd_hours
FROM access_log WHERE {GRANTED} GROUP BY account_id
""").bindparams(  # noqa: S608 - made of the constant above
    *_SPAN,
    bindparam("looks", type_=ARRAY(Text)),
    bindparam("hours", type_=ARRAY(Integer)),
    bindparam("zone", type_=Text()),
)

# A hold by any account, at any time after the account's first ranking of that referral, accounts
# for all of its rankings.
_WITHOUT_HOLD = text(f"""
WITH ranked AS (
  SELECT account_id, referral_id, min(at) AS first, count(*) AS rankings
  FROM access_log CROSS JOIN LATERAL unnest(referral_ids) AS referral_id
  WHERE {GRANTED} AND action = 'rank' GROUP BY account_id, referral_id
), held AS (
  SELECT referral_id, max(at) AS last
  FROM access_log CROSS JOIN LATERAL unnest(referral_ids) AS referral_id
  WHERE {GRANTED} AND action = 'hold' GROUP BY referral_id
)
SELECT account_id, CAST(sum(rankings) AS bigint) AS looks
FROM ranked LEFT JOIN held USING (referral_id)
WHERE held.last IS NULL OR held.last < ranked.first GROUP BY account_id
""").bindparams(*_SPAN)  # noqa: S608 - made of the constant above

_SAME_REFERRAL = text(f"""
SELECT account_id, max(looks) AS looks FROM (
  SELECT account_id, referral_id, count(*) AS looks
  FROM access_log CROSS JOIN LATERAL unnest(referral_ids) AS referral_id
  WHERE {GRANTED} AND action IN ('read', 'search', 'rank', 'reveal')
  GROUP BY account_id, referral_id
) AS counted GROUP BY account_id
""").bindparams(*_SPAN)  # noqa: S608 - made of the constant above

_WHO = text("""
SELECT wanted.account_id, last.roles, last.provider_id
FROM unnest(:account_ids) AS wanted (account_id) CROSS JOIN LATERAL (
  SELECT roles, provider_id FROM access_log AS l
  WHERE l.account_id = wanted.account_id AND at >= :since AND at < :until ORDER BY at DESC LIMIT 1
) AS last
""").bindparams(*_SPAN, bindparam("account_ids", type_=ARRAY(UuidType())))


async def by_account(
    tx: Transaction, span: ReviewPeriod, *, looks: Collection[str], odd: LocalHours
) -> Mapping[UUID, Mapping[str, int]]:
    """Return each account's changes of danger zones, addresses seen, and looks at odd hours.

    `looks` are the actions that count as a look.
    """
    values = {"since": span.since, "until": span.until}
    values |= {"looks": sorted(looks), "hours": list(odd.hours), "zone": odd.zone}
    rows = await tx.rows(_SIMPLE, values)
    return {
        row.account_id: {
            "zone_changes": row.zone_changes,
            "reveals": row.reveals,
            "odd_hours": row.odd_hours,
        }
        for row in rows
    }


async def rankings_without_hold(tx: Transaction, span: ReviewPeriod) -> Mapping[UUID, int]:
    """Return how many rankings each account made of referrals that nobody held from then on."""
    return await _looks_by_account(tx, span, _WITHOUT_HOLD)


async def of_same_referral(tx: Transaction, span: ReviewPeriod) -> Mapping[UUID, int]:
    """Return how often each account looked at the referral that it looked at most.

    A list is one look at each referral in it.
    """
    return await _looks_by_account(tx, span, _SAME_REFERRAL)


async def reviewed_accounts(
    tx: Transaction, span: ReviewPeriod, account_ids: Collection[UUID]
) -> Mapping[UUID, ReviewedAccount]:
    """Return what some accounts were when they last looked."""
    rows = await tx.rows(
        _WHO, {"since": span.since, "until": span.until, "account_ids": sorted(account_ids)}
    )
    return {row.account_id: ReviewedAccount(tuple(row.roles), row.provider_id) for row in rows}


async def _looks_by_account(
    tx: Transaction, span: ReviewPeriod, statement: "Executable"
) -> Mapping[UUID, int]:
    rows = await tx.rows(statement, {"since": span.since, "until": span.until})
    return {row.account_id: row.looks for row in rows}
