"""Import a file as a whole or not at all; importing it again changes nothing."""

from collections.abc import Awaitable, Callable, Mapping

from app.database.transaction import Transaction
from app.errors import OperatorError
from app.registry.imports import import_country, import_places, import_providers, import_sites
from app.registry.imports.csv_columns import (
    KINDS,
    MUNICIPALITIES,
    PLACES,
    PROVIDERS,
    REGIONS,
    SITES,
    WEIGHTS,
    CsvRow,
    FileKind,
)
from app.registry.imports.csv_files import (
    CsvFault,
    ImportCounts,
    Progress,
    read_sound_rows,
)
from app.registry.store import country, site_rows
from app.words import N_

STORES: Mapping[str, Callable[..., Awaitable[ImportCounts]]] = {
    REGIONS.name: import_country.store_regions,
    MUNICIPALITIES.name: import_country.store_municipalities,
    PROVIDERS.name: import_providers.store_providers,
    WEIGHTS.name: import_country.store_weights,
    SITES.name: import_sites.store_sites,
    PLACES.name: import_places.store_places,
}
NOT_OWN = N_("is not your own organisation")


def kind_of(name: str) -> FileKind[CsvRow]:
    """Return the kind of file with a name."""
    try:
        return KINDS[name]
    except KeyError:
        raise OperatorError(f"There are files of {', '.join(KINDS)}; not of {name}.") from None


async def import_file(
    tx: Transaction, kind: FileKind[CsvRow], raw: bytes, *, progress: Progress | None = None
) -> ImportCounts:
    """Store what is new or changed in a file, as the owner.

    Raise ImportFaults with what is wrong in it.
    """
    rows, faults = read_sound_rows(kind, raw, progress=progress)
    # One import at a time: two of the same file would both find everything new.
    await country.lock(tx)
    return await STORES[kind.name](tx, rows, faults=faults)


async def import_own_file(
    tx: Transaction, kind: FileKind[CsvRow], raw: bytes, *, keep: bool
) -> ImportCounts:
    """Store a file of the caller's provider's own sites or places, or rehearse it.

    With `keep` false nothing is stored. A line of another provider is a fault; raises ImportFaults
    with what is wrong.
    """
    rows, faults = read_sound_rows(kind, raw)
    slug = (await tx.snapshots.providers(tx))[str(tx.caller.provider)].slug
    own: list[CsvRow] = []
    for row in rows:
        if getattr(row, "provider", slug) == slug:
            own.append(row)
        else:
            faults.add(CsvFault(row.line, "provider", NOT_OWN))
    # Two imports of the same file would both find everything new.
    await site_rows.lock_additions(tx, tx.caller.provider)
    async with tx.rehearsal(keep=keep):
        return await STORES[kind.name](tx, own, faults=faults)
