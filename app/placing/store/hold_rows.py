"""Holds: the one statement that takes a place, and the transitions of a hold that was taken.

Whoever changes a hold locks in this order: referral, claim, hold. `now()` is the start of the
transaction and decides
nothing: every deadline is compared with `clock_timestamp()`, and a claim changed only where it is
still this hold's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BindParameter,
    Boolean,
    ColumnElement,
    DateTime,
    LargeBinary,
    Text,
    TextClause,
    Uuid,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    text,
    tuple_,
)

from app.database.answers import Answer
from app.database.transaction import Transaction
from app.models import Hold, Placement, Referral
from app.placing.store import outcomes
from app.placing.store.placement_rows import COMING

# Guards and changes in one statement. Its parts run in the order in which they refer to each other:
# the referral must be open, and the ranking neither older than the policy allows nor older than
# what is known now; then any one free place of the group is claimed; then holds that ran out on
# this referral or this place are resolved, so that the new one is the only live one; then the hold,
# the answer for repeats, those who must hear of it, and the access log.
_TAKE = """
WITH referral AS (
  UPDATE referrals SET status = 'held', hold_id = :hold_id, held_until = :expires_at, updated_at = clock_timestamp()
  FROM rankings AS r, place_groups AS g, sites AS s
  WHERE referrals.id = :referral_id AND referrals.provider_id = :provider_id
    AND (referrals.status = 'open' OR referrals.hold_id = :hold_id
         OR (referrals.status = 'held' AND referrals.held_until <= clock_timestamp()))
    AND r.id = :ranking_id AND r.referral_id = referrals.id AND r.referral_version = referrals.version
    AND r.as_of > clock_timestamp() - make_interval(mins => :ranking_minutes)
    AND g.id = :group_id AND s.id = g.site_id AND s.revision <= r.register_version
    AND NOT EXISTS (SELECT FROM holds AS h WHERE h.referral_id = referrals.id AND h.site_id = s.id
                    AND h.status = 'declined')
    AND (referrals.reason = 'safety' OR NOT :leaves_region /* own region first */)
  RETURNING referrals.id, s.id AS site_id, s.municipality
), claim AS (
  UPDATE claims SET kind = 'hold', hold_id = :hold_id, placement_id = NULL, claimed_until = :expires_at,
                    reason = NULL, expected_until = NULL, since = clock_timestamp()
  WHERE place_id = (
    SELECT place_id FROM claims
    WHERE group_id = :group_id AND claimed_until <= (SELECT clock_timestamp()) AND EXISTS (SELECT FROM referral)
    ORDER BY claimed_until LIMIT 1 FOR UPDATE /* skip */
  )
  RETURNING place_id
), lapsed AS MATERIALIZED (
  SELECT status FROM claim CROSS JOIN LATERAL note_lapsed(:referral_id, claim.place_id) AS status
), hold AS (
  INSERT INTO holds (id, referral_id, provider_id, receiver_id, place_id, site_id, kind, ranking_id, rank,
                     override_reason, status, accepted_by, accepted_at, expires_at, renewals_left)
  SELECT :hold_id, :referral_id, :provider_id, :receiver_id, claim.place_id, referral.site_id, :kind, :ranking_id,
         :rank, :override_reason, :status, :accepted_by, :accepted_at, :expires_at, :renewals_left
  FROM claim, referral WHERE (SELECT count(*) FROM lapsed) >= 0
), answer AS (
  INSERT INTO answers (account_id, route, key, fingerprint, provider_id, region, referral_id, status, sealed)
  SELECT :account_id, :route, :key, :fingerprint, :provider_id, :region, :referral_id, :answer_status, :sealed
  FROM claim
  ON CONFLICT DO NOTHING RETURNING key
), told AS (
  INSERT INTO outbox (kind, subject, audience)
  SELECT 'hold', CAST(:hold_id AS text), ARRAY[CAST(:provider_id AS uuid), CAST(:receiver_id AS uuid)] FROM claim
  UNION ALL SELECT 'availability', m.region, ARRAY[CAST(:receiver_id AS uuid)]
            FROM claim, referral JOIN municipalities AS m ON m.code = referral.municipality
), logged AS (
  INSERT INTO access_log (action, outcome, account_id, roles, provider_id, object_type, object_id, referral_ids,
                          source, request_id)
  SELECT 'hold', 'granted', :account_id, :roles, :provider_id, 'hold', :hold_id, ARRAY[CAST(:referral_id AS uuid)],
         :source, :request_id
  FROM claim
)
SELECT (SELECT count(*) FROM referral) AS referrals, (SELECT count(*) FROM claim) AS claims,
       (SELECT count(*) FROM answer) AS answers, ARRAY(SELECT status FROM lapsed) AS lapsed
"""

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

TAKE_UNLOCKED = text(_TAKE.replace("/* skip */", "SKIP LOCKED")).bindparams(*TYPES)
"""Takes a place that nobody else is looking at."""
TAKE_WAITING = text(_TAKE).bindparams(*TYPES)
"""Waits for those who are looking: only when they all took theirs is the offer gone."""


@dataclass(frozen=True, slots=True)
class NewHold:
    """A hold to be taken: on which offer, from which ranking, until when."""

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
class Asker:
    """Who asks, for the access log."""

    roles: tuple[str, ...]
    source: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class TakeResult:
    """What came of it: whether the referral could be held, a place was there, and the answer was the first."""

    referral: bool
    place: bool
    first: bool


async def take_place(tx: Transaction, wanted: NewHold, answer: Answer, asker: Asker) -> TakeResult:
    """Claim any free place of the offer for the referral; look once more, waiting, before it is called gone.

    A household that does not flee gets none outside its own region: see leaving.py.
    """
    return await run_take(tx, (TAKE_UNLOCKED, TAKE_WAITING), values_of(wanted, answer, asker))


def values_of(wanted: NewHold, answer: Answer, asker: Asker) -> dict[str, Any]:
    """Return what the statement is given."""
    return {
        **{name: getattr(wanted, name) for name in NewHold.__slots__},
        "account_id": answer.account_id,
        "route": answer.route,
        "key": answer.key,
        "fingerprint": answer.fingerprint,
        "region": answer.region,
        "answer_status": answer.status,
        "sealed": answer.sealed,
        "roles": list(asker.roles),
        "source": asker.source,
        "request_id": asker.request_id,
    }


async def run_take(
    tx: Transaction, statements: tuple[TextClause, TextClause], values: Mapping[str, Any]
) -> TakeResult:
    """Run the statement that waits for nobody and, where it found no place, the one that waits."""
    unlocked, waiting = statements
    row = (await tx.rows(unlocked, values))[0]
    if row.referrals and not row.claims:
        row = (await tx.rows(waiting, values))[0]
    if row.claims:
        outcomes.count(tx, ("taken", *row.lapsed))
    return TakeResult(bool(row.referrals), bool(row.claims), bool(row.answers))


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A hold as it is by the database's clock: one that ran out says so, whether or not anybody has noted it."""

    id: UUID
    referral_id: UUID
    provider_id: UUID
    receiver_id: UUID
    place_id: UUID
    site_id: UUID
    kind: str
    ranking_id: UUID
    rank: int
    override_reason: str | None
    status: str
    accepted_by: str | None
    reason: str | None
    expires_at: datetime
    renewals_left: int
    unsafe_since: datetime | None
    created_at: datetime
    swap_id: UUID | None
    """The swap that it is part of: nobody acts on it but through that."""
    referral_reference: str | None
    """None for a receiver with whom it lives no more."""
    comes_yet: bool
    """Whether it became a placement by which they may come yet, or are there."""

    @property
    def live(self) -> bool:
        """Whether it still keeps its place."""
        return self.status in {"pending", "accepted"}

    @property
    def opens_address(self) -> bool:
        """Whether a person accepted it, and it has not been given up since."""
        return self.accepted_by == "person" and self.status in {"accepted", "placed"}


# By the database's clock, whether or not anybody has noted it yet.
_STATUS = case(
    (or_(Hold.resolved_at.is_not(None), Hold.expires_at > func.clock_timestamp()), Hold.status),
    (Hold.status == "pending", "no_answer"),
    else_="expired",
)
_READ = (
    select(
        Hold.id,
        Hold.referral_id,
        Hold.provider_id,
        Hold.receiver_id,
        Hold.place_id,
        Hold.site_id,
        Hold.kind,
        Hold.ranking_id,
        Hold.rank,
        Hold.override_reason,
        _STATUS,
        Hold.accepted_by,
        Hold.reason,
        Hold.expires_at,
        Hold.renewals_left,
        Hold.unsafe_since,
        Hold.created_at,
        Hold.swap_id,
        Referral.reference,
        and_(Hold.status == "placed", exists().where(Placement.hold_id == Hold.id, COMING)),
    )
    .outerjoin(Referral, Referral.id == Hold.referral_id)
    .order_by(Hold.created_at.desc(), Hold.id.desc())
)


def _concerns(provider_id: UUID) -> ColumnElement[bool]:
    return or_(Hold.provider_id == provider_id, Hold.receiver_id == provider_id)


async def read(
    tx: Transaction, hold_id: UUID, *, provider_id: UUID, lock: bool = False
) -> HoldRow | None:
    """Return a hold that this provider sent or received; its referral locked first, if asked."""
    wanted = (Hold.id == hold_id, _concerns(provider_id))
    if lock:
        # Lock first, read then: the hold may have changed while we waited.
        referral = select(Referral.id).join(Hold, Hold.referral_id == Referral.id).where(*wanted)
        await tx.rows(referral.with_for_update(of=Referral))
    row = await tx.row(_READ.where(*wanted))
    return None if row is None else HoldRow(*row)


async def list_for(
    tx: Transaction,
    provider_id: UUID,
    *,
    status: str | None,
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[HoldRow]:
    """Return the holds that a provider sent or received, newest first."""
    statement = _READ.where(_concerns(provider_id)).limit(limit)
    if status is not None:
        statement = statement.where(_STATUS.is_not_distinct_from(status))
    if after is not None:
        statement = statement.where(tuple_(Hold.created_at, Hold.id) < tuple_(*after))
    return [HoldRow(*row) for row in await tx.rows(statement)]


async def of_desk(tx: Transaction, *wanted: ColumnElement[bool]) -> list[HoldRow]:
    """Return the holds of which all of this is so, newest first."""
    return [HoldRow(*row) for row in await tx.rows(_READ.where(*wanted))]
