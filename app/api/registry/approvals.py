"""Approval of sites on the wire: by a second person, in cases by an administrator."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field, StrictBool

from app.api.kit.lists import ListIn
from app.api.kit.once import OnceIn
from app.api.kit.wire import Id, In, Line, Out, parse_id, parse_optional_id
from app.database.transaction import Transaction
from app.deps import Tx
from app.registry import proposals
from app.registry.proposals import AwaitedProposal, ProposalDecision

router = APIRouter()

MOST = 200


class ApprovalWanted(In):
    """Whether what is proposed of a site shall stand."""

    approve: StrictBool
    proposal_id: Line | None = Field(
        default=None,
        description="Only this proposal, as it was read; 409 `proposal_changed` for another one.",
    )


class SiteApprovalsWanted(In):
    """Whether what is proposed of several sites shall stand, all of it or nothing."""

    ids: Annotated[list[Line], Field(min_length=1, max_length=MOST)]
    approve: StrictBool


class ApprovalOut(Out):
    """What became of a proposal."""

    id: Id = Field(description="Of the site.")
    status: Literal["approved", "rejected", "proposed"]
    awaits: list[str] = Field(
        description="Whose approval it needs yet: `coordinator`, `administrator`."
    )


class SiteApprovalsOut(Out):
    """What became of several proposals."""

    items: list[ApprovalOut]


class AwaitedOut(
    Out,
    json_schema_extra={
        "description": "A new site, or a change of one, that waits for approval; never an address."
    },
):
    """A new site, or a change of one, that waits for approval."""

    id: Id = Field(description="Of the proposal.")
    site_id: Id
    provider_id: Id
    provider: str
    proposer: str | None = Field(description="What colleagues call who proposed it.")
    proposed_at: datetime
    new: bool = Field(validation_alias="is_new")
    region: str = Field(description="In which it is, or will be.")
    outside: bool = Field(description="Whether that is no region of the provider's.")
    was_municipality: str
    municipality: str | None = Field(description="The other municipality; null: as it is.")
    was_secrecy: str
    address_secrecy: str | None = Field(description="What it will be; null: as it is.")
    moves: bool = Field(description="Whether the address is another one.")
    places: int = Field(description="How many places it has.")
    awaits: list[str]
    awaits_me: bool = Field(description="Whether the caller may approve it.")


class AwaitedList(Out):
    """A page of what waits for approval, the oldest first."""

    items: list[AwaitedOut]
    next_cursor: str | None


@router.post(
    "/sites/{id}/approval",
    response_model=ApprovalOut,
    summary="Approve or reject a site",
    description="Approve or reject what is proposed of a site: its being there, or its change.\n\n"
    "Another coordinator of the same provider approves, and where the region is not among the "
    "provider's an administrator as well; where there is no second coordinator who may, an "
    "administrator alone. 409 `same_person` for who proposed it, where one of the two accounts "
    "invited or reset the other or gave it its role, and for one with which a coordinator "
    "of this provider did so less than the policy's days ago.",
)
async def decide_site(id: str, wanted: ApprovalWanted, tx: Tx, once: OnceIn) -> Response:
    """Approve or reject what is proposed of a site, as a second person."""
    site_id, proposal_id = parse_id(id), parse_optional_id(wanted.proposal_id)
    decision = await proposals.decide(tx, site_id, approve=wanted.approve, proposal_id=proposal_id)
    return await once.keep(tx, _approval_out(str(site_id), decision).reply())


@router.post(
    "/site-approvals",
    response_model=SiteApprovalsOut,
    summary="Approve or reject several sites",
)
async def decide_sites(wanted: SiteApprovalsWanted, tx: Tx, once: OnceIn) -> Response:
    """Approve or reject several sites, such as a file's, all of them or none."""
    site_ids = [parse_id(id_) for id_ in wanted.ids]
    decided = await proposals.decide_each(tx, dict.fromkeys(site_ids), approve=wanted.approve)
    items = [_approval_out(str(id_), decided[id_]) for id_ in dict.fromkeys(site_ids)]
    return await once.keep(tx, SiteApprovalsOut(items=items).reply())


@router.get("/site-approvals", response_model=AwaitedList, summary="What waits for approval")
async def list_awaited(tx: Tx, page: ListIn) -> Response:
    """List what waits for approval: of the own provider, or for an administrator."""
    found = [
        one for one in await read_awaited(tx) if page.after is None or _place(one) > page.after
    ]
    return AwaitedList.of(page.cut(found, place=_place)).reply()


async def read_awaited(tx: Transaction) -> list[AwaitedOut]:
    """Return what waits for approval, with what of it stands in the register."""
    reference = await tx.snapshots.reference(tx)
    cards = await tx.snapshots.providers(tx)

    def shown(one: AwaitedProposal) -> AwaitedOut:
        card = cards[str(one.provider_id)]
        region = reference.region_of(one.municipality or one.was_municipality)
        outside = region not in card.regions
        return AwaitedOut.of(one, provider=card.name, region=region, outside=outside)

    return [shown(one) for one in await proposals.list_awaited(tx)]


def _place(one: AwaitedOut) -> tuple[str, ...]:
    return one.proposed_at.isoformat(), one.id


def _approval_out(site_id: str, decision: ProposalDecision) -> ApprovalOut:
    return ApprovalOut(id=site_id, status=decision.status, awaits=decision.awaits)  # pyright: ignore[reportArgumentType] - the database says no other
