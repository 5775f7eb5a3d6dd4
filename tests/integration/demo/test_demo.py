"""The demo country in the database.

A register and referrals that the service can work with.
"""

import pytest

from app.accounts import accounts
from app.database.transaction import WORKER
from app.demo import demo
from app.errors import OperatorError
from app.reference import load
from app.registry import sites
from app.simulation.country.register import build_country
from app.simulation.country.values import DemoReferral
from tests.country import Client, Country

COUNTRY = build_country(load(), seed=1)
GIVEN = (
    "id",
    "reference",
    "status",
    "createdAt",
    "updatedAt",
    "holdId",
    "alternative",
    "closedBecause",
    "closedAt",
)
"""What Plek says of a referral by itself."""


async def fill(country: Country, *, seed: int = 1) -> None:
    async with country.owner.transaction() as tx:
        await demo.fill(tx, seed=seed)


async def test_the_whole_country_stands_with_its_places_in_use(country: Country) -> None:
    await fill(country)

    counts = await country.rows(
        "SELECT (SELECT count(*) FROM providers), (SELECT count(DISTINCT region) FROM "
        "provider_regions),"
        " (SELECT count(*) FROM places), (SELECT count(*) FROM claims WHERE claimed_until <= "
        "clock_timestamp()),"
        " (SELECT sum(places) FROM place_groups), (SELECT count(*) FROM referrals WHERE status "
        "= 'open')"
    )

    assert tuple(counts[0]) == (24, 35, 1024, 72, 1024, 40)


async def test_the_service_sees_it_at_once_and_in_its_first_step(country: Country) -> None:
    await fill(country)

    async with country.parts.database.transaction(actor=WORKER) as tx:
        snapshot = await tx.snapshots.register(tx)

    assert sum(group.places for group in snapshot.register.groups) == 1024
    assert await country.value("SELECT sum(total) FROM availability_steps") == 1024


async def test_nobody_of_the_demo_country_is_missed_when_it_begins(country: Country) -> None:
    await fill(country)
    assert not await country.value(
        "SELECT count(*) FROM dues WHERE kind = 'expected_arrival' AND due_at <= clock_timestamp()"
    )


async def test_names_open_with_the_installations_key_and_stand_nowhere_else(
    country: Country,
) -> None:
    await fill(country)
    invented = next(site for site in COUNTRY.sites if site.provider_id == COUNTRY.providers[0].id)
    owner = COUNTRY.providers[0]
    country.providers[owner.slug] = owner.id

    async with country.parts.database.transaction(
        await country.hashed("coordinator", provider=owner.slug)
    ) as tx:
        found = await sites.read(tx, invented.id)

    assert found.name == invented.name
    assert (
        await country.value(
            "SELECT count(*) FROM sites WHERE CAST(sites AS text) LIKE :name",
            name=f"%{found.name}%",
        )
        == 0
    )


async def desk(country: Country, invented: DemoReferral) -> Client:
    slug = next(
        provider.slug for provider in COUNTRY.providers if provider.id == invented.provider_id
    )
    country.providers[slug] = invented.provider_id
    return await country.client("intake_worker", provider=slug)


async def test_every_referral_is_what_a_desk_could_have_sent(country: Country) -> None:
    await fill(country)

    for invented in COUNTRY.referrals:
        intake = await desk(country, invented)
        shown = await intake.get(f"/referrals/{invented.id}")
        sent = {name: value for name, value in shown.items() if name not in GIVEN}
        assert (
            await intake.post("/referrals", sent) | {name: shown[name] for name in GIVEN} == shown
        )


async def test_a_desk_of_the_demo_country_can_rank_places_for_its_referral(
    country: Country,
) -> None:
    await fill(country)
    invented = COUNTRY.referrals[0]
    intake = await desk(country, invented)

    ranking = await intake.post(f"/referrals/{invented.id}/rankings")

    assert ranking["considered"] == 1024


async def test_the_same_seed_gives_the_same_country(country: Country) -> None:
    same = (
        "SELECT md5(string_agg(CAST((id, site_id, kind, places) AS text), '' ORDER BY id)) FROM "
        "place_groups"
    )
    spoken = "SELECT string_agg(reference, ' ' ORDER BY id) FROM referrals"
    found: list[tuple[object, object]] = []
    for seed in (7, 7, 8):
        await fill(country, seed=seed)
        found.append((await country.value(same), await country.value(spoken)))
        await country.rows(
            "TRUNCATE claims, place_secrets, places, place_groups, site_secrets, sites, "
            "referral_secrets, referrals,"
            " provider_regions, availability_steps, providers CASCADE"
        )

    assert found[0] == found[1] != found[2]


async def test_a_database_with_providers_is_left_alone(country: Country) -> None:
    await country.provider("linde")

    with pytest.raises(OperatorError, match="providers already"):
        await fill(country)

    assert await country.value("SELECT count(*) FROM providers") == 1


async def test_the_demo_country_is_told_from_a_real_one(country: Country) -> None:
    shown: list[bool | None] = []
    for step in (None, fill, lambda known: known.provider("linde")):
        if step is not None:
            await step(country)
        async with country.owner.transaction() as tx:
            shown.append(await accounts.is_demo_shown(tx))

    assert shown == [None, True, False]
