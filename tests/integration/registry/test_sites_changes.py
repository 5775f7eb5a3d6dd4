"""Races about sites, and what their seals bind."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from app.registry import site_seals, sites
from app.registry.store import proposal_rows
from app.seal import SealBroken
from tests.country import Country, referral_body, shelter, site_body
from tests.integration.registry.test_places_races import blocked

ELSEWHERE = {"street": "Andere straat 2", "postcode": "0000 BB", "city": "Nergenshuizen"}


async def secret_of(country: Country, site_id: UUID) -> dict[str, Any]:
    """Return the name of a site, and the address that is proposed or that it has."""
    async with country.parts.database.transaction(
        await country.hashed("coordinator", provider="linde")
    ) as tx:
        site = await sites.read(tx, site_id)
        sealed = await proposal_rows.address_of(tx, site_id)
        address = site_seals.address_of(site.key, site_id, sealed=site.row.sealed, moved_to=sealed)
        return {"name": site.name, "address": dict(address)}


async def two_changes(country: Country, site_id: UUID) -> None:
    """Propose another address of a site while a change of its name is about to be committed."""
    database = country.parts.database
    linde = await country.hashed("coordinator", provider="linde")

    async def second() -> None:
        async with database.transaction(linde) as tx:
            site = await sites.read(tx, site_id, lock=True)
            await sites.change(tx, site, changes={"address": ELSEWHERE})

    async with database.transaction(linde) as tx:
        site = await sites.read(tx, site_id, lock=True)
        await sites.change(tx, site, changes={"name": "Eik"})
        waiting = asyncio.create_task(second())
        await blocked(country)
    await waiting


async def test_a_name_and_an_address_changed_at_once_both_stay(country: Country) -> None:
    there = await shelter(country)
    await two_changes(country, UUID(there.site_id))
    assert await secret_of(country, UUID(there.site_id)) == {
        "name": "Eik",
        "address": ELSEWHERE,
    }


async def test_one_sites_secret_does_not_open_as_anothers(country: Country) -> None:
    there = await shelter(country)
    other = await there.coordinator.post("/sites", site_body(name="Eik"))
    await country.rows(
        "UPDATE site_secrets AS a SET key = b.key, sealed = b.sealed FROM site_secrets AS b"
        " WHERE a.site_id = CAST(:a AS uuid) AND b.site_id = CAST(:b AS uuid)",
        a=there.site_id,
        b=other["id"],
    )
    with pytest.raises(SealBroken):
        await secret_of(country, UUID(there.site_id))


async def test_a_ranking_made_while_a_change_was_under_way_cannot_be_held(country: Country) -> None:
    there = await shelter(country)
    intake = await country.client("intake_worker", provider="haven")
    referral = await intake.post("/referrals", referral_body())
    linde = await country.hashed("coordinator", provider="linde")
    async with country.parts.database.transaction(linde) as tx:
        site = await sites.read(tx, UUID(there.site_id), lock=True)
        await sites.change(tx, site, changes={"admission": "paused"})
        ranking = await intake.post(f"/referrals/{referral['id']}/rankings")
    wanted = {
        "referralId": referral["id"],
        "rankingId": ranking["id"],
        "offerId": ranking["offers"][0]["offerId"],
    }
    problem = await intake.post("/holds", wanted, key="late", expect=409)
    assert problem["code"] == "ranking_outdated"
