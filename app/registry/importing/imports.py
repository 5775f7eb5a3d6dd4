"""Take in an import file: as a whole, or not at all; importing it again changes nothing."""

from collections.abc import Awaitable, Callable, Mapping

from app.database.transaction import Transaction
from app.errors import OperatorError
from app.registry.importing import import_country, import_places, import_providers, import_sites
from app.registry.importing.csv_files import (
    KINDS,
    MUNICIPALITIES,
    PLACES,
    PROVIDERS,
    REGIONS,
    SITES,
    WEIGHTS,
    CsvFault,
    Kind,
    Progress,
    Row,
)
from app.registry.importing.import_reading import Imported, read
from app.registry.store import country, sites

TAKES: Mapping[str, Callable[..., Awaitable[Imported]]] = {
    REGIONS.name: import_country.take_regions,
    MUNICIPALITIES.name: import_country.take_municipalities,
    PROVIDERS.name: import_providers.take,
    WEIGHTS.name: import_country.take_weights,
    SITES.name: import_sites.take,
    PLACES.name: import_places.take,
}
NOT_OWN = "is not your own organisation"


def kind_of(name: str) -> Kind[Row]:
    """Return the kind of file that is called so."""
    try:
        return KINDS[name]
    except KeyError:
        raise OperatorError(f"There are files of {', '.join(KINDS)}; not of {name}.") from None


async def take_in(
    tx: Transaction,
    kind: Kind[Row],
    raw: bytes,
    *,
    progress: Progress | None = None,
) -> Imported:
    """Store what is new or different in a file, as the owner; raise ImportFaults with everything that is wrong."""
    rows, faults = read(kind, raw, progress=progress)
    # One import at a time: two of the same file would both find everything new.
    await country.claim(tx)
    return await TAKES[kind.name](tx, rows, faults=faults)


async def take_in_own(tx: Transaction, kind: Kind[Row], raw: bytes, *, keep: bool) -> Imported:
    """Store a file of the caller's provider's own sites or places, or find out what that would do, with all faults.

    A line of another provider is a fault. Either everything is stored, or nothing.
    """
    rows, faults = read(kind, raw)
    slug = (await tx.snapshots.providers(tx))[str(tx.caller.provider)].slug
    own = [row for row in rows if getattr(row, "provider", slug) == slug]
    faults += [CsvFault(row.line, "provider", NOT_OWN) for row in rows if row not in own]
    await sites.alone(tx, tx.caller.provider)  # two of the same file would both find everything new
    async with tx.rehearsal(keep=keep):
        return await TAKES[kind.name](tx, own, faults=faults)
