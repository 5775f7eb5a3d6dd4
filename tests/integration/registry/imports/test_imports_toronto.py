"""One real day of real shelters, in files as untidy as real ones, becomes a register.

The day is from the City of Toronto's shelter occupancy data (Open Government Licence), read where
it is stored.
"""

import csv as csv_module
import gzip
import re
from io import StringIO
from pathlib import Path
from zlib import crc32

import pytest

from app.registry.imports.csv_files import ImportCounts
from tests.country import Country
from tests.integration.registry.imports.import_files import csv, faults, take

FOLDER = Path(__file__).parents[5] / "shared" / "data" / "toronto"
FILES = sorted(FOLDER.glob("*women_2021_2024.csv.gz"))
TOWNS = ("GM0363", "GM0518", "GM0599", "GM0344", "GM0193", "GM0014")

pytestmark = pytest.mark.skipif(
    not FILES, reason="the shared data (toronto, women 2021 to 2024) is not there"
)

Line = dict[str, str]


def days() -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    with gzip.open(FILES[0], "rt", encoding="utf-8") as lines:
        for line in csv_module.DictReader(lines):
            found.setdefault(line["OCCUPANCY_DATE"], []).append(line)
    return found


def size(line: Line) -> tuple[int, int]:
    """A programme's funded (else actual) capacity and its occupancy, in beds or rooms."""
    unit = "BED" if line["CAPACITY_ACTUAL_BED"] else "ROOM"
    capacity = int(line[f"CAPACITY_FUNDING_{unit}"] or 0) or int(
        line[f"CAPACITY_ACTUAL_{unit}"] or 0
    )
    return capacity, int(line[f"OCCUPIED_{unit}S"] or 0)


def is_crowded(line: Line) -> bool:
    capacity, occupied = size(line)
    return occupied > capacity


def is_padded(line: Line) -> bool:
    return any(value != value.strip() for value in line.values())


def slug(line: Line) -> str:
    return re.sub("[^a-z0-9]+", "-", line["ORGANIZATION_NAME"].lower()).strip("-")[:60].strip("-")


def site(line: Line) -> str:
    """The location's name as it came, or the programme's where it was left out."""
    return line["LOCATION_NAME"] or line["PROGRAM_NAME"]


def beds(line: Line, site_name: str) -> list[dict[str, object]]:
    """The places of a programme: a bed, or a room."""
    capacity, occupied = size(line)
    counted_in_beds = bool(line["CAPACITY_ACTUAL_BED"])
    return [
        {
            "provider": slug(line),
            "site": site_name,
            "label": f"{line['PROGRAM_ID']} {number}",
            "kind": "emergency" if line["PROGRAM_MODEL"] == "Emergency" else "regular",
            "bed_spaces": 1 if counted_in_beds else 4,
            "sharing": "shared_room" if counted_in_beds else "own_unit",
            "genders": "female",
            "sons_up_to_age": 17,
            # There are more people than beds: every bed is taken, and the register has none for the
            # others.
            "status": "occupied" if number <= occupied else "free",
        }
        for number in range(1, capacity + 1)
    ]


def files_of(day: list[Line]) -> dict[str, bytes]:
    """The same day as providers, sites and places, with untidy names and addresses."""
    providers: dict[str, dict[str, object]] = {}
    sites: dict[tuple[str, str], dict[str, object]] = {}
    places: list[dict[str, object]] = []
    for line in day:
        town = TOWNS[crc32(" ".join(site(line).split()).encode()) % len(TOWNS)]
        regions = str(providers.get(slug(line), {}).get("regions", ""))
        providers[slug(line)] = {
            "provider": slug(line),
            "name": line["ORGANIZATION_NAME"],
            "phone": "000-555 01 01",
            "regions": f"{regions} {town}",
        }
        known = sites.setdefault(
            (slug(line), " ".join(site(line).split())),
            {
                "provider": slug(line),
                "site": site(line),
                "municipality": town,
                "street": line["LOCATION_ADDRESS"] or "unknown",
                "postcode": line["LOCATION_POSTAL_CODE"],
                "city": line["LOCATION_CITY"] or "unknown",
                "address_secrecy": "confidential",
                "supervision": "24h",
            },
        )
        places += beds(line, str(known["site"]))
    return {
        "providers": csv(*providers.values()),
        "sites": csv(*sites.values()),
        "places": csv(*places),
    }


DAYS = days() if FILES else {}
DIRTIEST = max(
    DAYS,
    key=lambda day: (
        any(is_crowded(line) for line in DAYS[day]),
        sum(is_padded(line) for line in DAYS[day]),
        day,
    ),
    default="",
)


def test_the_day_is_as_dirty_as_real_files_are() -> None:
    lines = DAYS[DIRTIEST]

    assert any(is_crowded(line) for line in lines)
    assert any(is_padded(line) for line in lines)


async def test_a_real_day_becomes_a_register(country: Country) -> None:
    files = files_of(DAYS[DIRTIEST])

    taken = {kind: await take(country, kind, raw) for kind, raw in files.items()}

    rows = {
        kind: len(list(csv_module.reader(StringIO(raw.decode())))) - 1
        for kind, raw in files.items()
    }
    assert taken == {kind: ImportCounts(new=count) for kind, count in rows.items()}
    expected = (
        sum(size(line)[0] for line in DAYS[DIRTIEST]),
        sum(min(size(line)) for line in DAYS[DIRTIEST]),
    )
    counted = await country.rows(
        "SELECT (SELECT sum(places) FROM place_groups),"
        " (SELECT count(*) FROM claims WHERE kind = 'occupied')"
    )
    assert tuple(counted[0]) == expected
    again = {kind: await take(country, kind, raw) for kind, raw in files.items()}
    assert again == {kind: ImportCounts(unchanged=count) for kind, count in rows.items()}


async def test_a_location_that_somebody_left_out_is_told_by_its_line_and_nothing_is_taken_in(
    country: Country,
) -> None:
    day = next(lines for lines in DAYS.values() if any(not line["LOCATION_NAME"] for line in lines))
    await take(country, "providers", files_of(day)["providers"])
    raw = csv(
        *(
            {
                "provider": slug(line),
                "site": f"{line['LOCATION_NAME']} {line['PROGRAM_ID']}"
                if line["LOCATION_NAME"]
                else " ",
                "municipality": TOWNS[0],
                "street": "unknown",
                "city": "unknown",
                "address_secrecy": "confidential",
                "supervision": "24h",
            }
            for line in day
        )
    )

    found = await faults(country, "sites", raw)

    assert found == [(at, "site") for at, line in enumerate(day, 2) if not line["LOCATION_NAME"]]
    assert await country.value("SELECT count(*) FROM sites") == 0


async def test_the_next_day_changes_only_who_is_where(country: Country) -> None:
    first, second = (files_of(DAYS[day]) for day in sorted(DAYS)[-2:])
    for kind, raw in first.items():
        await take(country, kind, raw)
    places = await country.value("SELECT count(*) FROM places")

    taken = {kind: await take(country, kind, raw) for kind, raw in second.items()}

    assert taken["places"].changed > 0
    assert await country.value("SELECT count(*) FROM places") == places + taken["places"].new
