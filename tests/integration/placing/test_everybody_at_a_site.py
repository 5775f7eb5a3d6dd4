"""A site that moves or is compromised: everybody there is reached, shielded or not."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from asyncpg import PostgresError
from sqlalchemy import text

from app.registry.imports import imports
from tests.api.calls import WORKING
from tests.casework import fresh, lapse, wish
from tests.country import (
    FAR,
    HERE,
    THERE,
    Client,
    Country,
    Shelter,
    approve,
    let_work,
    move_site,
    shelter,
)
from tests.integration.registry.imports.import_files import SITE, csv, take
from tests.shields import shield
from tests.swaps import chain, fleeing

ON_BOTH = True

TOLD = "SELECT audience FROM outbox WHERE kind = :kind AND subject = :id ORDER BY id"
OTHERS: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "another provider": ("eik", WORKING),
    "who is no coordinator there": ("linde", ("intake_worker", "client_system")),
    "nobody": (None, ()),
}
"""Who is not to see, or to change, who is at a site of linde's."""


@dataclass
class Scene:
    """A shelter with a desk.

    `named` sees its shielded households, its coordinator does not.
    """

    country: Country
    there: Shelter
    named: Client

    @property
    def coordinator(self) -> Client:
        return self.there.coordinator

    @property
    def site(self) -> str:
        return f"/sites/{self.there.site_id}"

    async def held(self, **referral: Any) -> dict[str, Any]:
        """Hold an own place for a household, and shield it."""
        wanted = await wish(self.named, **referral)
        await shield(self.named, wanted["referralId"])
        return await self.named.post("/holds", wanted, key=fresh())

    async def underway(self, **referral: Any) -> dict[str, Any]:
        return await self.named.post(
            "/placements", {"holdId": (await self.held(**referral))["id"]}, key=fresh()
        )

    async def arrived(self, **referral: Any) -> dict[str, Any]:
        placement = await self.underway(**referral)
        return await self.named.post(f"/placements/{placement['id']}/arrival", expect=200)

    async def told(self, thing: dict[str, Any], *, kind: str = "alarm") -> list[list[UUID]]:
        return [row.audience for row in await self.country.rows(TOLD, kind=kind, id=thing["id"])]


async def scene(country: Country, *, places: int = 1, **site: Any) -> Scene:
    there = await shelter(country, places=places, site=site)
    return Scene(
        country, there, await country.client("intake_worker", "coordinator", provider="linde")
    )


async def test_a_site_that_moves_into_danger_raises_the_alarm_for_a_household_that_is_shielded(
    country: Country,
) -> None:
    where = await scene(country, places=4)
    held, coming, there = await where.held(), await where.underway(), await where.arrived()
    missed = await where.underway()
    await where.named.post(f"/placements/{missed['id']}/no-show", expect=200)
    at = {f"/holds/{held['id']}": held} | {
        f"/placements/{one['id']}": one for one in (coming, there, missed)
    }
    both = [country.providers["linde"]] * 2

    await let_work(country, HERE, THERE)
    await move_site(country, where.coordinator, where.there.site_id, municipality=HERE)
    moved = await where.coordinator.get(where.site)

    for path, thing in at.items():
        assert (await where.named.get(path))["unsafeSince"] is not None
        assert await where.told(thing) == [both]
        await where.coordinator.get(path, expect=404)
    assert set(moved) == set(await where.coordinator.get(where.site))
    assert (
        await country.value(
            "SELECT count(*) FROM access_log WHERE object_type = 'site' AND referral_ids <> '{}'"
        )
        == 0
    )

    await move_site(country, where.coordinator, where.there.site_id, municipality=THERE)
    for path, thing in at.items():
        assert (await where.named.get(path))["unsafeSince"] is None
        assert await where.told(thing) == [both] * 2


async def test_who_is_seen_there_by_who_moves_it_stands_in_the_access_log(country: Country) -> None:
    where = await scene(country)
    wanted = await wish(where.named)
    await where.named.post("/holds", wanted, key=fresh())
    await let_work(country, HERE, THERE)
    await move_site(country, where.coordinator, where.there.site_id, municipality=HERE)
    named = (
        "SELECT referral_ids FROM access_log WHERE object_type = 'site' AND referral_ids <> '{}'"
    )
    assert await country.value(named) == [UUID(wanted["referralId"])]


async def test_a_site_that_becomes_known_raises_it_too_and_one_that_becomes_neither_does_not(
    country: Country,
) -> None:
    where = await scene(country, places=2)
    worst, other = await where.arrived(threatLevel=3), await where.arrived()
    await let_work(country, THERE, FAR)
    await move_site(country, where.coordinator, where.there.site_id, addressSecrecy="known")
    assert (await where.named.get(f"/placements/{worst['id']}"))["unsafeSince"] is not None
    assert (await where.named.get(f"/placements/{other['id']}"))["unsafeSince"] is None
    assert (len(await where.told(worst)), await where.told(other)) == (1, [])
    await move_site(country, where.coordinator, where.there.site_id, municipality=FAR)
    assert len(await where.told(worst)) == 1


@pytest.mark.parametrize("by", ["operator", "coordinator"])
async def test_a_file_that_moves_a_site_does_so_too(country: Country, by: str) -> None:
    where = await scene(country, name="Het Huis")
    there = await where.arrived()
    raw = csv(SITE | {"municipality": HERE})
    if by == "operator":
        await take(country, "sites", raw)
    else:
        async with country.parts.database.transaction(
            await country.hashed("coordinator", provider="linde")
        ) as tx:
            kind = imports.kind_of("sites")
            await imports.import_own_file(tx, kind, raw, keep=True)
        await let_work(country, HERE, THERE)
        await approve(country, where.there.site_id)
    assert (await where.named.get(f"/placements/{there['id']}"))["unsafeSince"] is not None
    assert len(await where.told(there)) == 1


async def test_a_compromised_site_turns_away_a_household_that_is_shielded(country: Country) -> None:
    where = await scene(country, places=3)
    held, past, coming = await where.held(), await where.held(), await where.underway()
    await lapse(country, past["id"])

    await where.coordinator.patch(where.site, {"compromised": "perpetrator_seen"})

    turned = await where.named.get(f"/holds/{held['id']}")
    assert (turned["status"], turned["reason"]) == ("declined", "site_unsafe")
    assert (await where.named.get(f"/referrals/{held['referralId']}"))["status"] == "open"
    assert (
        await country.value("SELECT count(*) FROM claims WHERE claimed_until > clock_timestamp()")
        == 1
    )
    assert (await where.named.get(f"/holds/{past['id']}"))["status"] == "expired"
    assert (await where.named.get(f"/placements/{coming['id']}"))["replace"] is True
    assert len(await where.told(held, kind="hold")) == 2
    assert len(await where.told(coming)) == 1
    await where.coordinator.get(f"/holds/{held['id']}", expect=404)


async def test_a_compromised_site_breaks_the_swap_of_a_household_that_is_shielded(
    country: Country,
) -> None:
    at = (await chain(country)).at
    named, unnamed = (
        await country.client("intake_worker", "coordinator", provider="linde"),
        at.hosts["linde"],
    )
    wanting = (await named.post("/referrals", fleeing(HERE)))["id"]
    await shield(named, wanting)
    found = await named.post("/swap-searches", {"referralId": wanting})
    swap = await named.post("/swaps", {"searchId": found["id"], "rank": 1})
    assert await country.value("SELECT count(*) FROM holds WHERE resolved_at IS NULL") == 1
    (site,) = (await unnamed.get("/sites"))["items"]

    await unnamed.patch(f"/sites/{site['id']}", {"compromised": "address_exposed"})

    assert (await named.get(f"/swaps/{swap['id']}"))["status"] == "broken"
    assert await country.value("SELECT count(*) FROM holds WHERE resolved_at IS NULL") == 0


@pytest.mark.parametrize("who", OTHERS)
async def test_nobody_else_sees_or_changes_who_is_there(country: Country, who: str) -> None:
    where = await scene(country, places=2)
    held, there = await where.held(), await where.arrived()
    provider, roles = OTHERS[who]
    token = await country.hashed(*roles, provider=provider) if roles else b""
    site = UUID(where.there.site_id)
    async with country.parts.database.transaction(token) as tx:
        assert await tx.rows(text("SELECT * FROM everybody_at(:site)"), {"site": site}) == []
        for thing in (held, there):
            values = {"site": site, "id": UUID(thing["id"])}
            await tx.rows(text("SELECT mark_unsafe(:site, :id, true)"), values)
        assert (await tx.rows(text("SELECT turn_away(:site, 'site_unsafe')"), {"site": site}))[0][
            0
        ] == 0
    assert (await where.named.get(f"/holds/{held['id']}"))["status"] == "accepted"
    assert (await where.named.get(f"/holds/{held['id']}"))["unsafeSince"] is None
    assert (await where.named.get(f"/placements/{there['id']}"))["unsafeSince"] is None
    assert await country.value("SELECT count(*) FROM outbox WHERE kind = 'alarm'") == 0


async def test_a_table_of_the_callers_own_is_not_taken_for_ours(country: Country) -> None:
    where = await scene(country)
    await where.held()
    eik = await country.provider("eik")
    async with country.parts.database.transaction(
        await country.hashed("coordinator", provider="eik")
    ) as tx:
        await tx.rows(text("SELECT set_config('search_path', 'pg_temp, public', true)"))
        await tx.run(text("CREATE TEMP TABLE sites (id uuid, provider_id uuid) ON COMMIT DROP"))
        await tx.run(
            text("INSERT INTO sites VALUES (:id, :eik)"),
            {"id": UUID(where.there.site_id), "eik": eik},
        )
        assert (
            await tx.rows(
                text("SELECT * FROM everybody_at(:id)"), {"id": UUID(where.there.site_id)}
            )
            == []
        )


@pytest.mark.parametrize("call", ["owns_site(:id, 'operator')", "lock_everybody_at(:id)"])
async def test_what_is_asked_within_is_nobodys_to_call(country: Country, call: str) -> None:
    where = await scene(country)
    token = await country.hashed("coordinator", provider="linde")
    with pytest.raises(PostgresError, match="permission denied"):
        async with country.parts.database.transaction(token) as tx:
            await tx.rows(text(f"SELECT {call}"), {"id": UUID(where.there.site_id)})
