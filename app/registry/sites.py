"""Sites: what a provider says of its shelter addresses.

Only the name is unsealed here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from app.database import counters, outbox
from app.database.transaction import Transaction
from app.errors import Fault, Invalid, Missing
from app.placing import site_safety
from app.registry import names, proposals, site_seals
from app.registry.store import proposal_rows, site_rows
from app.registry.store.proposal_rows import AwaitedProposal
from app.registry.store.site_rows import SiteRow, SiteTraits
from app.seal import DataKey, Keyring

ALARM = "compromised"
_ALONE = frozenset(SiteTraits.__slots__) - {"municipality", "address_secrecy"}
"""The traits that one person changes."""


@dataclass(frozen=True, slots=True)
class OwnSite:
    """A site as its owner sees it: with its name, without its address."""

    id: UUID
    name: str
    traits: SiteTraits
    confirmed_at: datetime | None
    """When a person last confirmed that everything here is true, if ever."""
    created_at: datetime
    status: str
    """`proposed`, `approved` or `rejected`: nothing is offered where it is not approved."""
    key: DataKey = field(repr=False)
    row: SiteRow = field(repr=False)
    compromised: str | None = None
    """The code of the reason why the site is not safe any more."""
    compromised_since: datetime | None = None
    proposed: AwaitedProposal | None = None
    """What of it waits for approval."""
    new: bool = False
    """Whether it was approved, or has moved, less than the policy's days ago."""


async def add(
    tx: Transaction, *, name: str, address: Mapping[str, str], traits: SiteTraits
) -> OwnSite:
    """Propose a site of the caller's provider: nothing at it is offered before it is approved."""
    _check(traits)
    id_ = uuid4()
    key, wrapped = tx.keyring.new_data_key(row=str(id_))
    sealed = site_seals.seal_site(key, id_, name=name, address=address)
    row = SiteRow(id_, traits, None, tx.at, wrapped, sealed)
    name_hash = await _hash(tx, name)
    await site_rows.add(tx, row, provider_id=tx.caller.provider, name_hash=name_hash)
    await proposals.propose(tx, id_)
    return await read(tx, id_)


async def read(tx: Transaction, site_id: UUID, *, lock: bool = False) -> OwnSite:
    """Return a site of the caller's provider.

    With `lock`, nobody else can change it.
    """
    if lock:
        # Lock before reading: the row may have changed during the wait.
        await site_rows.lock(tx, site_id, provider_id=tx.caller.provider)
    row = await site_rows.read(tx, site_id, provider_id=tx.caller.provider)
    if row is None:
        raise Missing
    return (await _open_sites(tx, [row], site_id=site_id))[0]


async def list_own(
    tx: Transaction, *, limit: int, after: tuple[datetime, UUID] | None
) -> list[OwnSite]:
    """Return the sites of the caller's provider, oldest first."""
    rows = await site_rows.list_of_provider(tx, tx.caller.provider, limit=limit, after=after)
    return await _open_sites(tx, rows)


async def _open_sites(
    tx: Transaction, rows: Sequence[SiteRow], *, site_id: UUID | None = None
) -> list[OwnSite]:
    """Return sites with their names, what waits for approval, and whether they are new."""
    awaited = await proposal_rows.list_awaited(tx, site_id=site_id)
    proposed = {one.site_id: one for one in awaited}
    policy = (await tx.snapshots.reference(tx)).policy
    return [
        replace(
            _unseal(row, tx.keyring),
            proposed=proposed.get(row.id),
            new=policy.is_new(row.approved_at, at=tx.at),
        )
        for row in rows
    ]


async def change(tx: Transaction, site: OwnSite, *, changes: Mapping[str, Any]) -> OwnSite:
    """Change attributes of a locked site, or propose those that nobody changes alone.

    A change of anything that a ranking may know outdates earlier rankings. A new name does not, and
    leaves no trace that others could notice. Where the site is, and that it is known, is proposed;
    that it is kept secret from now on holds at once.
    """
    traits = replace(
        site.traits,
        **{name: value for name, value in changes.items() if name in _ALONE},
    )
    safer = changes.get("address_secrecy") == "confidential" and _is_known(site)
    if safer:
        traits = replace(traits, address_secrecy="confidential")
    because: str | None = changes.get(ALARM, site.compromised)
    _check(traits)
    if safer:
        await proposal_rows.make_confidential(tx, site.id)
    if changes.get("name", site.name) != site.name:
        site = await _rename(tx, site, name=changes["name"])
    await _propose(tx, site, changes=changes)
    if traits != site.traits or because != site.compromised:
        site = await _change_at_once(tx, site, traits=traits, because=because)
    return await read(tx, site.id)


async def _change_at_once(
    tx: Transaction, site: OwnSite, *, traits: SiteTraits, because: str | None
) -> OwnSite:
    if traits.address_secrecy != site.traits.address_secrecy:
        await site_safety.recheck_site(tx, site.id)
    if traits != site.traits:
        await site_rows.change(tx, site.id, traits=traits)
    if because != site.compromised:
        site = await _alarm(tx, site, because=because)
    await site_rows.set_revision(tx, site.id, revision=await counters.advance(tx, "register"))
    return site


def _is_known(site: OwnSite) -> bool:
    """Whether the address of a site is known, or that it may be is proposed."""
    proposed = site.proposed is not None and site.proposed.address_secrecy is not None
    return proposed or site.traits.address_secrecy != "confidential"


async def _propose(tx: Transaction, site: OwnSite, *, changes: Mapping[str, Any]) -> None:
    """Propose what of some changes others have to approve, if there is anything of it."""
    before = site.proposed
    municipality: str | None = changes.get("municipality")
    if municipality == site.traits.municipality and (before is None or not before.municipality):
        municipality = None
    secrecy: str | None = changes.get("address_secrecy")
    if secrecy in {"confidential", site.traits.address_secrecy}:
        secrecy = None
    address: Mapping[str, str] | None = changes.get("address")
    if address is not None and dict(address) == await _newest_address(tx, site):
        address = None
    if municipality is secrecy is address is None:
        return
    sealed = None if address is None else site_seals.seal_address(site.key, site.id, address)
    await proposals.propose(tx, site.id, municipality=municipality, secrecy=secrecy, address=sealed)


async def _newest_address(tx: Transaction, site: OwnSite) -> Mapping[str, str]:
    """Return the address that is proposed for a site, or else the one it has."""
    moved_to = await proposal_rows.address_of(tx, site.id) or site.row.moved_to
    return site_seals.address_of(site.key, site.id, sealed=site.row.sealed, moved_to=moved_to)


async def _alarm(tx: Transaction, site: OwnSite, *, because: str | None) -> OwnSite:
    since = None if because is None else tx.at
    await site_rows.set_compromised(tx, site.id, because=because, since=since)
    if because is None:
        await site_safety.clear_site(tx, site.id)
    else:
        await site_safety.compromise_site(tx, site.id)
    return replace(site, compromised=because, compromised_since=since)


async def confirm(tx: Transaction, site_id: UUID) -> datetime:
    """Confirm that everything at a site is true now; return the moment."""
    confirmed = await site_rows.confirm(tx, site_id, provider_id=tx.caller.provider)
    if confirmed is None:
        raise Missing
    at, municipality = confirmed
    await announce_counts(tx, municipality=municipality)
    return at


async def announce_counts(tx: Transaction, *, municipality: str) -> None:
    """Tell the caller's provider, and nobody else, that its counts in a region have changed."""
    region = (await tx.snapshots.reference(tx)).region_of(municipality)
    await outbox.add(tx, kind="availability", subject=region, audience=[tx.caller.provider])


async def _rename(tx: Transaction, site: OwnSite, *, name: str) -> OwnSite:
    sealed = site_seals.seal_name(site.key, site.id, name)
    await site_rows.rename(tx, site.id, sealed=sealed, name_hash=await _hash(tx, name))
    return replace(site, name=name)


async def _hash(tx: Transaction, name: str) -> bytes:
    return names.hash_name(await names.read_key(tx), name, within=tx.caller.provider)


def _check(traits: SiteTraits) -> None:
    if traits.automatic_acceptance and traits.address_secrecy != "known":
        raise Invalid(Fault("/automaticAcceptance", "can be true only where the address is known"))


def _unseal(row: SiteRow, keyring: Keyring) -> OwnSite:
    key = site_seals.unseal_key(row, keyring)
    return OwnSite(
        id=row.id,
        name=site_seals.name_of(row, key),
        traits=row.traits,
        status=row.status,
        confirmed_at=row.confirmed_at,
        created_at=row.created_at,
        key=key,
        row=row,
        compromised=row.compromised,
        compromised_since=row.compromised_since,
    )
