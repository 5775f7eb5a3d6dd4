"""Import files for tests, and the results of importing them."""

from collections.abc import Mapping

from app.registry.imports import imports
from app.registry.imports.csv_files import CsvFault, ImportCounts, ImportFaults
from tests.country import THERE, Country

PROVIDER: dict[str, object] = {
    "provider": "linde",
    "name": "Stichting Linde",
    "phone": "000-555 01 01",
    "regions": THERE,
}
SITE: dict[str, object] = {
    "provider": "linde",
    "site": "Het Huis",
    "municipality": THERE,
    "street": "Voorbeeldstraat 1",
    "postcode": "0000 AA",
    "city": "Nergenshuizen",
    "address_secrecy": "confidential",
    "supervision": "24h",
    "features": "cots pets",
}
PLACE: dict[str, object] = {
    "provider": "linde",
    "site": "Het Huis",
    "label": "1A",
    "kind": "crisis",
    "bed_spaces": 4,
    "sharing": "own_unit",
    "genders": "female",
    "sons_up_to_age": 17,
    "status": "free",
}


def csv(*rows: Mapping[str, object]) -> bytes:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [",".join(f'"{row.get(name, "")}"' for name in names) for row in rows]
    return "\n".join([",".join(names), *lines, ""]).encode()


async def take(country: Country, kind: str, raw: bytes) -> ImportCounts:
    async with country.owner.transaction() as tx:
        return await imports.import_file(tx, imports.kind_of(kind), raw)


async def faults(country: Country, kind: str, raw: bytes) -> list[tuple[int, str]]:
    try:
        taken = await take(country, kind, raw)
    except ImportFaults as refused:
        return [(fault.line, fault.column) for fault in told(refused)]
    message = f"no faults: {taken}"
    raise AssertionError(message)


def told(refused: ImportFaults) -> tuple[CsvFault, ...]:
    return refused.faults


async def register(country: Country, *places: Mapping[str, object]) -> None:
    """Import a provider, a site and its places."""
    await take(country, "providers", csv(PROVIDER))
    await take(country, "sites", csv(SITE))
    await take(country, "places", csv(*(places or (PLACE,))))


async def version(country: Country, head: str) -> int:
    found: int = await country.value("SELECT value FROM heads WHERE name = :head", head=head)
    return found
