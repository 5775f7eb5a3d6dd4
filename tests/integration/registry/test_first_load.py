"""The first load: a new database gets a country, once."""

import asyncio

from sqlalchemy import text

from app.allocation.ranking.safety import clearance_km, distance_km
from app.database.transaction import Database
from app.reference import load
from app.registry.first_load import distances, load_reference, position_of
from tests.country import Country

ON_BOTH = True


async def empty(owner: Database) -> None:
    async with owner.transaction() as tx:
        for table in ("shares", "weights", "clearances", "policies", "municipalities", "regions"):
            await tx.run(text(f"DELETE FROM {table}"))  # noqa: S608 - one of the tables above


async def test_a_new_database_holds_the_whole_country(country: Country) -> None:
    counts = await country.rows(
        "SELECT (SELECT count(*) FROM regions), (SELECT count(*) FROM municipalities),"
        " (SELECT count(*) FROM clearances), (SELECT count(*) FROM weights),"
        " (SELECT count(*) FROM shares WHERE given = 0 AND quota = 0)"
    )

    assert tuple(counts[0]) == (35, 342, 342 * 342, 35, 35)


async def test_the_service_reads_the_country_with_its_policy_in_force(country: Country) -> None:
    async with country.parts.database.transaction() as tx:
        reference = await tx.snapshots.reference(tx)

    assert reference.policy.version == "nl-demo-6"
    assert reference.policy_hash.startswith("sha256:")
    assert reference.region_of("GM0451") == "GM0363"


async def test_loading_again_changes_nothing_and_says_so(country: Country) -> None:
    before = await country.value("SELECT value FROM heads WHERE name = 'reference'")

    async with country.owner.transaction() as tx:
        loaded = await load_reference(tx)

    assert not loaded
    assert await country.value("SELECT value FROM heads WHERE name = 'reference'") == before


async def test_of_two_that_load_at_once_one_does(country: Country) -> None:
    await empty(country.owner)

    async def load_once() -> bool:
        async with country.owner.transaction() as tx:
            return await load_reference(tx)

    assert sorted(await asyncio.gather(load_once(), load_once())) == [False, True]


async def test_loading_is_told_to_every_process(country: Country) -> None:
    await empty(country.owner)

    async with country.owner.transaction() as tx:
        version = tx.reference_version
        await load_reference(tx)
    async with country.parts.database.transaction() as tx:
        assert tx.reference_version == version + 1


def test_every_ordered_pair_has_its_surest_distance_and_the_one_of_the_positions() -> None:
    towns = [position_of(town) for town in load().municipalities[:7]]

    found = {(row.zone, row.site): (row.km, row.centroid_km) for row in distances(towns)}

    assert found == {
        (one.code, other.code): (
            clearance_km(one.lat, one.lon, one.extent_km, other.lat, other.lon, other.extent_km),
            round(distance_km(one.lat, one.lon, other.lat, other.lon)),
        )
        for one in towns
        for other in towns
    }


def test_only_the_distances_of_what_moved_are_reckoned_again() -> None:
    towns = [position_of(town) for town in load().municipalities[:7]]
    moved = frozenset({towns[2].code})

    found = [(row.zone, row.site) for row in distances(towns, of=moved)]

    assert len(found) == len(set(found)) == 7 + 6
    assert all(moved & set(pair) for pair in found)


async def test_what_was_there_before_the_ledger_wrote_it_down_gets_its_leaves_once(
    country: Country,
) -> None:
    for table in ("leaves", "openings"):
        await country.rows(f"ALTER TABLE {table} DISABLE TRIGGER only_grows")
    before = "SELECT index, type, content FROM leaves ORDER BY index"
    written = [(row.index, row.type, bytes(row.content)) for row in await country.rows(before)]
    await country.rows("DELETE FROM leaves")
    await country.rows("UPDATE heads SET value = 0 WHERE name = 'ledger'")
    for _ in range(2):
        async with country.owner.transaction() as tx:
            assert not await load_reference(tx)
        assert [
            (row.index, row.type, bytes(row.content)) for row in await country.rows(before)
        ] == written
