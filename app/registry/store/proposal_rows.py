"""Proposals of sites: the database's own functions decide, and say what became of them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Boolean, LargeBinary, Text, bindparam, select, text
from sqlalchemy import Uuid as UuidType

from app.database.transaction import Transaction
from app.models import Site, SiteProposal


@dataclass(frozen=True, slots=True)
class AwaitedProposal:
    """What waits for approval: a new site, or a change of one; never an address."""

    id: UUID
    site_id: UUID
    provider_id: UUID
    proposed_by: UUID
    proposer: str | None
    """What colleagues call who proposed it."""
    proposed_at: datetime
    is_new: bool
    was_municipality: str
    municipality: str | None
    """The other municipality, and so on; None: as it is."""
    was_secrecy: str
    address_secrecy: str | None
    moves: bool
    """Whether the address is another one."""
    places: int
    awaits: list[str]
    """Whose approval it needs yet: `coordinator`, `administrator`."""
    awaits_me: bool
    """Whether the caller is one who may give it."""


@dataclass(frozen=True, slots=True)
class ProposalDecision:
    """What became of a proposal, or why nothing did, and whose approval it needs yet."""

    status: str
    awaits: list[str]


_ID = bindparam("site_id", type_=UuidType())
_AWAITED = text("SELECT * FROM awaited_proposals(:site_id)").bindparams(_ID)
_PROPOSE = text(
    "SELECT propose_site(:site_id, :id, :municipality, :secrecy, :address) AS answer"
).bindparams(
    _ID,
    bindparam("id", type_=UuidType()),
    bindparam("municipality", type_=Text()),
    bindparam("secrecy", type_=Text()),
    bindparam("address", type_=LargeBinary()),
)
_DECIDE = text("SELECT * FROM decide_site(:site_id, :proposal_id, :approve)").bindparams(
    _ID, bindparam("proposal_id", type_=UuidType()), bindparam("approve", type_=Boolean())
)
_TELL = text("SELECT tell_coordinators(:site_id, :entry)").bindparams(_ID)
_CONFIDENTIAL = text("SELECT make_confidential(:site_id)").bindparams(_ID)
_RECHECKED = text("SELECT note_rechecked(:site_id)").bindparams(_ID)


async def list_awaited(tx: Transaction, *, site_id: UUID | None = None) -> list[AwaitedProposal]:
    """Return what waits for approval and concerns the caller, the oldest first."""
    return [AwaitedProposal(*row) for row in await tx.rows(_AWAITED, {"site_id": site_id})]


async def propose(
    tx: Transaction,
    site_id: UUID,
    *,
    municipality: str | None = None,
    secrecy: str | None = None,
    address: bytes | None = None,
) -> str:
    """Propose a new site, or what is to change of one; return what the database says of it."""
    values = {
        "site_id": site_id,
        "id": uuid4(),
        "municipality": municipality,
        "secrecy": secrecy,
        "address": address,
    }
    answer: str = (await tx.rows(_PROPOSE, values))[0].answer
    tx.wrote_outbox()
    return answer


async def decide(
    tx: Transaction, site_id: UUID, *, proposal_id: UUID | None, approve: bool
) -> ProposalDecision:
    """Approve or reject what is proposed of a site."""
    values = {"site_id": site_id, "proposal_id": proposal_id, "approve": approve}
    row = (await tx.rows(_DECIDE, values))[0]
    tx.wrote_outbox()
    return ProposalDecision(row.status, row.awaits)


async def tell_coordinators(tx: Transaction, site_id: UUID, *, entry: int) -> None:
    """Tell the coordinators of a site's provider of an entry of the access log about it."""
    await tx.rows(_TELL, {"site_id": site_id, "entry": str(entry)})
    tx.wrote_outbox()


async def make_confidential(tx: Transaction, site_id: UUID) -> None:
    """Keep the address of an own site secret from now on."""
    await tx.rows(_CONFIDENTIAL, {"site_id": site_id})


async def address_of(tx: Transaction, site_id: UUID) -> bytes | None:
    """Return the sealed address that is proposed for an own site, if another one is."""
    live = (SiteProposal.site_id == site_id, SiteProposal.outcome.is_(None))
    row = await tx.row(select(SiteProposal.moved_to).where(*live))
    return None if row is None else row.moved_to


async def list_to_recheck(tx: Transaction) -> list[UUID]:
    """Return the sites that moved and where nobody was compared with the danger since."""
    rows = await tx.rows(select(Site.id).where(Site.recheck).order_by(Site.id).limit(20))
    return [row.id for row in rows]


async def note_rechecked(tx: Transaction, site_id: UUID) -> None:
    """Note that everybody at a site has been compared with the danger since it moved."""
    await tx.rows(_RECHECKED, {"site_id": site_id})
