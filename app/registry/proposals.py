"""New sites, and changes of where one is: proposed by one, approved by another."""

from collections.abc import Mapping
from uuid import UUID

from app.database import access_log
from app.database.transaction import Transaction
from app.errors import Conflict, Missing, Refusal
from app.placing import site_safety
from app.registry.store import proposal_rows
from app.registry.store.proposal_rows import AwaitedProposal, ProposalDecision
from app.words import N_

PROPOSE, APPROVE, REJECT = "propose", "approve", "reject"
"""The actions as the access log names them, and all coordinators are told of."""

REFUSALS = {
    "nothing_proposed": N_("Nothing of this site waits for approval."),
    "proposal_changed": N_("What is proposed has changed since you looked at it: look again."),
    "same_person": N_(
        "A second person has to approve this: not who proposed it, nor an account that one of the"
        " two invited, reset or gave its role, nor one that a coordinator here invited just now."
    ),
    "not_awaited": N_("This does not wait for your approval."),
    "pending": N_(
        "A colleague's proposal for this site waits for approval: approve or reject that first."
    ),
    "rejected": N_("This site was rejected: propose a new one."),
}


async def propose(
    tx: Transaction,
    site_id: UUID,
    *,
    municipality: str | None = None,
    secrecy: str | None = None,
    address: bytes | None = None,
) -> None:
    """Propose a new own site, or what is to change of one, and tell all coordinators."""
    answer = await proposal_rows.propose(
        tx, site_id, municipality=municipality, secrecy=secrecy, address=address
    )
    if answer != "proposed":
        raise _refusal(answer)
    entry = tx.caller.entry(PROPOSE, "site", site_id)
    await access_log.add_notice(tx, entry, provider_id=tx.caller.provider)


async def decide(
    tx: Transaction, site_id: UUID, *, approve: bool, proposal_id: UUID | None = None
) -> ProposalDecision:
    """Approve or reject what is proposed of a site; the database decides who may.

    With `proposal_id` only that proposal, which is the one that the caller looked at.
    """
    decision = await proposal_rows.decide(tx, site_id, proposal_id=proposal_id, approve=approve)
    if decision.status not in {"approved", "rejected", "proposed"}:
        raise _refusal(decision.status)
    if decision.status == "approved" and tx.caller.provider_id is not None:
        await _recheck(tx, site_id)
    # The households whose seals were opened to compare them stand in the entry.
    entry = tx.caller.entry(
        APPROVE if approve else REJECT, "site", site_id, referral_ids=tx.looks.referral_ids
    )
    event = await access_log.add_numbered(tx, entry)
    await proposal_rows.tell_coordinators(tx, site_id, entry=event)
    return decision


async def decide_each(
    tx: Transaction, proposed: Mapping[UUID, UUID | None], *, approve: bool
) -> Mapping[UUID, ProposalDecision]:
    """Approve or reject what is proposed of several sites, all of it or nothing.

    `proposed` has by site the proposal that the caller looked at, or None for whichever it is.
    """
    # In one order, so that two who do so at once never wait for each other in a circle.
    return {
        site_id: await decide(tx, site_id, approve=approve, proposal_id=proposed[site_id])
        for site_id in sorted(proposed)
    }


async def list_awaited(tx: Transaction) -> list[AwaitedProposal]:
    """Return what waits for approval: of the own provider, or for an administrator."""
    return await proposal_rows.list_awaited(tx)


async def recheck_moved(tx: Transaction) -> None:
    """Compare everybody at sites that moved by an administrator's approval with the danger."""
    for site_id in await proposal_rows.list_to_recheck(tx):
        await _recheck(tx, site_id)


async def _recheck(tx: Transaction, site_id: UUID) -> None:
    await site_safety.recheck_site(tx, site_id)
    await proposal_rows.note_rechecked(tx, site_id)


def _refusal(code: str) -> Refusal:
    return Missing() if code == "missing" else Conflict(code, REFUSALS[code])
