"""The one way to an address: asked with a purpose, logged before it is read, never remembered.

The two acts are two transactions of the edge: `ask` must be committed before `reveal` begins. No log, no address.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from app.errors import Missing
from app.seal import Keyring
from app.services.caller import Caller
from app.store import access_log, sites
from app.store.access_log import Entry
from app.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Question:
    """Which site's address is asked for, why (a code), and for whose sake."""

    site_id: UUID
    purpose: str
    referral_id: UUID | None


async def ask(tx: Transaction, caller: Caller, question: Question) -> bool:
    """Write down who asks for an address and whether they may have it; return that."""
    basis = await _basis(tx, caller, question)
    referral_id = question.referral_id if basis is None else basis.referral_id
    entry = Entry(
        action="address_reveal",
        outcome="refused" if basis is None else "granted",
        account_id=caller.account_id,
        roles=tuple(sorted(caller.roles)),
        provider_id=caller.provider_id,
        purpose=question.purpose,
        object_type="site",
        object_id=question.site_id,
        referral_id=referral_id,
        source=caller.source,
        request_id=caller.request_id,
    )
    await access_log.add(tx, entry)
    return basis is not None


async def reveal(tx: Transaction, caller: Caller, question: Question, *, keyring: Keyring) -> Mapping[str, str]:
    """Return the address, in a transaction after the one that logged the question; the right to it is checked again."""
    if await _basis(tx, caller, question) is None:
        raise Missing
    wrapped, sealed = await sites.secret(tx, question.site_id)
    key = keyring.unwrap(wrapped, row=str(question.site_id))
    address: dict[str, str] = key.unseal_json(sealed, row=str(question.site_id))["address"]
    return address


async def _basis(tx: Transaction, caller: Caller, question: Question) -> sites.Basis | None:
    return await sites.basis(tx, question.site_id, provider_id=caller.provider, referral_id=question.referral_id)
