"""The grounds on which the sender of a placement may have the address of its site."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Uuid, bindparam, text

from app.database.transaction import Transaction


@dataclass(frozen=True, slots=True)
class SenderBasis:
    """A placement of the caller's desk, and what its address depends on."""

    site_id: UUID
    owner_id: UUID
    referral_id: UUID
    confidential: bool
    accepted_by: str | None
    on_the_way: bool
    """Whether they are on their way, or arrived only hours ago."""
    worked_on: bool
    """Whether the caller worked on the referral, or took it over."""
    changing: bool
    """Whether another address waits for approval."""


_READ = text("""
SELECT p.site_id, p.receiver_id AS owner_id, p.referral_id,
       s.address_secrecy = 'confidential' AS confidential, h.accepted_by,
       on_the_way(p.status, p.arrived_at) AS on_the_way, worked_on(p.referral_id) AS worked_on,
       address_changing(p.site_id) AS changing
FROM placements AS p JOIN holds AS h ON h.id = p.hold_id JOIN sites AS s ON s.id = p.site_id
WHERE p.id = :placement_id AND p.provider_id = :provider_id
""").bindparams(bindparam("placement_id", type_=Uuid()), bindparam("provider_id", type_=Uuid()))


async def read_basis(
    tx: Transaction, placement_id: UUID, *, provider_id: UUID
) -> SenderBasis | None:
    """Return what the address of a placement that a provider sent depends on."""
    row = await tx.row(_READ, {"placement_id": placement_id, "provider_id": provider_id})
    return None if row is None else SenderBasis(*row)
