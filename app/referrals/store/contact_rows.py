"""The contact log: what was said to or about a household, sealed with its referral's key."""

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, tuple_

from app.database.transaction import Transaction
from app.models import Contact


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A contact as it is stored."""

    id: UUID
    referral_id: UUID
    provider_id: UUID
    account_id: UUID
    at: datetime
    due_at: datetime | None
    """When the next contact is due."""
    sealed: bytes


_READ = select(*(getattr(Contact, name) for name in ContactRow.__slots__)).order_by(
    Contact.at.desc(), Contact.id.desc()
)


async def add(tx: Transaction, contact: ContactRow) -> None:
    """Store a contact."""
    await tx.run(insert(Contact).values(**asdict(contact)))


async def list_for(
    tx: Transaction,
    referral_id: UUID,
    *,
    provider_id: UUID,
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[ContactRow]:
    """Return the contacts of one of a provider's referrals, newest first."""
    statement = _READ.where(
        Contact.referral_id == referral_id, Contact.provider_id == provider_id
    ).limit(limit)
    if after is not None:
        statement = statement.where(tuple_(Contact.at, Contact.id) < tuple_(*after))
    return [ContactRow(*row) for row in await tx.rows(statement)]
