"""The address of a site.

Asked for with a purpose, logged before it is read, never kept.

Asking and revealing take two transactions: `ask` must be committed before `reveal` begins. Without
a log entry there is no address.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from app.database import access_log, caller
from app.database.caller import Role
from app.database.transaction import Transaction
from app.errors import Conflict, Missing, Refusal, TooOften
from app.registry import site_seals
from app.registry.proposals import REFUSALS
from app.registry.store import proposal_rows, site_rows

REVEAL = "reveal"
"""The action as the access log names it."""
APPROVAL = "approval"
"""The purpose for which the proposed address is shown instead of the one that stands."""


@dataclass(frozen=True, slots=True)
class AddressQuestion:
    """The site whose address is asked for, the purpose as a code, and the referral it is for."""

    site_id: UUID
    purpose: str
    referral_id: UUID | None


async def ask(tx: Transaction, question: AddressQuestion) -> Refusal | None:
    """Log the question for an address and tell the site's owner.

    Return why it is not granted, if it is not.

    The owner is told only of a question that is granted. Raises TooOften for an account that has
    seen as many addresses within the hour as the policy allows; the edge logs that refusal.
    """
    await access_log.one_at_a_time(tx, tx.caller.account_id)
    if wait_s := await hourly_wait_s(tx):
        raise TooOften(retry_after=wait_s)
    basis = await _basis(tx, question)
    referral_id = question.referral_id if basis is None else basis.referral_id
    refusal = await _refusal(tx, question, basis)
    entry = tx.caller.entry(
        REVEAL,
        "site",
        question.site_id,
        outcome=caller.REFUSED if refusal else caller.GRANTED,
        purpose=question.purpose,
        referral_ids=() if referral_id is None else (referral_id,),
    )
    if basis is None or refusal is not None:
        await access_log.add(tx, entry)
    else:
        await access_log.add_notice(tx, entry, provider_id=basis.owner_id)
    return refusal


async def reveal(tx: Transaction, question: AddressQuestion) -> Mapping[str, str]:
    """Return the address, in a later transaction than `ask`.

    The right to it is checked again.
    """
    if refusal := await _refusal(tx, question, await _basis(tx, question)):
        raise refusal
    proposed = None
    if question.purpose == APPROVAL:
        proposed = await proposal_rows.address_of(tx, question.site_id)
    return await unseal_address(tx, question.site_id, proposed=proposed)


async def hourly_wait_s(tx: Transaction) -> int:
    """Return in how many seconds the caller may see an address again; 0 for now."""
    policy = (await tx.snapshots.reference(tx)).policy
    return await access_log.wait(
        tx, tx.caller.account_id, action=REVEAL, most=policy.reveals_per_hour
    )


async def unseal_address(
    tx: Transaction, site_id: UUID, *, proposed: bytes | None = None
) -> Mapping[str, str]:
    """Return the address of a site whose secrets the rules for rows show to the caller.

    With `proposed`, sealed, that one instead of the one that stands.
    """
    found = await site_rows.secret(tx, site_id)
    if found is None:
        raise Missing
    wrapped, sealed, moved_to = found
    key = tx.keyring.unwrap(wrapped, row=str(site_id))
    return site_seals.address_of(key, site_id, sealed=sealed, moved_to=proposed or moved_to)


async def _refusal(
    tx: Transaction, question: AddressQuestion, basis: site_rows.AddressBasis | None
) -> Refusal | None:
    """Return why the caller does not get an address; a proposed one is for its approvers."""
    if basis is None:
        return Missing()
    if question.purpose != APPROVAL:
        return None
    if not tx.caller.has(Role.COORDINATOR):
        return Missing()
    awaited = await proposal_rows.list_awaited(tx, site_id=question.site_id)
    if not awaited:
        return Conflict("nothing_proposed", REFUSALS["nothing_proposed"])
    return None if awaited[0].awaits_me else Conflict("same_person", REFUSALS["same_person"])


async def _basis(tx: Transaction, question: AddressQuestion) -> site_rows.AddressBasis | None:
    return await site_rows.basis(
        tx, question.site_id, provider_id=tx.caller.provider, referral_id=question.referral_id
    )
