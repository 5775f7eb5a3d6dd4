"""The contact log on the wire: for the referral's own provider alone."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import AfterValidator, Field, StringConstraints

from app.api.kit import known_codes
from app.api.kit.lists import ListIn, moment_and_id
from app.api.kit.once import OnceIn
from app.api.kit.wire import Id, In, Moment, Out, aliases_from, parse_id
from app.deps import Tx
from app.referrals import contacts
from app.referrals.contacts import ContactNote

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
    kind: known_codes.ContactKind | None = None
    due_at: Moment | None = Field(
        default=None, description="When the next contact is due; none: no more is."
    )


class ContactOut(Out, alias_generator=aliases_from("row", "said")):
    """A contact with, or about, a household."""

    id: Id
    referral_id: Id
    account_id: Id = Field(description="Who wrote it.")
    at: datetime
    kind: str | None
    note: str
    due_at: datetime | None = Field(
        description="When the next was due; what the newest contact says counts."
    )


class ContactList(Out):
    """A page of contacts."""

    items: list[ContactOut]
    next_cursor: str | None


@router.post(
    "/referrals/{id}/contacts",
    status_code=201,
    response_model=ContactOut,
    summary="Write down a contact",
    description="Write down a contact with or about one of the own provider's referrals, and when "
    "the next is due.\n\n"
    "The note is sealed; no other provider ever sees it, the receiving one included. Write "
    "no names\n"
    "and no addresses.",
)
async def note_contact(id: str, wanted: ContactWanted, tx: Tx, once: OnceIn) -> Response:
    """Note a contact about one of the own provider's referrals."""
    said = ContactNote(wanted.kind, wanted.note)
    contact = await contacts.note_contact(tx, parse_id(id), said=said, due_at=wanted.due_at)
    return await once.keep(
        tx, ContactOut.of(contact).reply(201), referral_id=contact.row.referral_id
    )


@router.get(
    "/referrals/{id}/contacts",
    response_model=ContactList,
    summary="Contacts about a referral",
)
async def list_contacts(id: str, tx: Tx, page: ListIn) -> Response:
    """List the contacts about one of the own provider's referrals, newest first."""
    found = await contacts.list_for(
        tx, parse_id(id), limit=page.limit + 1, after=moment_and_id(page)
    )
    shown = page.cut(found, place=lambda contact: (contact.row.at.isoformat(), str(contact.row.id)))
    return ContactList.of(shown).reply()
