"""The contact log on the wire: for the referral's own provider alone."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import AfterValidator, Field, StringConstraints

from app.api.kit import known
from app.api.kit.once import OnceIn
from app.api.kit.pages import PageIn, moment_and_id
from app.api.kit.wire import In, Out, parse
from app.api.registry.places import Moment
from app.deps import Tx
from app.referrals import contacts
from app.referrals.contacts import ContactNote, UnsealedContact

router = APIRouter(tags=["Referrals"])

LONGEST_NOTE = 2000


def _plain(text: str) -> str:
    if not all(character == "\n" or character.isprintable() for character in text):
        message = "must be printable text"
        raise ValueError(message)
    return text


Note = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NOTE),
    AfterValidator(_plain),
]
"""Printable text, on several lines if need be."""


class ContactWanted(In):
    """What was said, with whom, and when the next contact is due."""

    note: Note
    kind: known.ContactKind | None = None
    due_at: Moment | None = Field(
        default=None, description="When the next contact is due; none: no more is."
    )


class ContactOut(Out):
    """A contact with, or about, a household."""

    id: str
    referral_id: str
    account_id: str = Field(description="Who wrote it.")
    at: datetime
    kind: str | None
    note: str
    due_at: datetime | None = Field(
        description="When the next was due; what the newest contact says counts."
    )

    @classmethod
    def of(cls, contact: UnsealedContact) -> "ContactOut":
        """Show a contact."""
        row = contact.row
        return cls(
            id=str(row.id),
            referral_id=str(row.referral_id),
            account_id=str(row.account_id),
            at=row.at,
            kind=contact.said.kind,
            note=contact.said.note,
            due_at=row.due_at,
        )


class ContactList(Out):
    """A page of contacts."""

    items: list[ContactOut]
    next_cursor: str | None


@router.post(
    "/referrals/{id}/contacts",
    status_code=201,
    response_model=ContactOut,
    operation_id="noteContact",
    summary="Write down a contact",
)
async def note(id: str, wanted: ContactWanted, tx: Tx, once: OnceIn) -> Response:
    """Write down a contact with or about one of the own provider's referrals, and when the next is due.

    The note is sealed; no other provider ever sees it, the receiving one included. Write no names
    and no addresses.
    """
    said = ContactNote(wanted.kind, wanted.note)
    contact = await contacts.note_contact(tx, parse(id), said=said, due_at=wanted.due_at)
    return await once.keep(
        tx, ContactOut.of(contact).reply(201), referral_id=contact.row.referral_id
    )


@router.get(
    "/referrals/{id}/contacts",
    response_model=ContactList,
    operation_id="listContacts",
    summary="Contacts about a referral",
)
async def listed(id: str, tx: Tx, page: PageIn) -> Response:
    """List the contacts about one of the own provider's referrals, newest first."""
    found = await contacts.list_for(tx, parse(id), limit=page.limit + 1, after=moment_and_id(page))
    items, cursor = page.cut(
        found, place=lambda contact: (contact.row.at.isoformat(), str(contact.row.id))
    )
    return ContactList(
        items=[ContactOut.of(contact) for contact in items], next_cursor=cursor
    ).reply()
