"""Discrepancies: rows of what differed, found and gone."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, bindparam, select, text

from app.database.transaction import Transaction
from app.models import Discrepancy

_FOUND = (bindparam("codes", type_=ARRAY(Text())), bindparam("subjects", type_=ARRAY(Uuid())))
_NOTE = text("""
INSERT INTO discrepancies (code, subject)
SELECT code, subject FROM unnest(:codes, :subjects) AS found (code, subject)
ON CONFLICT (code, subject) DO UPDATE SET found_at = clock_timestamp(), gone_at = NULL
WHERE discrepancies.gone_at IS NOT NULL
RETURNING code, subject
""").bindparams(*_FOUND)
_GONE = text("""
UPDATE discrepancies SET gone_at = clock_timestamp()
WHERE gone_at IS NULL
  AND NOT EXISTS (SELECT FROM unnest(:codes, :subjects) AS found (code, subject)
                  WHERE (found.code, found.subject) = (discrepancies.code, discrepancies.subject))
""").bindparams(*_FOUND)

_MAIL = text("SELECT mail_discrepancies()")


@dataclass(frozen=True, slots=True, order=True)
class DiscrepancyRow:
    """Something that differs now: how, as a code; its id; and since when that is known."""

    code: str
    subject: UUID
    found_at: datetime


async def list_open(tx: Transaction) -> list[DiscrepancyRow]:
    """Return what differs now, the newest first."""
    columns = (Discrepancy.code, Discrepancy.subject, Discrepancy.found_at)
    wanted = select(*columns).where(Discrepancy.gone_at.is_(None))
    ordered = wanted.order_by(Discrepancy.found_at.desc(), Discrepancy.code, Discrepancy.subject)
    return [DiscrepancyRow(*row) for row in await tx.rows(ordered)]


async def note(tx: Transaction, found: Collection[tuple[str, UUID]]) -> list[tuple[str, UUID]]:
    """Note what differs now, and that all else does not; return what is new, in order."""
    values = {
        "codes": [code for code, _ in found],
        "subjects": [subject for _, subject in found],
    }
    await tx.run(_GONE, values)
    return sorted((row.code, row.subject) for row in await tx.rows(_NOTE, values))


async def mail_administrators(tx: Transaction) -> None:
    """Write to every administrator that records disagree."""
    await tx.rows(_MAIL)
