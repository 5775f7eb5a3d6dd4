"""Import sites, each found by its sealed name, so these providers' names are unsealed."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from app.database import counters, outbox
from app.database.transaction import Transaction
from app.placing import site_safety
from app.registry import proposals, site_seals, sites
from app.registry.imports.csv_columns import CsvSite
from app.registry.imports.csv_files import (
    CsvFault,
    Faults,
    ImportCounts,
    refuse_faults,
)
from app.registry.names import fold_name, hash_name, read_key
from app.registry.store import bulk, site_rows
from app.registry.store.bulk import Batch, KnownProvider
from app.registry.store.site_rows import SiteRow, SiteTraits
from app.seal import DataKey
from app.words import N_

EVERY = 1_000_000
AMBIGUOUS = N_("the provider has several of this name; a file cannot tell which one is meant")


@dataclass(frozen=True, slots=True)
class UnsealedSite:
    """A site with its seal open."""

    stored: SiteRow
    key: DataKey = field(repr=False)
    address: Mapping[str, str] = field(repr=False)


SitesByName = Mapping[str, Sequence[UnsealedSite]]
"""A provider's sites by folded name; some that were rejected may share one."""


async def store_sites(tx: Transaction, rows: Sequence[CsvSite], *, faults: Faults) -> ImportCounts:
    """Store the new and changed sites of a file; nobody has confirmed a new one yet."""
    providers = await bulk.providers(tx)
    region_of = {
        code: town.region
        for code, town in (await tx.snapshots.reference(tx)).municipalities.items()
    }
    await bulk.lock_sites(
        tx, [providers[slug].id for slug in {row.provider for row in rows} & providers.keys()]
    )
    named = await sites_by_name(tx, {row.provider for row in rows}, providers=providers)
    _check(rows, providers=providers, named=named, municipalities=region_of.keys(), faults=faults)
    refuse_faults(faults)
    known = {
        row: found[0] for row in rows if (found := sites_called(row.site, named[row.provider]))
    }
    new = [row for row in rows if row not in known]
    changed = [row for row in known if _differs(row, known[row])]
    batch = _batch(new, providers=providers, tx=tx, names=await read_key(tx))
    await bulk.add(tx, batch)
    if tx.identity is not None:
        for site in batch.sites:
            await proposals.propose(tx, site["id"])
    for row in changed:
        if tx.identity is None:
            await _change(
                tx, row, known[row], provider=providers[row.provider], region_of=region_of
            )
        else:
            await _change_own(tx, row, known[row])
    revised = [
        known[row].stored.id
        for row in changed
        if tx.identity is None and _traits(row) != known[row].stored.traits
    ]
    if new or revised:
        revision = await counters.advance(tx, "register")
        for site_id in revised:
            await site_rows.set_revision(tx, site_id, revision=revision)
    return ImportCounts(len(new), len(changed), len(rows) - len(new) - len(changed))


async def sites_by_name(
    tx: Transaction, slugs: set[str], *, providers: Mapping[str, KnownProvider]
) -> dict[str, SitesByName]:
    """Return the sites of some providers by name; an unknown provider has none."""
    named: dict[str, SitesByName] = {}
    for slug in slugs:
        found: dict[str, list[UnsealedSite]] = defaultdict(list)
        if slug in providers:
            for stored in await site_rows.list_of_provider(
                tx, providers[slug].id, limit=EVERY, after=None
            ):
                key = tx.keyring.unwrap(stored.key, row=str(stored.id))
                address = site_seals.address_of(
                    key, stored.id, sealed=stored.sealed, moved_to=stored.moved_to
                )
                name = fold_name(site_seals.name_of(stored, key))
                found[name].append(UnsealedSite(stored, key, address))
        named[slug] = dict(found)
    return named


def sites_called(name: str, named: SitesByName) -> list[UnsealedSite]:
    """Return the sites of a provider that have a name and were not rejected."""
    found = named.get(fold_name(name), ())
    return [site for site in found if site.stored.status != "rejected"]


def _check(
    rows: Sequence[CsvSite],
    *,
    providers: Mapping[str, KnownProvider],
    named: Mapping[str, SitesByName],
    municipalities: Collection[str],
    faults: Faults,
) -> None:
    for row in rows:
        if row.provider not in providers:
            faults.add(CsvFault(row.line, "provider", N_("there is no such provider")))
        if row.municipality not in municipalities:
            faults.add(CsvFault(row.line, "municipality", N_("there is no such municipality")))
        if len(sites_called(row.site, named[row.provider])) > 1:
            faults.add(CsvFault(row.line, "site", AMBIGUOUS))


def _traits(row: CsvSite) -> SiteTraits:
    return SiteTraits(**{name: getattr(row, name) for name in SiteTraits.__slots__})


def _address(row: CsvSite) -> dict[str, str]:
    return {"street": row.street, "postcode": row.postcode, "city": row.city}


def _differs(row: CsvSite, known: UnsealedSite) -> bool:
    return _traits(row) != known.stored.traits or _address(row) != known.address


def _asks_again(row: CsvSite, known: UnsealedSite) -> bool:
    """Whether a change touches the safety of those who are there."""
    before = known.stored.traits
    return (row.municipality, row.address_secrecy) != (before.municipality, before.address_secrecy)


def _batch(
    rows: Sequence[CsvSite],
    *,
    providers: Mapping[str, KnownProvider],
    tx: Transaction,
    names: DataKey,
) -> Batch:
    batch = Batch()
    for row in rows:
        id_ = uuid4()
        provider_id = providers[row.provider].id
        key, wrapped = tx.keyring.new_data_key(row=str(id_))
        sealed = site_seals.seal_site(key, id_, name=row.site, address=_address(row))
        traits = {name: getattr(row, name) for name in SiteTraits.__slots__}
        # The operator is the installation; of anybody else it is a proposal.
        traits["status"] = "approved" if tx.identity is None else "proposed"
        moments = {"created_at": tx.at, "confirmed_at": None}
        batch.sites.append({"id": id_, "provider_id": provider_id, **traits, **moments})
        secret = {"site_id": id_, "provider_id": provider_id, "key": wrapped, "sealed": sealed}
        batch.site_secrets.append(
            secret | {"name_hash": hash_name(names, row.site, within=provider_id)}
        )
    return batch


async def _change(
    tx: Transaction,
    row: CsvSite,
    known: UnsealedSite,
    *,
    provider: KnownProvider,
    region_of: Mapping[str, str],
) -> None:
    """Change a site as the operator, who is the installation: it holds at once."""
    stored, wanted = known.stored, _traits(row)
    if _address(row) != known.address:
        sealed = site_seals.seal_address(known.key, stored.id, _address(row))
        await site_rows.move(tx, stored.id, sealed=sealed)
    if wanted == stored.traits:
        return
    await site_rows.settle(
        tx, stored.id, municipality=wanted.municipality, secrecy=wanted.address_secrecy
    )
    await site_rows.change(tx, stored.id, traits=wanted)
    if wanted.municipality != stored.traits.municipality:
        for region in sorted(
            {region_of[wanted.municipality], region_of[stored.traits.municipality]}
        ):
            await outbox.add(tx, kind="availability", subject=region, audience=[provider.id])
    if _asks_again(row, known):
        await site_safety.recheck_site(tx, stored.id)


async def _change_own(tx: Transaction, row: CsvSite, known: UnsealedSite) -> None:
    """Change an own site as its page would: where it is and who knows that is proposed."""
    traits = _traits(row)
    changes: dict[str, Any] = {name: getattr(traits, name) for name in SiteTraits.__slots__}
    site = await sites.read(tx, known.stored.id, lock=True)
    await sites.change(tx, site, changes=changes | {"address": _address(row)})
