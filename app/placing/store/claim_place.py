"""The one statement that claims a place for a hold, with all that a hold brings with it."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    Boolean,
    DateTime,
    LargeBinary,
    Text,
    TextClause,
    Uuid,
    bindparam,
    text,
)

from app import metrics
from app.database.answers import Answer
from app.database.transaction import Transaction

SKIP, WAIT = "SKIP LOCKED", ""
"""What is done about a place that another transaction has locked."""


def _referral(leaves_if: str) -> str:
    return f"""
  UPDATE referrals SET status = 'held', hold_id = :hold_id, held_until = :expires_at,
                       updated_at = clock_timestamp()
  FROM rankings AS r, place_groups AS g, sites AS s
  WHERE referrals.id = :referral_id AND referrals.provider_id = :provider_id
    AND (referrals.status = 'open' OR referrals.hold_id = :hold_id
         OR (referrals.status = 'held' AND referrals.held_until <= clock_timestamp()))
    AND r.id = :ranking_id AND r.referral_id = referrals.id
    AND r.referral_version = referrals.version
    AND r.as_of > clock_timestamp() - make_interval(mins => :ranking_minutes)
    AND g.id = :group_id AND s.id = g.site_id AND s.revision <= r.register_version
    AND NOT EXISTS (SELECT FROM holds AS h WHERE h.referral_id = referrals.id AND h.site_id = s.id
                    AND h.status = 'declined')
    AND (referrals.reason = 'safety' OR NOT :leaves_region OR {leaves_if})
  RETURNING referrals.id, s.id AS site_id, s.municipality
"""  # noqa: S608 - made of constants


def _claim(locked: str) -> str:
    return f"""
  UPDATE claims SET kind = 'hold', hold_id = :hold_id, placement_id = NULL,
                    claimed_until = :expires_at, reason = NULL, expected_until = NULL,
                    since = clock_timestamp()
  WHERE place_id = (
    SELECT place_id FROM claims
    WHERE group_id = :group_id AND claimed_until <= (SELECT clock_timestamp())
      AND EXISTS (SELECT FROM referral)
    ORDER BY claimed_until LIMIT 1 FOR UPDATE {locked}
  )
  RETURNING place_id
"""  # noqa: S608 - made of constants


_AFTER_THE_CLAIM = """
lapsed AS MATERIALIZED (
  SELECT status FROM claim CROSS JOIN LATERAL note_lapsed(:referral_id, claim.place_id) AS status
), hold AS (
  INSERT INTO holds (id, referral_id, provider_id, receiver_id, place_id, site_id, kind,
                     ranking_id, rank, override_reason, status, accepted_by, accepted_at,
                     expires_at, renewals_left)
  SELECT :hold_id, :referral_id, :provider_id, :receiver_id, claim.place_id, referral.site_id,
         :kind, :ranking_id, :rank, :override_reason, :status, :accepted_by, :accepted_at,
         :expires_at, :renewals_left
  FROM claim, referral WHERE (SELECT count(*) FROM lapsed) >= 0
), answer AS (
  INSERT INTO answers (account_id, route, key, fingerprint, provider_id, region, referral_id,
                       status, sealed)
  SELECT :account_id, :route, :key, :fingerprint, :provider_id, :region, :referral_id,
         :answer_status, :sealed
  FROM claim
  ON CONFLICT DO NOTHING RETURNING key
), told AS (
  INSERT INTO outbox (kind, subject, audience)
  SELECT 'hold', CAST(:hold_id AS text),
         ARRAY[CAST(:provider_id AS uuid), CAST(:receiver_id AS uuid)]
  FROM claim
  UNION ALL SELECT 'availability', m.region, ARRAY[CAST(:receiver_id AS uuid)]
            FROM claim, referral JOIN municipalities AS m ON m.code = referral.municipality
), logged AS (
  INSERT INTO access_log (action, outcome, account_id, roles, provider_id, object_type, object_id,
                          referral_ids, source, request_id)
  SELECT 'hold', 'granted', :account_id, :roles, :provider_id, 'hold', :hold_id,
         ARRAY[CAST(:referral_id AS uuid)], :source, :request_id
  FROM claim
)
SELECT (SELECT count(*) FROM referral) AS referrals, (SELECT count(*) FROM claim) AS claims,
       (SELECT count(*) FROM answer) AS answers, ARRAY(SELECT status FROM lapsed) AS lapsed
"""


def _take(*, locked: str, leaves_if: str = "false") -> str:
    """Return the statement that takes a place; it guards and changes in one.

    Its parts run in the order in which they refer to each other: the referral must be open, and
    the ranking neither older than the policy allows nor older than what is known now; then any one
    free place of the group is claimed; then holds that ran out on this referral or this place are
    resolved, so that the new one is the only live one; then the hold, the answer for repeats, those
    who must hear of it, and the access log.

    Under the condition `leaves_if` a household that does not flee may leave its region.
    """
    referral, claim = _referral(leaves_if), _claim(locked)
    return f"WITH referral AS ({referral}), claim AS ({claim}), {_AFTER_THE_CLAIM}"


TYPES: tuple[BindParameter[Any], ...] = (
    *(
        bindparam(name, type_=Uuid())
        for name in ("hold_id", "referral_id", "provider_id", "receiver_id")
    ),
    *(bindparam(name, type_=Uuid()) for name in ("ranking_id", "group_id", "account_id")),
    *(bindparam(name, type_=DateTime(timezone=True)) for name in ("expires_at", "accepted_at")),
    *(
        bindparam(name, type_=Text())
        for name in ("kind", "override_reason", "status", "accepted_by", "route")
    ),
    *(bindparam(name, type_=Text()) for name in ("key", "region", "source", "request_id")),
    bindparam("roles", type_=ARRAY(Text)),
    *(bindparam(name, type_=LargeBinary()) for name in ("fingerprint", "sealed")),
    bindparam("leaves_region", type_=Boolean()),
)

TAKE_UNLOCKED = text(_take(locked=SKIP)).bindparams(*TYPES)
"""Takes a place that no other transaction has locked."""
TAKE_WAITING = text(_take(locked=WAIT)).bindparams(*TYPES)
"""Waits for those that have locked one: the offer is gone only if all of them took theirs."""

# A household not fleeing danger may leave its region only if no lawful place is free there. So none
# of the places that go first may be free at this very moment, and no group may have joined them
# since they were looked up: guarded in the statement that takes the place elsewhere.
OWN_REGION_FIRST = """(
      (SELECT value FROM heads WHERE name = 'register') = :register_version
      AND NOT EXISTS (SELECT FROM claims AS c JOIN place_groups AS o ON o.id = c.group_id
                      WHERE c.group_id = ANY(:go_first)
                        AND c.claimed_until <= (SELECT clock_timestamp())
                        AND NOT EXISTS (SELECT FROM holds AS h WHERE h.referral_id = :referral_id
                                        AND h.site_id = o.site_id AND h.status = 'declined')))"""

OWN_REGION_TYPES = (
    *TYPES,
    bindparam("go_first", type_=ARRAY(Uuid())),
    bindparam("register_version", type_=BigInteger()),
)
LEAVE_UNLOCKED, LEAVE_WAITING = (
    text(_take(locked=locked, leaves_if=OWN_REGION_FIRST)).bindparams(*OWN_REGION_TYPES)
    for locked in (SKIP, WAIT)
)
"""The same for a household that leaves its region for a reason other than safety."""


@dataclass(frozen=True, slots=True)
class NewHold:
    """A hold to be taken on an offer of a ranking."""

    hold_id: UUID
    referral_id: UUID
    provider_id: UUID
    ranking_id: UUID
    ranking_minutes: int
    group_id: UUID
    receiver_id: UUID
    rank: int
    kind: str
    leaves_region: bool
    override_reason: str | None
    status: str
    accepted_by: str | None
    accepted_at: datetime | None
    expires_at: datetime
    renewals_left: int


@dataclass(frozen=True, slots=True)
class OwnRegionFirst:
    """The place groups that go first, in the household's own region, by register version."""

    group_ids: tuple[UUID, ...]
    register_version: int


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """Whether the referral could be held, a place was free, and the answer was the first."""

    referral: bool
    place: bool
    first: bool


async def claim_place(
    tx: Transaction, hold: NewHold, answer: Answer, *, own_region: OwnRegionFirst | None = None
) -> ClaimResult:
    """Claim any free place of the offer; if all are locked, wait before giving up.

    A household that does not flee gets no place outside its own region without `own_region`.
    """
    unlocked, waiting = TAKE_UNLOCKED, TAKE_WAITING
    values = _values(tx, hold, answer)
    if own_region is not None:
        unlocked, waiting = LEAVE_UNLOCKED, LEAVE_WAITING
        values |= {
            "go_first": list(own_region.group_ids),
            "register_version": own_region.register_version,
        }
    return await _run(tx, unlocked, waiting, values)


def _values(tx: Transaction, hold: NewHold, answer: Answer) -> dict[str, Any]:
    return {
        **{name: getattr(hold, name) for name in NewHold.__slots__},
        "account_id": answer.account_id,
        "route": answer.route,
        "key": answer.key,
        "fingerprint": answer.fingerprint,
        "region": answer.region,
        "answer_status": answer.status,
        "sealed": answer.sealed,
        "roles": sorted(tx.caller.roles),
        "source": tx.caller.source,
        "request_id": tx.caller.request_id,
    }


async def _run(
    tx: Transaction, unlocked: TextClause, waiting: TextClause, values: dict[str, Any]
) -> ClaimResult:
    row = (await tx.rows(unlocked, values))[0]
    if row.referrals and not row.claims:
        row = (await tx.rows(waiting, values))[0]
    if row.claims:
        tx.after_commit.append(partial(metrics.count_holds, ("taken", *row.lapsed)))
    return ClaimResult(bool(row.referrals), bool(row.claims), bool(row.answers))
