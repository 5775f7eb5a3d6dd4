"""Acts for everybody: what a shield hides from who acts is as true as what they see."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from asyncpg import InsufficientPrivilegeError

from app.budgets import budgets
from app.ranking import rankings
from tests.casework import desk, fresh, lapse, pass_days, wish, wish_for
from tests.country import (
    FAR,
    THERE,
    Client,
    Country,
    Shelter,
    move_site,
    place_body,
    referral_body,
    shelter,
)
from tests.ledger_stays import local_today
from tests.shields import shield
from tests.swaps import chain, fleeing

MOVING = {"urgency": "urgent", "reason": "follow_on"}
CAPACITY = {"reason": "capacity", "dangerAssessment": "none_known", "dangerZones": []}
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


def token_of(client: Client) -> bytes:
    """Return the hash of a client's token, with which to enter the database as that account."""
    token = client.http.headers["Authorization"].removeprefix("Bearer ")
    return hashlib.sha256(token.encode()).digest()


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
async def test_days_lie_around_those_elsewhere_whoever_sees_them(
    country: Country, *, hidden: bool
) -> None:
    where = await scene(country)
    first = await where.lives(hidden=hidden)
    last = await where.comes(hidden=False, leaving=first, **MOVING)
    path = f"/placements/{last['id']}"
    await where.other.post(f"{path}/arrival", expect=200)
    await pass_days(country, 3)
    await country.rows("UPDATE placements SET created_at = created_at - interval '9 days'")
    moment = (datetime.now(UTC) - timedelta(days=5)).isoformat()
    early = {"code": "arrived_other_day", "at": moment}

    await where.other.post(f"{path}/corrections", early, expect=400)
    right = {"code": "arrived_other_day", "at": yesterday()}
    moved = await where.other.post(f"{path}/corrections", right)

    left = await where.named.get(f"/placements/{first['id']}")
    assert left["departedAt"] == moved["arrivedAt"]
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


@pytest.mark.parametrize("hidden", [False, True])
async def test_whom_nobody_else_sees_counts_under_a_cap_a_capacity_and_a_budget(
    country: Country, *, hidden: bool
) -> None:
    where = await desk(country, places=2)
    named, other = where.intake, await country.client("intake_worker", provider="haven")
    auditor = await country.client("auditor", region=THERE)
    until = (local_today() + timedelta(days=30)).isoformat()
    await auditor.post("/caps", {"atMost": 1, "reason": "staffing", "until": until})
    stayer = await named.post("/referrals", referral_body(**CAPACITY))
    held = await named.post("/holds", await wish_for(named, stayer["id"]), key=fresh())
    helped = await named.post("/referrals", referral_body())
    await where.receiver.ask("PUT", "/ambulatory-capacity", json={"capacity": 1}, expect=200)
    help_at_home = {
        "kind": "ambulatory",
        "responsibleProviderId": str(country.providers["linde"]),
    }
    await named.post(f"/referrals/{helped['id']}/alternatives", help_at_home)
    if hidden:
        for one in (stayer, helped):
            await shield(named, one["id"])
        await other.get(f"/holds/{held['id']}", expect=404)

    kept_away = await other.post("/referrals", referral_body(**CAPACITY))
    ranking = await other.post(f"/referrals/{kept_away['id']}/rankings")
    assert "cap" in {out["rule"] for out in ranking["excluded"] if out["region"] == THERE}
    refused = await other.post(
        f"/referrals/{kept_away['id']}/alternatives", help_at_home, expect=409
    )
    assert refused["code"] == "no_capacity"
    async with country.parts.database.transaction(token_of(other)) as tx:
        (used,) = (row.used for row in await budgets.read_own(tx) if row.kind == "desk_holds")
    assert used == 1


@pytest.mark.parametrize("hidden", [False, True])
async def test_a_hold_that_ran_out_gives_way_whoever_sees_it(
    country: Country, *, hidden: bool
) -> None:
    where = await desk(country)
    named, other = where.intake, await country.client("intake_worker", provider="haven")
    before = await where.hold()
    await lapse(country, before["id"])
    if hidden:
        await shield(named, before["referralId"])

    wanted = await wish(other)
    await other.post("/holds", wanted, key=fresh())

    assert (await named.get(f"/holds/{before['id']}"))["status"] == "no_answer"
    assert (await named.get(f"/referrals/{before['referralId']}"))["status"] == "open"
    claims = "SELECT count(*) FROM claims WHERE kind = 'hold'"
    assert await country.value(claims) == 1
    told = "SELECT count(*) FROM outbox WHERE kind = 'hold' AND subject = :id"
    assert await country.value(told, id=before["id"]) == 2


@pytest.mark.parametrize("hidden", [False, True])
async def test_an_arrival_ends_what_was_before_it_whoever_sees_that(
    country: Country, *, hidden: bool
) -> None:
    where = await scene(country)
    await shelter(country, "eik", site={"municipality": FAR}, kind="regular")
    eik = await country.client("intake_worker", "coordinator", provider="eik")
    first = await where.lives(hidden=hidden)
    path = f"/placements/{first['id']}"
    await where.named.patch(path, {"blockers": ["housing"]})
    # Of the next place linde's coordinator hears nothing, nor eik of the one before.
    onward = await where.named.post("/referrals", referral_body(**MOVING))
    hotel = {"kind": "hotel", "responsibleProviderId": str(country.providers["linde"])}
    await where.named.post(f"/referrals/{onward['id']}/alternatives", hotel)
    ranking = await where.named.post(f"/referrals/{onward['id']}/rankings")
    offer = next(
        one for one in ranking["offers"] if one["provider"]["id"] == str(country.providers["eik"])
    )
    wanted = {"referralId": onward["id"], "rankingId": ranking["id"], "offerId": offer["offerId"]}
    held = await where.named.post("/holds", wanted | {"overrideReason": "other"}, key=fresh())
    await eik.post(f"/holds/{held['id']}/acceptance", {"by": "person"}, expect=200)
    body = {"holdId": held["id"], "previousPlacementId": first["id"]}
    coming = await where.named.post("/placements", body, key=fresh())
    if hidden:
        await shield(where.named, onward["id"])
        await where.other.get(f"/placements/{coming['id']}", expect=404)
    await eik.get(path, expect=404)

    await eik.post(f"/placements/{coming['id']}/arrival", expect=200)

    assert (await where.named.get(path))["status"] == "ended"
    assert await country.value("SELECT count(*) FROM blocker_periods WHERE until IS NULL") == 0
    assert await country.value("SELECT count(*) FROM alternatives WHERE ended_at IS NULL") == 0
    left_by = "SELECT count(*) FROM vacancies WHERE left_by = :id"
    assert await country.value(left_by, id=UUID(first["referralId"])) == 1
    assert await where.leaves() == ["arrival", "departure", "arrival"]


@pytest.mark.parametrize("hidden", [False, True])
async def test_senders_hear_that_an_address_changes_whomever_they_named(
    country: Country, *, hidden: bool
) -> None:
    where = await desk(country)
    coming = await where.underway()
    if hidden:
        await shield(where.intake, coming["referralId"])
    told = "SELECT audience FROM outbox WHERE kind = 'placement' AND subject = :id ORDER BY id"
    before = len(await country.rows(told, id=coming["id"]))

    address = {"street": "Elders 2", "postcode": "0000 BB", "city": "Nergenshuizen"}
    await move_site(country, where.receiver, where.there.site_id, address=address)

    heard = (await country.rows(told, id=coming["id"]))[before:]
    assert [row.audience for row in heard] == [[country.providers["haven"]]] * 2


@pytest.mark.parametrize("hidden", [False, True])
async def test_a_place_in_which_somebody_lives_is_not_declared_free(
    country: Country, *, hidden: bool
) -> None:
    where = await scene(country)
    there = await where.lives(hidden=hidden)
    place = f"/places/{where.there.place_ids[0]}"
    if hidden:
        await where.other.get(f"/placements/{there['id']}", expect=404)

    refused = await where.other.patch(place, {"status": "free"}, expect=409)

    assert refused["code"] == "claimed"
    assert (await where.other.get(place))["status"] == "occupied"


async def test_rankings_go_on_for_all_of_the_desk_and_only_for_who_sees_the_household(
    country: Country,
) -> None:
    where = await scene(country)
    made = await where.named.post("/referrals", referral_body())
    await where.named.post(f"/referrals/{made['id']}/rankings")
    behind = "SELECT f.version - r.referral_version FROM rankings AS r"
    behind += " JOIN referrals AS f ON f.id = r.referral_id"

    async def change_and_keep() -> None:
        await country.rows("UPDATE referrals SET version = version + 1 RETURNING 1")
        async with country.parts.database.transaction(token_of(where.other)) as tx:
            await rankings.keep_rankings(tx, UUID(made["id"]))

    await change_and_keep()
    assert await country.value(behind) == 0
    await shield(where.named, made["id"])
    with pytest.raises(InsufficientPrivilegeError):
        await change_and_keep()
    assert await country.value(behind) == 1
