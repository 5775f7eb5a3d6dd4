"""Acts for everybody: what a shield hides from who acts is as true as what they see."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.casework import fresh, wish_for
from tests.country import Client, Country, Shelter, place_body, referral_body, shelter
from tests.ledger_stays import local_today
from tests.shields import shield
from tests.swaps import chain, fleeing

MOVING = {"urgency": "urgent", "reason": "follow_on"}
LEFT = {"destination": "new_home"}
LEAVES = """
SELECT type FROM leaves WHERE placement_id IS NOT NULL ORDER BY index
"""


@dataclass
class Scene:
    """A shelter of linde's in another region than its household comes from.

    `named` brings the household; `other` is its coordinator, who is not named in shields.
    """

    country: Country
    there: Shelter
    named: Client

    @property
    def other(self) -> Client:
        return self.there.coordinator

    async def lives(self, *, hidden: bool, **referral: Any) -> dict[str, Any]:
        """Let a household live at an own place, shielded if asked; return its placement."""
        coming = await self.comes(hidden=hidden, **referral)
        return await self.named.post(f"/placements/{coming['id']}/arrival", expect=200)

    async def comes(
        self, *, hidden: bool, leaving: dict[str, Any] | None = None, **referral: Any
    ) -> dict[str, Any]:
        """Let a household be on its way to an own place, from another one if it leaves one."""
        made = await self.named.post("/referrals", referral_body(**referral))
        held = await self.named.post("/holds", await wish_for(self.named, made["id"]), key=fresh())
        body = {"holdId": held["id"]}
        if leaving is not None:
            body["previousPlacementId"] = leaving["id"]
        coming = await self.named.post("/placements", body, key=fresh())
        if hidden:
            await shield(self.named, made["id"])
            await self.other.get(f"/placements/{coming['id']}", expect=404)
        return coming

    async def leaves(self) -> list[str]:
        """Return the type of every leaf about a stay, in order."""
        return [row.type for row in await self.country.rows(LEAVES)]


async def scene(country: Country) -> Scene:
    there = await shelter(country)
    await there.coordinator.post("/places", place_body(there.site_id, kind="regular"))
    named = await country.client("intake_worker", "coordinator", provider="linde")
    return Scene(country, there, named)


def yesterday() -> str:
    return (datetime.now(UTC) - timedelta(days=1)).isoformat()


@pytest.mark.parametrize("hidden", [False, True])
async def test_a_time_that_began_with_a_placement_nobody_else_sees_has_its_leaves(
    country: Country, *, hidden: bool
) -> None:
    where = await scene(country)
    first = await where.lives(hidden=hidden)
    last = await where.comes(hidden=False, leaving=first, **MOVING)
    path = f"/placements/{last['id']}"
    days = "arrived_at = arrived_at - interval '3 days'"
    await where.other.post(f"{path}/arrival", expect=200)
    await country.rows(
        f"UPDATE placements SET {days}, departed_at = departed_at - interval '3 days'"  # noqa: S608
    )

    await where.other.patch(path, {"readyToLeaveSince": local_today().isoformat()})
    left = await where.other.post(f"{path}/departure", LEFT, expect=200)
    corrected = await where.other.post(
        f"{path}/corrections", {"code": "departed_other_day", "at": yesterday()}
    )

    assert await where.leaves() == ["arrival", "correction", "departure", "correction"]
    assert left["ledgerLeaf"] is not None
    assert corrected["ledgerLeaf"] == left["ledgerLeaf"] + 1


@pytest.mark.parametrize("hidden", [False, True])
async def test_who_went_on_inside_did_not_leave_whoever_sees_where_they_are_now(
    country: Country, *, hidden: bool
) -> None:
    where = await scene(country)
    first = await where.lives(hidden=False)
    last = await where.comes(hidden=hidden, leaving=first, **MOVING)
    await where.named.post(f"/placements/{last['id']}/arrival", expect=200)

    wrong = {"code": "departed_other_day", "at": yesterday()}
    refused = await where.other.post(f"/placements/{first['id']}/corrections", wrong, expect=409)

    assert refused["code"] == "moved_on"
    assert await where.leaves() == ["arrival"]


@pytest.mark.parametrize("hidden", [False, True])
async def test_a_place_that_is_left_is_its_successors_whoever_sees_them(
    country: Country, *, hidden: bool
) -> None:
    made = await chain(country)
    at, resident = made.at, made.resident
    named, other = (
        await country.client("intake_worker", "coordinator", provider="linde"),
        at.hosts["linde"],
    )
    waits = (await named.post("/referrals", fleeing("GM0518")))["id"]
    if hidden:
        await shield(named, waits)
    found = await named.post("/swap-searches", {"referralId": waits})
    swap = await named.post("/swaps", {"searchId": found["id"], "rank": 1})
    at.hosts["linde"] = named
    await at.consent(swap["id"])
    assert (await named.get(f"/swaps/{swap['id']}"))["status"] == "reserved"
    (next_one,) = await country.rows(
        "SELECT successor_id FROM claims WHERE successor_id IS NOT NULL"
    )
    told = "SELECT count(*) FROM outbox WHERE kind = 'placement' AND subject = :id"
    before = await country.value(told, id=str(next_one.successor_id))

    await other.post(
        f"/placements/{resident.placement_id}/departure",
        {"destination": "follow_on_place"},
        expect=200,
    )

    claim = "SELECT placement_id, successor_id FROM claims WHERE place_id = :id"
    (claimed,) = await country.rows(claim, id=resident.place_id)
    assert tuple(claimed) == (next_one.successor_id, None)
    assert await country.value(told, id=str(next_one.successor_id)) == before + 1
