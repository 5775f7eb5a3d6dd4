"""One household in the figures of regions: what others can make of all that is published."""

import csv
import datetime as dt
import io
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest

from app.ledger import entries
from tests.casework import Desk, desk
from tests.country import FAR, HERE, THERE, Client, Country
from tests.ledger_stays import local_today, newest, opening, seal, stayed, write
from tests.shields import shield
from tests.web.visitor import browser_of

DAY = dt.timedelta(days=1)
LAST, BEFORE = newest(), newest(1)
FAMILY: dict[str, Any] = {"persons": "5+", "lawful_regions": (FAR, THERE)}


def within(*quarters: object) -> dict[str, str]:
    """Return the query that asks for one quarter, or for all from one to another."""
    return {"from": str(quarters[0]), "to": str(quarters[-1])}


async def settled(client: Client, quarter: object) -> list[list[str]]:
    """Return the lines of a quarter's settlement, without the quarter."""
    answer = await client.ask("GET", "/settlements", params=within(quarter), expect=200)
    _, *lines = csv.reader(io.StringIO(answer.text))
    assert all(line[0] == str(quarter) for line in lines)
    return [line[1:] for line in lines]


async def open_now(country: Country) -> None:
    """Let every opening be due that was not, from this moment on."""
    await country.rows("ALTER TABLE openings DISABLE TRIGGER USER")
    await country.rows("UPDATE openings SET opens_at = clock_timestamp()")
    await country.rows("ALTER TABLE openings ENABLE TRIGGER USER")


async def test_a_running_stay_shows_in_no_settlement_before_its_opening_is_due(
    country: Country,
) -> None:
    came = BEFORE.last - 17 * DAY
    await stayed(country, came, **FAMILY)
    await stayed(country, BEFORE.first, BEFORE.first + 3 * DAY, origin=FAR, reason="capacity")
    await seal(country, on=LAST.last)
    here, there, far = [
        await country.client("auditor", region=region) for region in (HERE, THERE, FAR)
    ]
    ended = [[f"{BEFORE.first:%Y-%m}", FAR, THERE, "capacity", "3", "0", "1"]]
    assert await settled(here, BEFORE) == []
    assert await settled(there, BEFORE) == await settled(far, BEFORE) == ended
    said = await here.get("/fair-share-pairs", params=within(BEFORE))
    assert (said["pairs"], said["months"]) == ([], [])

    await open_now(country)
    assert await settled(here, BEFORE) == []
    await seal(country)
    assert await settled(here, BEFORE) == []
    lines = await settled(here, LAST)
    assert lines == await settled(there, LAST)
    assert [line[0] for line in lines] == [
        f"{day:%Y-%m}" for day in (BEFORE.months[-1], *LAST.months)
    ]
    assert sum(int(line[4]) for line in lines) == (LAST.after - came).days
    assert await settled(far, LAST) == []
    pairs = (await there.get("/fair-share-pairs", params=within(BEFORE, LAST)))["pairs"]
    assert {(one["origin"], one["receiving"]): one["placeNights"] for one in pairs} == {
        (HERE, THERE): (LAST.after - came).days,
        (FAR, THERE): 3,
    }
    administrator = await country.client("administrator")
    for path in ("/fair-share-pairs", "/settlements"):
        await administrator.get(path, params=within(BEFORE), expect=403)


async def published(country: Country) -> dict[str, Any]:
    """Return what an auditor of a third region and an administrator can read of all quarters."""
    found: dict[str, Any] = {}
    sealed = [row[0] for row in await country.rows("SELECT DISTINCT quarter FROM quarter_totals")]
    for role, more in (("auditor", {"region": "GM0363"}), ("administrator", {})):
        client = await country.client(role, **more)
        for quarter in sorted(sealed):
            for path in ("/fair-shares", "/fair-share-figures", "/fair-share-pairs"):
                answer = await client.ask("GET", path, params=within(quarter))
                found[f"{role} {path} {quarter}"] = answer.json()
            found[f"{role} monitor {quarter}"] = await client.get(
                "/monitor", params=within(quarter)
            )
        for item in (await client.get("/ledger/entries", params={"limit": 200}))["items"]:
            found[f"{role} leaf {item['index']}"] = item
    return found


async def test_what_becomes_known_late_changes_nothing_that_was_published(
    country: Country,
) -> None:
    """Nobody can take two figures of one quarter from each other, and be left with a family."""
    late_nights = 17
    family = await stayed(country, BEFORE.first, **FAMILY)
    await stayed(country, BEFORE.first, LAST.first + 23 * DAY, lawful_regions=(FAR, THERE))
    await seal(country, on=LAST.last)
    then = await published(country)
    left = opening(BEFORE.after - late_nights * DAY, **FAMILY, arrival=family)
    stay = await country.value("SELECT placement_id FROM leaves WHERE index = :at", at=family)
    await write(country, replace(left, type="departure"), placement_id=stay)
    await seal(country)

    now = await published(country)
    assert {name: now[name] for name in then} == then
    auditor = await country.client("auditor", region="GM0363")
    figures = [
        {one["region"]: one for one in (await auditor.get("/fair-shares", params=asked))["regions"]}
        for asked in (within(BEFORE), within(LAST), within(BEFORE, LAST))
    ]
    first, last, both = figures
    for region in (HERE, THERE):
        for name in ("given", "received", "nightsAfterReady"):
            assert both[region][name] == first[region][name] + last[region][name]
    differences = {
        abs(one[region][name] - other[region][name])
        for one, other in combinations(figures, 2)
        for region in (HERE, THERE)
        for name in ("given", "received", "quota", "credit")
    }
    assert late_nights not in differences
    # The family's nights are in the next quarter's, in one number with those of others.
    assert last[THERE]["given"] == 23 - late_nights
    assert last[THERE]["quota"] + last[FAR]["quota"] == pytest.approx(23 - late_nights)


async def test_households_of_others_are_counted_by_the_year_and_from_ten_on(
    country: Country,
) -> None:
    for _ in range(9):
        await stayed(country, BEFORE.first, BEFORE.first + 2 * DAY, **FAMILY)
    for _ in range(10):
        await stayed(
            country, BEFORE.first, BEFORE.first + 2 * DAY, origin=THERE, receiving=FAR, persons="1"
        )
    await seal(country, on=LAST.last)
    auditor = await country.client("auditor", region="GM0363")

    async def read(quarter: object) -> tuple[Any, dict[str, Any]]:
        said = await auditor.get("/fair-shares", params=within(quarter))
        return said["year"], {one["region"]: one for one in said["regions"]}

    year, regions = await read(BEFORE)
    there, far = regions[THERE], regions[FAR]
    assert year == {"from": f"{BEFORE.year - (BEFORE.number < 4)}-Q{BEFORE.number % 4 + 1}"} | {
        "to": str(BEFORE)
    }
    assert (there["given"], there["staysGiven"], there["staysReceived"]) == (18, None, 10)
    assert set(there["personsGiven"].values()) == {None}
    assert set(there["reasonsGiven"].values()) == {None}
    assert (far["staysGiven"], far["staysReceived"]) == (10, None)
    assert not [name for name in there if name.startswith("personNights")]

    # One more family in the next quarter: the year that was counted stays as it is.
    await stayed(country, LAST.first, LAST.first + 2 * DAY, **FAMILY)
    await seal(country)
    again, later = await read(LAST)
    assert again == year
    for name in ("staysGiven", "staysReceived", "personsGiven", "reasonsReceived"):
        assert {code: one[name] for code, one in later.items()} == {
            code: one[name] for code, one in regions.items()
        }


async def departed(country: Country) -> tuple[Desk, str]:
    """Let a household come from Den Haag to Zwolle; return its desk, and its list of accesses.

    It is shielded: only the worker who registered it sees it.
    """
    where = await desk(country, places=1)
    placement = await where.arrived()
    here = await country.client("auditor", region=HERE)
    accesses = f"/referrals/{placement['referralId']}/accesses"
    await here.get("/ledger/entries")
    assert await looks(where, accesses) == []  # its opening is not due yet
    await where.receiver.post(
        f"/placements/{placement['id']}/departure", {"destination": "own_home"}, expect=200
    )
    await shield(where.intake, placement["referralId"])
    return where, accesses


async def looks(where: Desk, accesses: str, role: str = "auditor") -> list[str]:
    """Return what those of a role did with the household, the newest first."""
    items = (await where.intake.get(accesses, params={"limit": 200}))["items"]
    return [f"{one['action']} {one['objectType']}" for one in items if one["roles"] == [role]]


async def test_each_opening_that_is_read_stands_in_the_households_list_of_accesses(
    country: Country,
) -> None:
    where, accesses = await departed(country)
    here = await country.client("auditor", region=HERE)
    for other in (
        await country.client("auditor", region=FAR),
        await country.client("administrator"),
    ):
        await other.get("/ledger/entries")
    first = await country.value("SELECT min(index) FROM openings")
    await here.get("/ledger/entries", params={"after": 10_000})
    await here.get("/ledger/entries", params={"limit": first or 1})  # the next page's first is shut
    assert await looks(where, accesses) == []

    await here.get("/ledger/entries")
    page = await browser_of(country, "auditor", region=HERE)
    assert (await page.get("/share/ledger")).status_code == 200
    await here.get("/decisions")
    assert await looks(where, accesses) == ["search decision", "search ledger", "export ledger"]

    async with country.owner.transaction() as tx:
        leaves = await country.value("SELECT value FROM heads WHERE name = 'ledger'")
        opened = [one async for one in entries.export_entries(tx, size=leaves, region=HERE)]
        await entries.note_export(tx)
    assert sum(one.opening is not None for one in opened) == 2
    assert await looks(where, accesses, "operator") == ["export ledger"]


async def test_a_settlement_stands_in_the_list_of_each_household_in_it(country: Country) -> None:
    where, accesses = await departed(country)
    await seal(country, on=local_today() + 120 * DAY)
    quarter = await country.value("SELECT max(quarter) FROM quarter_totals")
    here, far = [await country.client("auditor", region=region) for region in (HERE, FAR)]
    page = await browser_of(country, "auditor", region=HERE)

    await settled(far, quarter)
    await here.ask("GET", "/settlements", params=within(quarter) | {"with": FAR}, expect=200)
    assert await looks(where, accesses) == []
    await settled(here, quarter)
    await here.get("/fair-share-pairs", params=within(quarter))
    assert (await page.get("/share/settlement")).status_code == 200
    assert await looks(where, accesses) == [
        "export settlement",
        "read settlement",
        "export settlement",
    ]
