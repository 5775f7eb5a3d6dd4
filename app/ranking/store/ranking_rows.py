"""Recorded rankings: sealed inputs, what they cite, and the digest of the result."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, exists, func, insert, or_, select, text

from app import models
from app.allocation.policy.policy import Policy, parse_policy
from app.database.transaction import Transaction
from app.models import Hold, Municipality, Placement, Ranking, Referral, ReferralSecret


@dataclass(frozen=True, slots=True)
class RankingRow:
    """A ranking as it is stored."""

    id: UUID
    referral_id: UUID
    provider_id: UUID
    referral_version: int
    register_version: int
    as_of: datetime
    policy_hash: str
    register_hash: str
    rules_version: str
    digest: str
    sealed: bytes


_COLUMNS = (
    Ranking.id,
    Ranking.referral_id,
    Ranking.provider_id,
    Ranking.referral_version,
    Ranking.register_version,
    Ranking.as_of,
    Ranking.policy_hash,
    Ranking.register_hash,
    Ranking.rules_version,
    Ranking.digest,
    Ranking.sealed,
)


_ADD = insert(Ranking)


async def add(tx: Transaction, rankings: Sequence[RankingRow]) -> None:
    """Record rankings, one at least."""
    await tx.run_each(_ADD, [asdict(ranking) for ranking in rankings])


_KEEP = text("SELECT keep_rankings(:id)")


async def keep(tx: Transaction, referral_id: UUID) -> None:
    """Let the rankings that saw a referral before its newest change go on."""
    await tx.rows(_KEEP, {"id": referral_id})


async def read(tx: Transaction, ranking_id: UUID) -> tuple[RankingRow, bytes | None] | None:
    """Return a ranking and the wrapped key of its inputs, None once that is destroyed."""
    row = await tx.row(
        select(*_COLUMNS, ReferralSecret.key)
        .outerjoin(ReferralSecret, ReferralSecret.referral_id == Ranking.referral_id)
        .where(Ranking.id == ranking_id)
    )
    return (
        None
        if row is None
        else (RankingRow(**{name: getattr(row, name) for name in RankingRow.__slots__}), row.key)
    )


async def read_policy(tx: Transaction, policy_hash: str) -> tuple[Policy, str]:
    """Return the policy that a ranking cites, and its version."""
    row = (
        await tx.rows(
            select(models.Policy.document, models.Policy.version).where(
                models.Policy.hash == policy_hash
            )
        )
    )[0]
    return parse_policy(row.document), row.version


async def concerns_region(tx: Transaction, ranking_id: UUID, *, region: str) -> bool:
    """Whether a ranking concerns a region: its origin, or where it led to a placement."""
    return (
        await tx.row(
            select(func.count())
            .select_from(Ranking)
            .join(Referral, Referral.id == Ranking.referral_id)
            .join(Municipality, Municipality.code == Referral.origin)
            .outerjoin(Hold, Hold.ranking_id == Ranking.id)
            .outerjoin(Placement, Placement.hold_id == Hold.id)
            .where(
                Ranking.id == ranking_id,
                or_(Municipality.region == region, Placement.receiving == region),
            )
            .having(func.count() > 0)
        )
    ) is not None


async def newest(tx: Transaction, *, most: int) -> list[UUID]:
    """Return the ids of the newest readable rankings, one for each referral, newest first."""
    newer = Ranking.__table__.alias("newer")
    later = or_(
        newer.c.as_of > Ranking.as_of, and_(newer.c.as_of == Ranking.as_of, newer.c.id > Ranking.id)
    )
    superseded = exists().where(newer.c.referral_id == Ranking.referral_id, later)
    found = await tx.rows(
        select(Ranking.id)
        .join(ReferralSecret, ReferralSecret.referral_id == Ranking.referral_id)
        .where(~superseded)
        .order_by(Ranking.as_of.desc(), Ranking.id.desc())
        .limit(most)
    )
    return [row.id for row in found]


async def unknown_rules(tx: Transaction, known: Collection[str]) -> list[str]:
    """Return the versions of rules that readable rankings cite, besides the known ones."""
    rows = await tx.rows(
        select(Ranking.rules_version)
        .distinct()
        .join(ReferralSecret, ReferralSecret.referral_id == Ranking.referral_id)
        .where(Ranking.rules_version.not_in(known))
        .order_by(Ranking.rules_version)
    )
    return [row.rules_version for row in rows]
