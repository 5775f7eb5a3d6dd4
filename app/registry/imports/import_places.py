"""Import places, each found by its sealed label.

A held or placed one may not change.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from app.database import counters, outbox
from app.database.transaction import Transaction
from app.registry.imports.csv_columns import CsvPlace
from app.registry.imports.csv_files import (
    CsvFault,
    Faults,
    ImportCounts,
    refuse_faults,
)
from app.registry.imports.import_sites import (
    AMBIGUOUS,
    EVERY,
    SitesByName,
    UnsealedSite,
    sites_by_name,
    sites_called,
)
from app.registry.names import fold_name, hash_name, read_key
from app.registry.store import bulk, place_rows
from app.registry.store.bulk import Batch, KnownProvider
from app.registry.store.place_rows import PlaceAttributes, PlaceRow, PlaceState
from app.words import N_

FREE = PlaceState("free")
UNSAID = "other"
"""The reason of a place that a file puts out of service without a reason."""


@dataclass(frozen=True, slots=True)
class PlaceImport:
    """A line about a place, with the stored place if there is one."""

    row: CsvPlace
    provider_id: UUID
    site: UnsealedSite = field(repr=False)
    stored: PlaceRow | None = field(repr=False)

    @property
    def attributes(self) -> PlaceAttributes:
        """The attributes that the file gives the place."""
        row = self.row
        return PlaceAttributes(
            row.kind, row.bed_spaces, row.sharing, row.genders, row.sons_up_to_age, row.features
        )

    @property
    def moved(self) -> bool:
        """Whether the stored place has other attributes."""
        return self.stored is not None and self.attributes != self.stored.attributes

    @property
    def state(self) -> PlaceState:
        """The state that the place gets.

        Without a status in the file, a known place keeps its state and a new one is free.
        """
        before = FREE if self.stored is None else self.stored.state
        if self.row.status is None:
            return before
        if self.row.status != "out_of_service":
            return PlaceState(self.row.status)
        if before.status == "out_of_service":
            return PlaceState("out_of_service", self.row.reason or before.reason, before.until)
        return PlaceState("out_of_service", self.row.reason or UNSAID)

    @property
    def differs(self) -> bool:
        """Whether the stored place has to change."""
        return self.stored is not None and (self.moved or self.state != self.stored.state)


async def store_places(
    tx: Transaction, rows: Sequence[CsvPlace], *, faults: Faults
) -> ImportCounts:
    """Store the new and changed places of a file."""
    providers = await bulk.providers(tx)
    slugs = {row.provider for row in rows}
    await bulk.lock_places(tx, [providers[slug].id for slug in slugs & providers.keys()])
    named = await sites_by_name(tx, slugs, providers=providers)
    labelled = await _places_by_label(
        tx, [providers[slug].id for slug in slugs & providers.keys()], named
    )
    wanted = list(_match(rows, providers=providers, named=named, labelled=labelled, faults=faults))
    refuse_faults(faults)
    new = [one for one in wanted if one.stored is None]
    changed = [one for one in wanted if one.differs]
    await _add(tx, new)
    for one in changed:
        await _change(tx, one)
    await _announce(tx, [*new, *changed])
    if new or any(one.moved for one in changed):
        await counters.advance(tx, "register")
    return ImportCounts(len(new), len(changed), len(wanted) - len(new) - len(changed))


PlacesByLabel = Mapping[tuple[UUID, str], Sequence[PlaceRow]]
"""Places by site and folded label."""


async def _places_by_label(
    tx: Transaction, provider_ids: Sequence[UUID], named: Mapping[str, SitesByName]
) -> PlacesByLabel:
    keys = {
        site.stored.id: site.key
        for by_name in named.values()
        for sites in by_name.values()
        for site in sites
    }
    labelled: dict[tuple[UUID, str], list[PlaceRow]] = defaultdict(list)
    for provider_id in provider_ids:
        for stored in await place_rows.list_of_provider(
            tx, provider_id, site_id=None, limit=EVERY, after=None
        ):
            label = keys[stored.site_id].unseal(stored.sealed, row=str(stored.id)).decode()
            labelled[stored.site_id, fold_name(label)].append(stored)
    return labelled


def _match(
    rows: Sequence[CsvPlace],
    *,
    providers: Mapping[str, KnownProvider],
    named: Mapping[str, SitesByName],
    labelled: PlacesByLabel,
    faults: Faults,
) -> Iterator[PlaceImport]:
    for row in rows:
        found = sites_called(row.site, named[row.provider])
        if row.provider not in providers:
            faults.add(CsvFault(row.line, "provider", N_("there is no such provider")))
        elif len(found) != 1:
            faults.add(
                CsvFault(
                    row.line, "site", AMBIGUOUS if found else N_("the provider has no such site")
                )
            )
        else:
            stored = labelled.get((found[0].stored.id, fold_name(row.label)), [None])
            one = PlaceImport(row, providers[row.provider].id, found[0], stored[0])
            if len(stored) > 1:
                faults.add(CsvFault(row.line, "label", N_("the site has several of this label")))
            elif stored[0] is not None and stored[0].claimed and one.differs:
                faults.add(
                    CsvFault(
                        row.line,
                        "label",
                        N_("a hold or a placement lives on this place: it stays as it is"),
                    )
                )
            yield one


async def _add(tx: Transaction, new: Sequence[PlaceImport]) -> None:
    batch = Batch()
    kinds = dict.fromkeys((one.site.stored.id, one.attributes) for one in new)
    groups = {kind: await place_rows.find_group(tx, kind[0], attributes=kind[1]) for kind in kinds}
    members: Counter[UUID] = Counter()
    key = await read_key(tx)
    for one in new:
        id_, site_id = uuid4(), one.site.stored.id
        group_id = groups[site_id, one.attributes]
        members[group_id] += 1
        ids = {"provider_id": one.provider_id}
        sealed = one.site.key.seal(one.row.label.encode(), row=str(id_))
        batch.places.append(
            ids | {"id": id_, "site_id": site_id, "group_id": group_id, "created_at": tx.at}
        )
        label_hash = hash_name(key, one.row.label, within=site_id)
        batch.place_secrets.append(
            ids | {"place_id": id_, "sealed": sealed, "label_hash": label_hash}
        )
        state = one.state
        taken = state.status != "free"
        kind = state.status if taken else None
        claim = {
            "place_id": id_,
            "group_id": group_id,
            "kind": kind,
            "taken": taken,
            "reason": state.reason,
        }
        batch.claims.append(claim | {"since": tx.at})
    await bulk.add(tx, batch)
    await bulk.grow_groups(tx, members)


async def _change(tx: Transaction, one: PlaceImport) -> None:
    """Change a locked place.

    Declaring it unchanged still ends a hold that has run out.
    """
    stored = one.stored
    if stored is None or not await place_rows.declare(tx, stored.id, state=one.state):
        taken = N_("somebody took this place just now: import again")
        refuse_faults(Faults([CsvFault(one.row.line, "label", taken)]))
        return
    if one.moved:
        group_id = await place_rows.find_group(tx, stored.site_id, attributes=one.attributes)
        await place_rows.count_members(tx, into=group_id, out_of=stored.group_id)
        await place_rows.move(tx, stored.id, group_id=group_id)


async def _announce(tx: Transaction, touched: Sequence[PlaceImport]) -> None:
    """Tell each provider, and nobody else, in which regions its counts have changed."""
    reference = await tx.snapshots.reference(tx)
    regions = {
        (one.provider_id, reference.region_of(one.site.stored.traits.municipality))
        for one in touched
    }
    for provider_id, region in sorted(regions):
        await outbox.add(tx, kind="availability", subject=region, audience=[provider_id])
