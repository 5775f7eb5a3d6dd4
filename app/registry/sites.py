"""Sites: what a provider says of its shelter addresses.

Only the name is unsealed here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from app.database import counters, outbox
from app.database.transaction import Transaction
from app.errors import Fault, Invalid, Missing
from app.placing import site_safety
from app.registry.store import site_rows
from app.registry.store.site_rows import SiteRow, SiteTraits
from app.seal import DataKey, Keyring

SECRET = ("name", "address")
ALARM = "compromised"


@dataclass(frozen=True, slots=True)
class OwnSite:
    """A site as its owner sees it: with its name, without its address."""

    id: UUID
    name: str
    traits: SiteTraits
    confirmed_at: datetime | None
    """When a person last confirmed that everything here is true, if ever."""
    created_at: datetime
    key: DataKey = field(repr=False)
    sealed: bytes = field(repr=False)
    compromised: str | None = None
    """The code of the reason why the site is not safe any more."""
    compromised_since: datetime | None = None


async def add(
    tx: Transaction, *, name: str, address: Mapping[str, str], traits: SiteTraits
) -> OwnSite:
    """Add a site of the caller's provider, not confirmed yet."""
    _check(traits)
    id_ = uuid4()
    key, wrapped = tx.keyring.new_data_key(row=str(id_))
    sealed = key.seal_json({"name": name, "address": dict(address)}, row=str(id_))
    await site_rows.add(
        tx, SiteRow(id_, traits, None, tx.at, wrapped, sealed), provider_id=tx.caller.provider
    )
    await _serve(tx, municipality=traits.municipality)
    await counters.advance(tx, "register")
    return OwnSite(id_, name, traits, None, tx.at, key, sealed)


async def lock_additions(tx: Transaction) -> None:
    """Keep others from adding sites of the caller's provider until the transaction ends."""
    await site_rows.lock_additions(tx, tx.caller.provider)


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
    return _unseal(row, tx.keyring)


async def list_own(
    tx: Transaction, *, limit: int, after: tuple[datetime, UUID] | None
) -> list[OwnSite]:
    """Return the sites of the caller's provider, oldest first."""
    rows = await site_rows.list_of_provider(tx, tx.caller.provider, limit=limit, after=after)
    return [_unseal(row, tx.keyring) for row in rows]


async def change(tx: Transaction, site: OwnSite, *, changes: Mapping[str, Any]) -> OwnSite:
    """Change the named attributes of a locked site.

    A change of anything that a ranking may know outdates earlier rankings. A new name, or a new
    address in the same municipality, does not, and leaves no trace that others could notice.
    """
    secret = {name: value for name, value in changes.items() if name in SECRET}
    traits = replace(
        site.traits,
        **{name: value for name, value in changes.items() if name not in {*SECRET, ALARM}},
    )
    because: str | None = changes.get(ALARM, site.compromised)
    _check(traits)
    if secret:
        site = await _reseal(tx, site, secret)
    if traits == site.traits and because == site.compromised:
        return site
    if traits != site.traits:
        await _change_traits(tx, site, traits=traits)
    if because != site.compromised:
        site = await _alarm(tx, site, because=because)
    await site_rows.set_revision(tx, site.id, revision=await counters.advance(tx, "register"))
    return replace(site, traits=traits)


async def _change_traits(tx: Transaction, site: OwnSite, *, traits: SiteTraits) -> None:
    before = site.traits
    await site_rows.change(tx, site.id, traits=traits)
    if (traits.municipality, traits.address_secrecy) != (
        before.municipality,
        before.address_secrecy,
    ):
        await site_safety.recheck_site(tx, site.id)
    if traits.municipality != before.municipality:
        await _serve(tx, municipality=traits.municipality)
        for municipality in (before.municipality, traits.municipality):
            await announce_counts(tx, municipality=municipality)


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


async def _serve(tx: Transaction, *, municipality: str) -> None:
    region = (await tx.snapshots.reference(tx)).region_of(municipality)
    await site_rows.serve_region(tx, tx.caller.provider, region=region)


async def _reseal(tx: Transaction, site: OwnSite, secret: Mapping[str, Any]) -> OwnSite:
    content: dict[str, Any] = site.key.unseal_json(site.sealed, row=str(site.id))
    sealed = site.key.seal_json({**content, **secret}, row=str(site.id))
    await site_rows.reseal(tx, site.id, sealed=sealed)
    return replace(site, name=secret.get("name", site.name), sealed=sealed)


def _check(traits: SiteTraits) -> None:
    if traits.automatic_acceptance and traits.address_secrecy != "known":
        raise Invalid(Fault("/automaticAcceptance", "can be true only where the address is known"))


def _unseal(row: SiteRow, keyring: Keyring) -> OwnSite:
    key = keyring.unwrap(row.key, row=str(row.id))
    name: str = key.unseal_json(row.sealed, row=str(row.id))["name"]
    return OwnSite(
        id=row.id,
        name=name,
        traits=row.traits,
        confirmed_at=row.confirmed_at,
        created_at=row.created_at,
        key=key,
        sealed=row.sealed,
        compromised=row.compromised,
        compromised_since=row.compromised_since,
    )
