"""The address to which a household is on its way, for those of its desk who work on it.

As for an owner, asking and revealing take two transactions: `ask` must be committed before
`reveal` begins. The rule for rows (`site_secrets` in `migrations/sql/registry.sql`) decides too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from app.budgets import budgets
from app.database import access_log
from app.database.transaction import Transaction
from app.errors import AddressWithheld, BudgetSpent, Conflict, Missing, Refusal
from app.registry import address
from app.registry.store import sender_address_rows
from app.registry.store.sender_address_rows import SenderBasis
from app.words import N_

WITHHELD = {
    "not_on_their_way": N_(
        "An address is shown while a household is on its way, and for some hours after it has"
        " arrived. Call %(provider)s: %(phone)s."
    ),
    "address_changing": N_(
        "The address of this place is being changed, and the other one is not approved yet. Call"
        " %(provider)s: %(phone)s."
    ),
    "not_accepted": N_(
        "Nobody at the shelter has accepted them in person, so its address is not shown here."
        " Call %(provider)s: %(phone)s."
    ),
    "not_worked_on": N_(
        "You have not worked on this referral: take it over first, with one press."
        " Or call %(provider)s: %(phone)s."
    ),
    "second_factor_required": N_(
        "Prove your second factor once more, then the address is shown."
        " Or call %(provider)s: %(phone)s."
    ),
    "address_budget_spent": N_(
        "You have seen as many confidential addresses this week as one account may. Raise your"
        " budget, or ask a colleague or an administrator. Or call %(provider)s: %(phone)s."
    ),
    "too_many_requests": N_(
        "You have seen many addresses within the hour; wait a moment."
        " Or call %(provider)s: %(phone)s."
    ),
}
"""Why an address is not shown, each with the way on."""


@dataclass(frozen=True, slots=True)
class SenderQuestion:
    """The placement to whose site a household is on its way, and the purpose as a code."""

    placement_id: UUID
    purpose: str


async def ask(tx: Transaction, question: SenderQuestion) -> None:
    """Log the question and tell the site's owner; a refusal names the owner's switchboard."""
    await access_log.one_at_a_time(tx, tx.caller.account_id)
    basis = await _basis(tx, question)
    await _check(tx, basis)
    entry = tx.caller.entry(
        address.REVEAL,
        "site",
        basis.site_id,
        purpose=question.purpose,
        referral_ids=(basis.referral_id,),
    )
    await access_log.add_notice(tx, entry, provider_id=basis.owner_id)


async def reveal(tx: Transaction, question: SenderQuestion) -> Mapping[str, str]:
    """Return the address, in a later transaction than `ask`; the right is checked again."""
    basis = await _basis(tx, question)
    if not (basis.on_the_way and basis.worked_on):
        raise Missing
    if basis.changing:
        raise await _make_refusal(tx, basis, "address_changing")
    return await address.unseal_address(tx, basis.site_id)


async def _check(tx: Transaction, basis: SenderBasis) -> None:
    for withheld, code in (
        (not basis.on_the_way, "not_on_their_way"),
        (basis.changing, "address_changing"),
        (basis.accepted_by == "automatic", "not_accepted"),
    ):
        if withheld:
            raise await _make_refusal(tx, basis, code)
    if not basis.worked_on:
        raise await _make_refusal(tx, basis, "not_worked_on")
    if not await budgets.proved_lately(tx):
        raise await _make_refusal(tx, basis, "second_factor_required")
    if wait_s := await address.hourly_wait_s(tx):
        raise await _make_refusal(tx, basis, "too_many_requests", wait_s=wait_s)
    if basis.confidential and basis.owner_id != tx.caller.provider:
        try:
            async with tx.attempt():
                await budgets.spend_budget(tx, budgets.CONFIDENTIAL_SITES, subject=basis.site_id)
        except BudgetSpent as spent:
            raise await _make_refusal(
                tx, basis, "address_budget_spent", wait_s=spent.retry_after
            ) from None


async def _make_refusal(
    tx: Transaction, basis: SenderBasis, code: str, *, wait_s: int | None = None
) -> Refusal:
    owner = (await tx.snapshots.providers(tx))[str(basis.owner_id)]
    text, name, phone = WITHHELD[code], owner.name, owner.phone
    if wait_s is not None:
        return BudgetSpent(code, text, retry_after=wait_s, provider=name, phone=phone)
    if code in {"not_on_their_way", "not_accepted", "address_changing"}:
        return Conflict(code, text, provider=name, phone=phone)
    return AddressWithheld(code, text, provider=name, phone=phone)


async def _basis(tx: Transaction, question: SenderQuestion) -> SenderBasis:
    basis = await sender_address_rows.read_basis(
        tx, question.placement_id, provider_id=tx.caller.provider
    )
    if basis is None:
        raise Missing
    return basis
