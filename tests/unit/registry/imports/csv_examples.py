"""A good line for every kind of import file, and how to ask what is wrong with a bad one."""

import pytest

from app.registry.imports import csv_files
from app.registry.imports.csv_columns import CsvRow, FileKind
from app.registry.imports.csv_files import ImportFaults

SITE = {
    "provider": "opvang-nevelduin",
    "site": "Linde",
    "municipality": "GM0363",
    "street": "Voorbeeldstraat 1",
    "postcode": "0000 AA",
    "city": "Amsterdam",
    "address_secrecy": "confidential",
    "supervision": "24h",
    "features": "pets cots",
    "specialisms": "young_mother",
    "exclusive_to": "",
    "admission": "open",
    "automatic_acceptance": "no",
}
PLACE = {
    "provider": "opvang-nevelduin",
    "site": "Linde",
    "label": "2B",
    "kind": "crisis",
    "bed_spaces": "4",
    "sharing": "own_unit",
    "genders": "female",
    "sons_up_to_age": "17",
    "features": "",
    "status": "free",
    "reason": "",
}
PROVIDER = {
    "provider": "opvang-nevelduin",
    "name": "Opvang Nevelduin",
    "phone": "000-555 01 01",
    "regions": "GM0363",
}
REGION = {
    "code": "GM0363",
    "name": "Amsterdam",
    "lat": "52.373",
    "lon": "4.893",
    "population": "1151821",
}
MUNICIPALITY = {
    **REGION,
    "region": "GM0363",
    "extent_km": "16",
    "province": "",
    "mapping_confidence": "low",
}
WEIGHT = {"region": "GM0363", "weight": "8636116", "source": "DU-VO 2013", "date": "2013-01-01"}
EXAMPLES = {
    "regions": REGION,
    "municipalities": MUNICIPALITY,
    "providers": PROVIDER,
    "sites": SITE,
    "places": PLACE,
    "weights": WEIGHT,
}


def csv_file(*rows: dict[str, str], delimiter: str = ",", newline: str = "\n") -> bytes:
    header = delimiter.join(rows[0])
    lines = [delimiter.join(f'"{cell}"' for cell in row.values()) for row in rows]
    return newline.join([header, *lines, ""]).encode()


def faults_of(kind: FileKind[CsvRow], raw: bytes) -> list[tuple[int, str, str]]:
    with pytest.raises(ImportFaults) as refused:
        csv_files.read_rows(kind, raw)
    return [(fault.line, fault.column, fault.message) for fault in refused.value.faults]


def columns_at_fault(kind: FileKind[CsvRow], raw: bytes) -> list[tuple[int, str]]:
    return [(line, column) for line, column, _ in faults_of(kind, raw)]
