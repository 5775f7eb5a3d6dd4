"""Ids of offers: sealed tickets that only this installation can read.

An id belongs to one ranking: in another ranking the same places have another id, so that nobody
can follow a site.
"""

import struct
from dataclasses import dataclass
from uuid import UUID

from app.allocation.values import PLACE_KINDS, Offer
from app.seal import Keyring

_FORM = struct.Struct(">16s16sHBB")


@dataclass(frozen=True, slots=True)
class OfferTicket:
    """The content of an offer's id: the places, their provider, and their rank."""

    group_id: UUID
    receiver_id: UUID
    rank: int
    kind: str
    automatic_acceptance: bool
    leaves_region: bool
    """Whether the places are outside the household's own region."""


AUTOMATIC, LEAVES_REGION = 1, 2
"""The bits of the last byte."""


def issue_offer_id(keyring: Keyring, ranking_id: UUID, offer: Offer) -> str:
    """Return the id of an offer in a ranking."""
    group = offer.group
    content = _FORM.pack(
        UUID(group.id).bytes,
        UUID(group.provider_id).bytes,
        min(offer.rank, 0xFFFF),
        PLACE_KINDS.index(group.kind),
        AUTOMATIC * group.automatic_acceptance | LEAVES_REGION * offer.cross_regional,
    )
    return keyring.token(content, scope=f"offer {ranking_id}")


def read_offer_id(keyring: Keyring, ranking_id: UUID, offer_id: str) -> OfferTicket | None:
    """Return the ticket in an offer's id; None if this ranking did not issue it."""
    content = keyring.read_token(offer_id, scope=f"offer {ranking_id}")
    if content is None:
        return None
    fields: tuple[bytes, bytes, int, int, int] = _FORM.unpack(content)
    group, receiver, rank, kind, bits = fields
    return OfferTicket(
        group_id=UUID(bytes=group),
        receiver_id=UUID(bytes=receiver),
        rank=rank,
        kind=PLACE_KINDS[kind],
        automatic_acceptance=bool(bits & AUTOMATIC),
        leaves_region=bool(bits & LEAVES_REGION),
    )
