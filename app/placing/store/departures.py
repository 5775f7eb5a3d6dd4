"""What delays a departure, while it lasts: periods that open and close by the database's clock, kept for good."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import ARRAY, Date, Text, Uuid, bindparam, text

from app.database.transaction import Transaction

_ID = bindparam("id", type_=Uuid())
_CODES = bindparam("codes", type_=ARRAY(Text))
_DAY = bindparam("day", type_=Date())

_BLOCKERS = (
    text("""
UPDATE blocker_periods SET until = clock_timestamp() WHERE placement_id = :id AND until IS NULL AND code <> ALL (:codes)
""").bindparams(_ID, _CODES),
    text("""
INSERT INTO blocker_periods (placement_id, code) SELECT :id, code FROM unnest(:codes) AS code ON CONFLICT DO NOTHING
""").bindparams(_ID, _CODES),
)
_READY = (
    text("""
UPDATE ready_periods SET until = clock_timestamp()
WHERE placement_id = :id AND until IS NULL AND since IS DISTINCT FROM :day
""").bindparams(_ID, _DAY),
    text("""
INSERT INTO ready_periods (placement_id, since) SELECT :id, :day WHERE :day IS NOT NULL ON CONFLICT DO NOTHING
""").bindparams(_ID, _DAY),
)


async def block(tx: Transaction, placement_id: UUID, *, codes: Sequence[str]) -> None:
    """Note what delays a departure now: what is new begins, what is gone has ended, and the rest goes on."""
    for statement in _BLOCKERS:
        await tx.run(statement, {"id": placement_id, "codes": list(codes)})


async def ready(tx: Transaction, placement_id: UUID, *, since: date | None) -> None:
    """Note since when a household has been ready to leave; None: it is not, whatever was said before."""
    for statement in _READY:
        await tx.run(statement, {"id": placement_id, "day": since})
