"""The one call that claims a place for a hold, with all that a hold brings with it."""

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
    Integer,
    LargeBinary,
    Text,
    Uuid,
    bindparam,
    text,
)

from app import metrics
from app.database.answers import KeptAnswer
from app.database.transaction import Transaction

TYPES: tuple[BindParameter[Any], ...] = (
    *(
        bindparam(name, type_=Uuid())
        for name in ("hold_id", "referral_id", "receiver_id", "ranking_id")
    ),
    *(bindparam(name, type_=DateTime(timezone=True)) for name in ("expires_at", "accepted_at")),
    *(
        bindparam(name, type_=Text())
        for name in ("kind", "override_reason", "status", "accepted_by", "route", "key")
    ),
    *(bindparam(name, type_=Text()) for name in ("source", "request_id")),
    *(bindparam(name, type_=LargeBinary()) for name in ("fingerprint", "sealed")),
    *(
        bindparam(name, type_=Integer())
        for name in ("ranking_minutes", "rank", "renewals_left", "answer_status")
    ),
    bindparam("leaves_region", type_=Boolean()),
    bindparam("group_ids", type_=ARRAY(Uuid())),
    bindparam("go_first", type_=ARRAY(Uuid())),
    bindparam("register_version", type_=BigInteger()),
)

TAKE = text("""
SELECT * FROM take_hold(
  :hold_id, :referral_id, :ranking_id, :ranking_minutes, :group_ids, :receiver_id, :rank, :kind,
  :leaves_region, :override_reason, :status, :accepted_by, :accepted_at, :expires_at,
  :renewals_left, :route, :key, :fingerprint, :answer_status, :sealed, :source, :request_id,
  :go_first, :register_version)
""").bindparams(*TYPES)
"""Guards and changes in one; see `take_hold` in migrations/sql/holds.sql."""


@dataclass(frozen=True, slots=True)
class NewHold:
    """A hold to be taken on an offer of a ranking."""

    hold_id: UUID
    referral_id: UUID
    provider_id: UUID
    ranking_id: UUID
    ranking_minutes: int
    group_ids: tuple[UUID, ...]
    """The groups of places, in the order in which they are to be taken."""
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
    tx: Transaction, hold: NewHold, answer: KeptAnswer, *, own_region: OwnRegionFirst | None = None
) -> ClaimResult:
    """Claim any free place of the offer; if all are locked, wait before giving up.

    A household that does not flee gets no place outside its own region without `own_region`.
    """
    row = (await tx.rows(TAKE, _values(tx, hold, answer, own_region)))[0]
    if row.claims:
        tx.after_commit.append(partial(metrics.count_holds, ("taken", *row.lapsed)))
    return ClaimResult(bool(row.referrals), bool(row.claims), bool(row.answers))


def _values(
    tx: Transaction, hold: NewHold, answer: KeptAnswer, own_region: OwnRegionFirst | None
) -> dict[str, Any]:
    return {
        "hold_id": hold.hold_id,
        "referral_id": hold.referral_id,
        "ranking_id": hold.ranking_id,
        "ranking_minutes": hold.ranking_minutes,
        "group_ids": hold.group_ids,
        "receiver_id": hold.receiver_id,
        "rank": hold.rank,
        "kind": hold.kind,
        "leaves_region": hold.leaves_region,
        "override_reason": hold.override_reason,
        "status": hold.status,
        "accepted_by": hold.accepted_by,
        "accepted_at": hold.accepted_at,
        "expires_at": hold.expires_at,
        "renewals_left": hold.renewals_left,
        "route": answer.route,
        "key": answer.key,
        "fingerprint": answer.fingerprint,
        "answer_status": answer.status,
        "sealed": answer.sealed,
        "source": tx.caller.source,
        "request_id": tx.caller.request_id,
        "go_first": None if own_region is None else own_region.group_ids,
        "register_version": None if own_region is None else own_region.register_version,
    }
