"""Ids of offers: sealed tickets that only this installation can read.

An id belongs to one ranking: in another ranking the same places have another id, so that nobody
can follow a site. All are of one length: nothing about an id tells how many places are behind it.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from app.allocation.ranking.fold import FoldedOffer
from app.allocation.values import PLACE_KINDS
from app.seal import Keyring

NAMED = 4
"""The groups of places that an id names; where there are more, the ranking has the rest."""
NO_GROUP = UUID(int=0)
_FORM = struct.Struct(f">{16 * NAMED}s16sHBB")


@dataclass(frozen=True, slots=True)
class OfferTicket:
    """The content of an offer's id: the places, their provider, and the offer's rank."""

    group_ids: tuple[UUID, ...]
    """The first groups of places, in the order in which they are to be taken."""
    receiver_id: UUID
    rank: int
    kind: str
    automatic_acceptance: bool
    leaves_region: bool
    """Whether the places are outside the household's own region."""
    asks_threat_level: bool
    """Whether the address is openly known, and the threat level was not."""
    more: bool
    """Whether there are more groups than are named."""
    known_address: bool


AUTOMATIC, LEAVES_REGION, ASKS_THREAT_LEVEL, MORE, KNOWN_ADDRESS = 1, 2, 4, 8, 16
"""The bits of the last byte."""


def issue_offer_id(
    keyring: Keyring, ranking_id: UUID, offer: FoldedOffer, *, first: str | None = None
) -> str:
    """Return the id of an offer in a ranking.

    A place of the group `first` is taken before all others.
    """
    groups = group_ids(offer, first=first)
    named = [*groups[:NAMED], *[NO_GROUP] * (NAMED - len(groups))]
    group = offer.first.group
    bits = (
        AUTOMATIC * group.automatic_acceptance
        | LEAVES_REGION * offer.first.cross_regional
        | ASKS_THREAT_LEVEL * offer.asks_threat_level
        | MORE * (len(groups) > NAMED)
        | KNOWN_ADDRESS * (group.address_secrecy == "known")
    )
    content = _FORM.pack(
        b"".join(id_.bytes for id_ in named),
        UUID(group.provider_id).bytes,
        min(offer.rank, 0xFFFF),
        PLACE_KINDS.index(group.kind),
        bits,
    )
    return keyring.token(content, scope=f"offer {ranking_id}")


def group_ids(offer: FoldedOffer, *, first: str | None = None) -> list[UUID]:
    """Return the groups of places behind an offer, in the order in which they are to be taken."""
    ids = [place.group.id for place in offer.places]
    return [UUID(id_) for id_ in (ids if first is None else _moved_up(ids, first))]


def _moved_up(ids: Iterable[str], first: str) -> list[str]:
    return sorted(ids, key=lambda id_: id_ != first)


def read_offer_id(keyring: Keyring, ranking_id: UUID, offer_id: str) -> OfferTicket | None:
    """Return the ticket in an offer's id; None if this ranking did not issue it."""
    content = keyring.read_token(offer_id, scope=f"offer {ranking_id}")
    if content is None:
        return None
    fields: tuple[bytes, bytes, int, int, int] = _FORM.unpack(content)
    named, receiver, rank, kind, bits = fields
    groups = (UUID(bytes=named[at : at + 16]) for at in range(0, len(named), 16))
    return OfferTicket(
        group_ids=tuple(group for group in groups if group != NO_GROUP),
        receiver_id=UUID(bytes=receiver),
        rank=rank,
        kind=PLACE_KINDS[kind],
        automatic_acceptance=bool(bits & AUTOMATIC),
        leaves_region=bool(bits & LEAVES_REGION),
        asks_threat_level=bool(bits & ASKS_THREAT_LEVEL),
        more=bool(bits & MORE),
        known_address=bool(bits & KNOWN_ADDRESS),
    )
