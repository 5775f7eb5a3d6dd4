"""Import sites, each found by its sealed name, so these providers' names are unsealed."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from app.database import counters, outbox
from app.database.transaction import Transaction
from app.placing import site_safety
from app.registry.imports.csv_columns import CsvSite
from app.registry.imports.csv_files import (
    CsvFault,
    Faults,
    ImportCounts,
    refuse_faults,
    tidy_text,
)
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
    content: Mapping[str, Any] = field(repr=False)


SitesByName = Mapping[str, Sequence[UnsealedSite]]
"""A provider's sites by name; the tables allow several with one name."""


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
        row: named[row.provider][row.site][0] for row in rows if row.site in named[row.provider]
    }
    new = [row for row in rows if row not in known]
    changed = [row for row in known if _differs(row, known[row])]
    await bulk.add(tx, _batch(new, providers=providers, tx=tx))
    for row in changed:
        await _change(tx, row, known[row], provider=providers[row.provider], region_of=region_of)
        if _asks_again(row, known[row]):
            await site_safety.recheck_site(tx, known[row].stored.id)
    for provider_id, region in {
        (providers[row.provider].id, region_of[row.municipality]) for row in [*new, *changed]
    }:
        await site_rows.serve_region(tx, provider_id, region=region)
    revised = [known[row].stored.id for row in changed if _traits(row) != known[row].stored.traits]
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
                content: Mapping[str, Any] = key.unseal_json(stored.sealed, row=str(stored.id))
                found[tidy_text(content["name"])].append(UnsealedSite(stored, key, content))
        named[slug] = dict(found)
    return named


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
        if len(named[row.provider].get(row.site, ())) > 1:
            faults.add(CsvFault(row.line, "site", AMBIGUOUS))


def _traits(row: CsvSite) -> SiteTraits:
    return SiteTraits(**{name: getattr(row, name) for name in SiteTraits.__slots__})


def _address(row: CsvSite) -> dict[str, str]:
    return {"street": row.street, "postcode": row.postcode, "city": row.city}


def _differs(row: CsvSite, known: UnsealedSite) -> bool:
    return _traits(row) != known.stored.traits or _address(row) != known.content["address"]


def _asks_again(row: CsvSite, known: UnsealedSite) -> bool:
    """Whether a change touches the safety of those who are there."""
    before = known.stored.traits
    return (row.municipality, row.address_secrecy) != (before.municipality, before.address_secrecy)


def _batch(
    rows: Sequence[CsvSite], *, providers: Mapping[str, KnownProvider], tx: Transaction
) -> Batch:
    batch = Batch()
    for row in rows:
        id_ = uuid4()
        provider_id = providers[row.provider].id
        key, wrapped = tx.keyring.new_data_key(row=str(id_))
        sealed = key.seal_json({"name": row.site, "address": _address(row)}, row=str(id_))
        traits = {name: getattr(row, name) for name in SiteTraits.__slots__}
        moments = {"created_at": tx.at, "confirmed_at": None}
        batch.sites.append({"id": id_, "provider_id": provider_id, **traits, **moments})
        batch.site_secrets.append(
            {"site_id": id_, "provider_id": provider_id, "key": wrapped, "sealed": sealed}
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
    stored = known.stored
    if _address(row) != known.content["address"]:
        sealed = known.key.seal_json(
            {**known.content, "address": _address(row)}, row=str(stored.id)
        )
        await site_rows.reseal(tx, stored.id, sealed=sealed)
    if _traits(row) == stored.traits:
        return
    await site_rows.change(tx, stored.id, traits=_traits(row))
    if row.municipality != stored.traits.municipality:
        for region in sorted({region_of[row.municipality], region_of[stored.traits.municipality]}):
            await outbox.add(tx, kind="availability", subject=region, audience=[provider.id])
