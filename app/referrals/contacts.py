"""The contact log of a referral: what was said to whom, and when to speak next."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from app.database.transaction import Transaction
from app.errors import Conflict, Fault, Invalid
from app.referrals import referrals
from app.referrals.store import contact_rows
from app.referrals.store.contact_rows import ContactRow
from app.seal import DataKey


@dataclass(frozen=True, slots=True)
class ContactNote:
    """What was said, and to whom, as a code."""

    kind: str | None
    note: str


@dataclass(frozen=True, slots=True)
class UnsealedContact:
    """A contact with its seal open."""

    row: ContactRow
    said: ContactNote


async def note_contact(
    tx: Transaction,
    referral_id: UUID,
    *,
    said: ContactNote,
    due_at: datetime | None,
) -> UnsealedContact:
    """Write down a contact; its date for the next one replaces the date set before."""
    referral = await referrals.read(tx, referral_id)
    if referral.status in {"ended", "withdrawn"}:
        raise Conflict("referral_not_open", "This referral is closed.")
    if due_at is not None and due_at <= tx.at:
        raise Invalid(Fault("/dueAt", "must lie ahead"))
    id_ = uuid4()
    row = ContactRow(
        id=id_,
        referral_id=referral.id,
        provider_id=referral.case.provider_id,
        account_id=tx.caller.account_id,
        at=tx.at,
        due_at=due_at,
        sealed=referral.key.seal_json({"kind": said.kind, "note": said.note}, row=str(id_)),
    )
    await contact_rows.add(tx, row)
    return UnsealedContact(row, said)


async def list_for(
    tx: Transaction,
    referral_id: UUID,
    *,
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[UnsealedContact]:
    """Return the contacts of a referral of the caller's provider, newest first."""
    referral = await referrals.read(tx, referral_id)
    rows = await contact_rows.list_for(
        tx, referral.id, provider_id=tx.caller.provider, limit=limit, after=after
    )
    return [_unseal(row, referral.key) for row in rows]


def _unseal(row: ContactRow, key: DataKey) -> UnsealedContact:
    return UnsealedContact(row, ContactNote(**key.unseal_json(row.sealed, row=str(row.id))))
