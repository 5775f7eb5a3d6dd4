"""Files of regions, municipalities and weights."""

import pytest

from app.registry.imports.csv_files import ImportCounts
from tests.country import HERE, THERE, Country, referral_body, shelter
from tests.integration.registry.imports.import_files import csv, faults, take, version

REGION = {"code": "GM9001", "name": "Nergenshuizen", "lat": 52.1, "lon": 5.1, "population": 1000}
TOWN = {**REGION, "region": "GM9001", "extent_km": 5, "province": "Nergens"}


async def town(country: Country, code: str) -> dict[str, object]:
    row = (await country.rows("SELECT * FROM municipalities WHERE code = :code", code=code))[0]
    return dict(row.items())


async def test_a_new_region_with_its_municipality_and_weight_is_taken_in(country: Country) -> None:
    weight = {"region": "GM9001", "weight": 5, "source": "invented", "date": "2025-01-01"}

    taken = [
        await take(country, "regions", csv(REGION)),
        await take(country, "municipalities", csv(TOWN)),
        await take(country, "weights", csv(weight)),
    ]

    assert taken == [ImportCounts(new=1)] * 3
    assert (
        await country.value("SELECT count(*) FROM clearances WHERE 'GM9001' IN (zone, site)")
        == 2 * 342 + 1
    )
    assert await country.value("SELECT count(*) FROM shares WHERE region = 'GM9001'") == 1
    async with country.parts.database.transaction() as tx:
        reference = await tx.snapshots.reference(tx)
    assert reference.region_of("GM9001") == "GM9001"


@pytest.mark.parametrize("kind", ["regions", "municipalities", "weights"])
async def test_importing_what_is_there_changes_nothing(country: Country, kind: str) -> None:
    rows = await country.rows(f"SELECT * FROM {kind}")  # noqa: S608 - one of three names
    named = [
        {name.replace("valid_from", "date"): value for name, value in row.items()} for row in rows
    ]
    before = await version(country, "reference")

    taken = await take(country, kind, csv(*named))

    assert taken == ImportCounts(unchanged=len(rows))
    assert await version(country, "reference") == before


async def test_a_larger_extent_shortens_every_distance_that_it_is_part_of(country: Country) -> None:
    before = await country.value(
        "SELECT km FROM clearances WHERE zone = :a AND site = :b", a=HERE, b=THERE
    )
    larger = await town(country, HERE)

    taken = await take(
        country, "municipalities", csv(larger | {"extent_km": int(str(larger["extent_km"])) + 3})
    )

    assert taken == ImportCounts(changed=1)
    pairs = await country.rows(
        "SELECT km FROM clearances WHERE (zone, site) IN ((:a, :b), (:b, :a)) ORDER BY zone",
        a=HERE,
        b=THERE,
    )
    assert [row.km for row in pairs] == [before - 3, before - 3]
    assert await country.value("SELECT count(*) FROM clearances") == 342 * 342


async def test_a_ranking_made_before_distances_changed_cannot_be_held(country: Country) -> None:
    await shelter(country)
    intake = await country.client("intake_worker", provider="elders")
    referral = await intake.post("/referrals", referral_body())
    ranking = await intake.post(f"/referrals/{referral['id']}/rankings")
    larger = await town(country, HERE)

    await take(
        country, "municipalities", csv(larger | {"extent_km": int(str(larger["extent_km"])) + 3})
    )

    body = {
        "referralId": referral["id"],
        "rankingId": ranking["id"],
        "offerId": ranking["offers"][0]["offerId"],
    }
    refused = await intake.post("/holds", body, expect=409, key="once")
    assert refused["code"] == "ranking_outdated"


async def test_a_new_name_needs_no_new_distances_and_outdates_no_ranking(country: Country) -> None:
    before = await version(country, "register")

    taken = await take(
        country, "municipalities", csv(await town(country, HERE) | {"name": "Elders"})
    )

    assert taken == ImportCounts(changed=1)
    assert await version(country, "register") == before


async def test_what_a_row_names_and_does_not_exist_is_told_by_line_and_column(
    country: Country,
) -> None:
    strange = TOWN | {"region": "GM9999"}
    weight = {"region": "GM9999", "weight": 10**12 - 1, "source": "invented", "date": "2025-01-01"}

    assert await faults(country, "municipalities", csv(strange)) == [(2, "region")]
    assert await faults(country, "weights", csv(weight)) == [(2, "region"), (2, "weight")]
    assert await country.value("SELECT count(*) FROM municipalities") == 342
