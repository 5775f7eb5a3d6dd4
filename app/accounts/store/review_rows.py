"""Weeks reviewed and what was found; the database's own function counts what accounts did."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, Date, DateTime, Text, Uuid, bindparam, insert, select, text
from sqlalchemy.dialects.postgresql import insert as insert_or_skip

from app.allocation.figures.review import AccountWeek
from app.allocation.figures.review import ReviewFinding as Unlike
from app.database.transaction import Transaction
from app.models import ReviewFinding, ReviewWeek


@dataclass(frozen=True, slots=True)
class WeekRow:
    """A week that has been reviewed, by its Monday, and how many accounts were compared."""

    first_day: date
    accounts: int


@dataclass(frozen=True, slots=True)
class FindingRow:
    """An account that was unlike others in a week, and what came of asking."""

    id: UUID
    week: date
    account_id: UUID
    provider_id: UUID | None
    points: int
    facts: Sequence[Mapping[str, Any]]
    """`signal`, `count` and `usual` of each."""
    answer: str | None
    answered_by: UUID | None
    answered_at: datetime | None
    name: str | None
    """What colleagues call the account."""


_COUNTS = text("SELECT * FROM review_counts(:since, :until)").bindparams(
    bindparam("since", type_=DateTime(timezone=True)),
    bindparam("until", type_=DateTime(timezone=True)),
)
_ANSWER = text("SELECT answer_finding(:id, :answer) AS outcome").bindparams(
    bindparam("id", type_=Uuid()), bindparam("answer", type_=Text())
)
# A coordinator sees no other account, but knows the names of colleagues.
_FINDINGS = """
SELECT f.id, f.week, f.account_id, f.provider_id, f.points, f.facts, f.answer, f.answered_by,
       f.answered_at, coalesce(a.name, c.name) AS name
FROM review_findings AS f LEFT JOIN accounts AS a ON a.id = f.account_id
LEFT JOIN colleagues() AS c ON c.account_id = f.account_id
"""
_READ = text(f"{_FINDINGS} WHERE f.id = :id").bindparams(bindparam("id", type_=Uuid()))
_LIST = text(f"""{_FINDINGS}
WHERE (f.week, f.points, f.id) < (:week, :points, :id)
ORDER BY f.week DESC, f.points DESC, f.id DESC LIMIT :limit
""").bindparams(
    bindparam("week", type_=Date()),
    bindparam("points", type_=BigInteger()),
    bindparam("id", type_=Uuid()),
    bindparam("limit", type_=BigInteger()),
)

FindingPlace = tuple[date, int, UUID]
"""The place of a finding in the order: week, points, id, each descending."""
NEWEST: FindingPlace = (date.max, 2**31, UUID(int=2**128 - 1))


async def count_acts(tx: Transaction, *, since: datetime, until: datetime) -> list[AccountWeek]:
    """Return what each account that worked in some days did there; for the worker."""
    rows = await tx.rows(_COUNTS, {"since": since, "until": until})
    return [
        AccountWeek(
            str(row.account_id),
            None if row.provider_id is None else str(row.provider_id),
            row.counts,
        )
        for row in rows
    ]


async def newest_week(tx: Transaction) -> WeekRow | None:
    """Return the newest week that has been reviewed."""
    row = await tx.row(
        select(ReviewWeek.first_day, ReviewWeek.accounts).order_by(ReviewWeek.first_day.desc())
    )
    return None if row is None else WeekRow(*row)


async def add_week(tx: Transaction, week: WeekRow) -> bool:
    """Note that a week is reviewed; whether it was not yet."""
    values = asdict(week)
    return bool(await tx.run(insert_or_skip(ReviewWeek).on_conflict_do_nothing(), values))


async def add_findings(tx: Transaction, week: date, found: Sequence[Unlike]) -> None:
    """Keep what was found in a week."""
    await tx.run_each(
        insert(ReviewFinding),
        [
            {
                "id": uuid4(),
                "week": week,
                "account_id": UUID(one.account_id),
                "provider_id": None if one.desk is None else UUID(one.desk),
                "points": one.points,
                "facts": [asdict(fact) for fact in one.facts],
            }
            for one in found
        ],
    )


async def list_findings(
    tx: Transaction, *, limit: int, after: FindingPlace = NEWEST
) -> list[FindingRow]:
    """Return the findings that the caller may see: newest week first, then the most unlike."""
    week, points, id_ = after
    values = {"week": week, "points": points, "id": id_, "limit": limit}
    return [FindingRow(*row) for row in await tx.rows(_LIST, values)]


async def read_finding(tx: Transaction, id_: UUID) -> FindingRow | None:
    """Return a finding that the caller may see."""
    row = await tx.row(_READ, {"id": id_})
    return None if row is None else FindingRow(*row)


async def answer_finding(tx: Transaction, id_: UUID, *, answer: str) -> str:
    """Answer a finding; return `done`, `answered` or `missing`."""
    return (await tx.rows(_ANSWER, {"id": id_, "answer": answer}))[0].outcome
