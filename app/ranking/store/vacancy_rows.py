"""Vacancies that the database noted, and the rankings made of them for those who wait."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    Integer,
    Uuid,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    text,
    tuple_,
)

from app.database.transaction import Transaction
from app.models import PlaceGroup, Ranking, Vacancy
from app.ranking.store.ranking_rows import RankingRow

KEPT_DAYS = 31
TAKEN_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class PendingVacancy:
    """A vacancy that is being counted; `reached` is the last referral ranked for it."""

    id: UUID
    provider_id: UUID
    group_id: UUID
    left_by: UUID | None
    reached: UUID | None


@dataclass(frozen=True, slots=True)
class VacancyRow:
    """A vacancy as its owner may see it."""

    id: UUID
    site_id: UUID
    place_id: UUID | None
    kind: str
    freed_at: datetime
    lawful_for: int | None
    """How many waiting referrals it was lawful for; None until all are counted."""


@dataclass(frozen=True, slots=True)
class Chance:
    """A ranking made because of vacancies, and the rank of the best of them, if one fits."""

    ranking: RankingRow
    rank: int | None


# The vacancies being counted come first: those that come free meanwhile wait for the next round.
_PENDING = (
    select(*(getattr(Vacancy, name) for name in PendingVacancy.__slots__))
    .where(Vacancy.counted_at.is_(None))
    .order_by(Vacancy.reached.is_(None), Vacancy.freed_at, Vacancy.id)
    .limit(TAKEN_AT_ONCE)
    .with_for_update(skip_locked=True)
)


async def lock_pending(tx: Transaction) -> list[PendingVacancy]:
    """Lock and return the vacancies being counted or, if none is, all that are to be."""
    rows = [PendingVacancy(*row) for row in await tx.rows(_PENDING)]
    begun = [one for one in rows if one.reached is not None]
    return begun or rows


async def record(tx: Transaction, chances: Sequence[Chance]) -> None:
    """Record rankings for waiting referrals, in one fixed order to avoid deadlocks."""
    ordered = sorted(chances, key=lambda chance: chance.ranking.referral_id)
    await tx.run_each(
        insert(Ranking),
        [{**asdict(chance.ranking), "came_free_rank": chance.rank} for chance in ordered],
    )


async def last_ranked(tx: Transaction, referral_ids: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """Return when referrals were ranked last, those that ever were."""
    newest = select(Ranking.referral_id, func.max(Ranking.as_of).label("at"))
    mine = newest.where(Ranking.referral_id.in_(referral_ids)).group_by(Ranking.referral_id)
    return {row.referral_id: row.at for row in await tx.rows(mine)}


_COUNT = text("""
UPDATE vacancies AS v SET lawful_for = v.lawful_for + one.lawful_for, reached = :reached,
                          counted_at = CASE WHEN :done THEN clock_timestamp() END,
                          left_by = CASE WHEN NOT :done THEN v.left_by END
FROM unnest(:ids, :numbers) AS one (id, lawful_for) WHERE v.id = one.id
RETURNING v.id, v.provider_id, v.lawful_for
""").bindparams(
    bindparam("ids", type_=ARRAY(Uuid)),
    bindparam("numbers", type_=ARRAY(Integer)),
    bindparam("reached", type_=Uuid()),
    bindparam("done", type_=Boolean()),
)


async def add_counts(
    tx: Transaction, lawful_for: Mapping[UUID, int], *, reached: UUID | None, done: bool
) -> Mapping[UUID, UUID]:
    """Add to the counts of vacancies; `reached` is the last referral, `done` if none is left.

    Returns one vacancy by provider, for each provider with a vacancy lawful for some household.
    """
    values = {"ids": list(lawful_for), "numbers": list(lawful_for.values())}
    rows = await tx.rows(_COUNT, {**values, "reached": reached, "done": done})
    return {row.provider_id: row.id for row in rows if row.lawful_for}


_LISTED = (
    select(
        Vacancy.id,
        Vacancy.site_id,
        Vacancy.place_id,
        PlaceGroup.kind,
        Vacancy.freed_at,
        case((Vacancy.counted_at.is_not(None), Vacancy.lawful_for)),
    )
    .join(PlaceGroup, PlaceGroup.id == Vacancy.group_id)
    .order_by(Vacancy.freed_at.desc(), Vacancy.id.desc())
)


async def list_for(
    tx: Transaction, provider_id: UUID, *, limit: int, after: tuple[datetime, UUID] | None
) -> list[VacancyRow]:
    """Return the vacancies at a provider's sites, newest first."""
    statement = _LISTED.where(Vacancy.provider_id == provider_id).limit(limit)
    if after is not None:
        statement = statement.where(tuple_(Vacancy.freed_at, Vacancy.id) < tuple_(*after))
    return [VacancyRow(*row) for row in await tx.rows(statement)]


async def prune(tx: Transaction) -> int:
    """Delete old vacancies; return how many."""
    return await tx.run(
        delete(Vacancy).where(Vacancy.freed_at < func.clock_timestamp() - timedelta(days=KEPT_DAYS))
    )
