"""Import providers: their names, telephone numbers and regions."""

from collections.abc import Sequence
from uuid import uuid4

from app.database import counters
from app.database.transaction import Transaction
from app.registry.imports.csv_columns import CsvProvider
from app.registry.imports.csv_files import CsvFault, Faults, ImportCounts, refuse_faults
from app.registry.store import bulk, country
from app.registry.store.bulk import Batch, KnownProvider
from app.words import N_


async def store_providers(
    tx: Transaction, rows: Sequence[CsvProvider], *, faults: Faults
) -> ImportCounts:
    """Store the new and changed providers of a file.

    A provider serves the regions that the file names: a site elsewhere adds none.
    """
    regions = {region["code"] for region in await country.regions(tx)}
    faults.extend(
        CsvFault(
            row.line,
            "regions",
            N_("value %(which)s of %(all)s is no region"),
            {"which": place, "all": len(row.regions)},
        )
        for row in rows
        for place, region in enumerate(row.regions, 1)
        if region not in regions
    )
    refuse_faults(faults)
    known = await bulk.providers(tx)
    new = [row for row in rows if row.provider not in known]
    changed = [row for row in rows if row.provider in known and _differs(row, known[row.provider])]
    await bulk.add(tx, _batch(new))
    for row in changed:
        provider = known[row.provider]
        await bulk.change_provider(tx, provider.id, name=row.name, phone=row.phone)
        await bulk.set_served_regions(tx, provider.id, regions=frozenset(row.regions))
    if new or changed:
        await counters.advance(tx, "register")
    return ImportCounts(len(new), len(changed), len(rows) - len(new) - len(changed))


def _differs(row: CsvProvider, known: KnownProvider) -> bool:
    return (row.name, row.phone, frozenset(row.regions)) != (known.name, known.phone, known.serves)


def _batch(rows: Sequence[CsvProvider]) -> Batch:
    batch = Batch()
    for row in rows:
        id_ = uuid4()
        batch.providers.append(
            {"id": id_, "slug": row.provider, "name": row.name, "phone": row.phone}
        )
        batch.provider_regions.extend(
            {"provider_id": id_, "region": region} for region in row.regions
        )
    return batch
