"""Take in an import file: as a whole, or not at all; importing it again changes nothing."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from app.errors import OperatorError
from app.seal import Keyring
from app.services import import_country, import_places, import_providers, import_sites
from app.services.csv_files import (
    KINDS,
    MUNICIPALITIES,
    PLACES,
    PROVIDERS,
    REGIONS,
    SITES,
    WEIGHTS,
    Kind,
    Progress,
    Row,
)
from app.services.import_reading import Imported, read
from app.store import country
from app.store.database import Transaction

TAKES: Mapping[str, Callable[..., Awaitable[Imported]]] = {
    REGIONS.name: import_country.take_regions,
    MUNICIPALITIES.name: import_country.take_municipalities,
    PROVIDERS.name: import_providers.take,
    WEIGHTS.name: import_country.take_weights,
}
SEALED: Mapping[str, Callable[..., Awaitable[Imported]]] = {
    SITES.name: import_sites.take,
    PLACES.name: import_places.take,
}


def kind_of(name: str) -> Kind[Row]:
    """Return the kind of file that is called so."""
    try:
        return KINDS[name]
    except KeyError:
        raise OperatorError(f"There are files of {', '.join(KINDS)}; not of {name}.") from None


async def take_in(
    tx: Transaction, kind: Kind[Row], raw: bytes, *, keyring: Keyring, progress: Progress | None = None
) -> Imported:
    """Store what is new or different in a file, as the owner; raise ImportFaults with everything that is wrong."""
    rows, faults = read(kind, raw, progress=progress)
    await country.claim(tx)  # one import at a time: two of the same file would both find everything new
    sealed = SEALED.get(kind.name)
    take = TAKES[kind.name] if sealed is None else partial(sealed, keyring=keyring)
    return await take(tx, rows, faults=faults)
