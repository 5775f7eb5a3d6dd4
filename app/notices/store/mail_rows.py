"""Mails to be sent: leased, ended, put off and forgotten by the worker."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Integer, Interval, bindparam, delete, func, text, update

from app.database.transaction import Transaction
from app.models import Mail

JITTER = 0.1
"""The part by which a pause may be longer, so that mails that failed together part."""
_LEASE = text("SELECT * FROM lease_mails(:most, :lease)").bindparams(
    bindparam("most", type_=Integer()), bindparam("lease", type_=Interval())
)


@dataclass(frozen=True, slots=True)
class LeasedMail:
    """A mail to be sent now; the name of its account opens with the account's data key."""

    id: UUID
    account_id: UUID
    subject: str
    moment: datetime | None
    attempts: int
    """How often it has been sent, this time included."""
    key: bytes | None = field(repr=False)
    name: bytes | None = field(repr=False)


async def lease(tx: Transaction, *, most: int, seconds: float) -> list[LeasedMail]:
    """Lease mails that are due and that no other process is sending."""
    values = {"most": most, "lease": timedelta(seconds=seconds)}
    return [LeasedMail(*row) for row in await tx.rows(_LEASE, values)]


async def end(tx: Transaction, mail: LeasedMail, outcome: str) -> None:
    """Note what became of a mail."""
    await tx.run(
        update(Mail)
        .where(Mail.id == mail.id, Mail.ended_at.is_(None))
        .values(ended_at=func.clock_timestamp(), outcome=outcome)
    )


async def put_off(tx: Transaction, mail: LeasedMail, *, seconds: float) -> None:
    """Note that a mail was not taken, and when it is due again, unless another is sending it."""
    pause = timedelta(seconds=seconds) * (1 + func.random() * JITTER)
    await tx.run(
        update(Mail)
        .where(Mail.id == mail.id, Mail.ended_at.is_(None), Mail.attempts == mail.attempts)
        .values(next_at=func.clock_timestamp() + pause)
    )


async def prune(tx: Transaction, *, kept: timedelta) -> None:
    """Forget mails that were written some time ago, sent or not."""
    await tx.run(delete(Mail).where(Mail.made_at < func.clock_timestamp() - kept))
