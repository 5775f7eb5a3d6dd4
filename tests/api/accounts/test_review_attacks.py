"""Each attack from within is played through the API, and the review names who did it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from app.accounts.reviews import WEEK, monday_of
from app.accounts.store import review_rows
from app.allocation.figures.review import AccountWeek, ReviewFinding, unlike_accounts
from app.allocation.policy.policy import ReviewLimits
from app.database.transaction import WORKER
from app.reference import load
from tests.access_calls import STAFF, Person, person
from tests.casework import fresh
from tests.country import Client, Country, referral_body, shelter

NOWHERE_NEAR = ("GM0363", "GM0344", "GM0599", "GM0518", "GM0014", "GM0080", "GM0106")
"""Towns that a stranger measures distances from."""


async def counted(country: Country) -> list[AccountWeek]:
    """Count as the worker does, once everything has had its seven days."""
    midnight = load().country.midnight
    async with country.parts.database.transaction(actor=WORKER) as tx:
        monday = monday_of(load().country.day_of(tx.at - timedelta(minutes=10)))
        return await review_rows.count_acts(
            tx, since=midnight(monday), until=midnight(monday + 2 * WEEK)
        )


async def counts_of(who: Person) -> Mapping[str, int]:
    """Return what the review counts of an account."""
    return {one.account_id: one.counts for one in await counted(who.country)}[str(who.account_id)]


async def named(country: Country) -> tuple[ReviewFinding, ...]:
    return unlike_accounts(await counted(country), ReviewLimits())


async def names(country: Country) -> list[str]:
    return [one.account_id for one in await named(country)]


async def register(who: Client, **referral: Any) -> str:
    id_: str = (await who.post("/referrals", referral_body(**referral)))["id"]
    return id_


async def rank(who: Client, referral_id: str) -> dict[str, Any]:
    ranking = await who.post(f"/referrals/{referral_id}/rankings")
    assert ranking["offers"]
    return {
        "referralId": referral_id,
        "rankingId": ranking["id"],
        "offerId": ranking["offers"][0]["offerId"],
    }


async def hold(who: Client, referral_id: str) -> str:
    id_: str = (await who.post("/holds", await rank(who, referral_id), key=fresh()))["id"]
    return id_


async def accept(who: Client, hold_id: str) -> None:
    await who.post(f"/holds/{hold_id}/acceptance", {"by": "person"}, expect=200)


async def confirm(who: Client, hold_id: str) -> str:
    id_: str = (await who.post("/placements", {"holdId": hold_id}, key=fresh()))["id"]
    return id_


async def desk(country: Country, *, places: int = 3) -> tuple[Person, Person, Client]:
    """Return two workers of haven, and the coordinator of a shelter elsewhere."""
    there = await shelter(country, "linde", places=places)
    one, colleague = [await person(country, *STAFF, provider="haven") for _ in range(2)]
    await there.coordinator.get("/holds")
    return one, colleague, there.coordinator


async def test_watching_by_an_invented_referral_is_named(country: Country) -> None:
    watcher, colleague, _ = await desk(country)
    for _ in range(2):
        invented = await register(watcher.client)
        shield = f"/referrals/{invented}/shield"
        await watcher.client.ask("PUT", shield, json={"colleagues": []}, expect=200)
        for _ in range(16):
            await rank(watcher.client, invented)
    honest = await register(colleague.client)
    await rank(colleague.client, honest)

    assert await names(country) == [str(watcher.account_id)]
    assert await counts_of(watcher) == {"rankings": 32}
    assert await counts_of(colleague) == {"rankings": 1}


async def test_towns_found_by_other_anchors_count_double(country: Country) -> None:
    seeker, plain, _ = await desk(country)
    case, other = await register(seeker.client), await register(plain.client)
    for number in range(16):
        near = {"nearMunicipality": NOWHERE_NEAR[number % len(NOWHERE_NEAR)]}
        await seeker.client.patch(f"/referrals/{case}", near, headers={"If-Match": "*"})
        await rank(seeker.client, case)
        await plain.client.patch(
            f"/referrals/{other}", {"callBack": f"000-555 0{number:02}"}, headers={"If-Match": "*"}
        )
        await rank(plain.client, other)

    assert await names(country) == [str(seeker.account_id)]
    assert await counts_of(seeker) == {"rankings": 16, "moved_rankings": 16}
    assert await counts_of(plain) == {"rankings": 16}


async def test_towns_found_by_zones_or_by_new_referrals_are_named_as_well(
    country: Country,
) -> None:
    by_zones, by_referrals, _ = await desk(country)
    case = await register(by_zones.client)
    for radius in (5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 5, 10, 15, 20, 25, 30):
        zone = {"municipality": "GM0518", "radiusKm": radius, "cause": "home"}
        await by_zones.client.patch(
            f"/referrals/{case}", {"dangerZones": [zone]}, headers={"If-Match": "*"}
        )
        await rank(by_zones.client, case)
    for number in range(31):
        near = NOWHERE_NEAR[number % len(NOWHERE_NEAR)]
        await rank(by_referrals.client, await register(by_referrals.client, nearMunicipality=near))

    assert sorted(await names(country)) == sorted(
        [str(by_zones.account_id), str(by_referrals.account_id)]
    )


async def test_fishing_for_addresses_is_named_although_people_accepted(country: Country) -> None:
    fisher, colleague, receiver = await desk(country, places=6)
    for who in (*[fisher] * 5, colleague):
        held = await hold(who.client, await register(who.client))
        await accept(receiver, held)
        placement = await confirm(who.client, held)
        reveal = f"/placements/{placement}/address-reveals"
        await who.client.post(reveal, {"purpose": "transport"}, expect=200)
        if who is colleague:
            await receiver.post(f"/placements/{placement}/arrival", expect=200)
        else:
            await who.client.post(f"/placements/{placement}/no-show", expect=200)

    assert await names(country) == [str(fisher.account_id)]
    assert await counts_of(fisher) == {"rankings": 5, "reveals": 5}
    assert await counts_of(colleague) == {}


async def test_luring_is_named_by_looks_and_acceptances_that_end_in_declines(
    country: Country,
) -> None:
    sender, _, honest = await desk(country, places=6)
    lurer = await person(country, *STAFF, provider="linde")
    for number in range(5):
        held = await hold(sender.client, await register(sender.client))
        await lurer.client.post(f"/holds/{held}/danger-looks", {"reason": "network"}, expect=200)
        await accept(lurer.client, held)
        if number % 2:
            reason = {"reason": "no_capacity_after_all"}
            await lurer.client.post(f"/holds/{held}/decline", reason, expect=200)
        else:  # or one waits until the sender gives up
            await sender.client.post(f"/holds/{held}/release", {"reason": "mistake"}, expect=200)
    held = await hold(sender.client, await register(sender.client))
    await accept(honest, held)
    await confirm(sender.client, held)

    assert await names(country) == [str(lurer.account_id)]
    assert await counts_of(lurer) == {"danger_looks": 5, "acceptances": 5}


async def test_budgets_raised_again_and_again_are_named(country: Country) -> None:
    busy, colleague, _ = await desk(country)
    others = [await person(country, *STAFF, provider="haven") for _ in range(6)]
    for one in others:
        await busy.client.post(
            "/budget-raises", {"account": str(one.account_id), "reason": "other"}
        )
    await colleague.client.post("/budget-raises", {"reason": "busy_shift"})

    assert await names(country) == [str(busy.account_id)]
    assert await counts_of(busy) == {"budget_raises": 6}


async def test_streams_takeovers_own_addresses_and_peak_plans_count(country: Country) -> None:
    one, colleague, receiver = await desk(country)
    case = await register(colleague.client)
    for _ in range(2):
        await one.client.post(f"/referrals/{case}/takeovers")
    site = (await receiver.get("/sites"))["items"][0]["id"]
    owner = await person(country, "coordinator", provider="linde")
    for _ in range(2):
        await owner.client.post(f"/sites/{site}/address-reveals", {"purpose": "other"}, expect=200)
    await country.rows(
        """INSERT INTO access_log (action, outcome, account_id, roles, provider_id, object_type)
           SELECT 'follow', 'granted', :id, '{coordinator}', :provider, 'events'
           FROM generate_series(1, 3)""",
        id=owner.account_id,
        provider=owner.provider_id,
    )

    wished = await register(one.client)
    await one.client.post("/peak-plans", {"referralIds": [wished]})

    assert await counts_of(one) == {"rankings": 1, "takeovers": 1}
    assert await counts_of(owner) == {"own_addresses": 1, "streams": 3}


async def test_nobody_clears_oneself_and_a_colleague_who_works_on_it_does(country: Country) -> None:
    """By no hold released as a mistake, withdrawal, own arrival or account that one invited."""
    one, colleague, _ = await desk(country)
    own_shelter = await shelter(country, "haven", site={"municipality": "GM0014"})
    puppet = await person(country, *STAFF, provider="haven")
    await country.rows(
        "INSERT INTO account_acts (account_id, act, by_account) VALUES (:puppet, 'invited', :one)",
        puppet=puppet.account_id,
        one=one.account_id,
    )
    cases = [await register(one.client) for _ in range(4)]
    for case in cases:
        for _ in range(8):
            await rank(one.client, case)
    before = await counts_of(one)
    assert before == {"rankings": 32}

    held = await hold(one.client, cases[0])
    await one.client.post(f"/holds/{held}/release", {"reason": "mistake"}, expect=200)
    await one.client.post(f"/referrals/{cases[1]}/withdrawal", {"reason": "mistake"}, expect=200)
    ranking = await one.client.post(f"/referrals/{cases[2]}/rankings")
    own = next(
        offer for offer in ranking["offers"] if offer["provider"]["id"] == str(one.provider_id)
    )
    wanted = {"referralId": cases[2], "rankingId": ranking["id"], "offerId": own["offerId"]}
    if own["rank"] > 1:
        wanted["overrideReason"] = "other"
    at_home = (await one.client.post("/holds", wanted, key=fresh()))["id"]
    placement = await confirm(one.client, at_home)
    await one.client.post(f"/placements/{placement}/arrival", expect=200)
    await puppet.client.post(
        f"/referrals/{cases[3]}/contacts", {"note": "Belt morgen.", "kind": "client"}
    )
    await rank(puppet.client, cases[3])
    for case in cases:
        await colleague.client.get(f"/referrals/{case}")  # a look is no work
    del own_shelter
    after = await counts_of(one)
    assert after["rankings"] >= before["rankings"] + 1
    assert str(one.account_id) in await names(country)

    for case in cases[:2]:
        await colleague.client.post(f"/referrals/{case}/takeovers")
    assert (await counts_of(one))["rankings"] == after["rankings"] - 17

    # On what others work on, one does not watch without end either.
    for _ in range(16):
        await rank(one.client, cases[0])
    assert (await counts_of(one))["rankings"] == after["rankings"] - 17 + 5


async def test_counting_reads_only_the_days_and_is_the_workers(country: Country) -> None:
    one, _, _ = await desk(country)
    case = await register(one.client)
    await rank(one.client, case)
    await country.rows(
        """INSERT INTO access_log (at, action, outcome, account_id, roles, provider_id, object_type)
           SELECT clock_timestamp() - interval '100 days', 'read', 'granted', :id, '{coordinator}',
                  :provider, 'site' FROM generate_series(1, 3000)""",
        id=one.account_id,
        provider=one.provider_id,
    )
    read = """SELECT coalesce(sum(seq_tup_read), 0) AS whole, coalesce(sum(idx_tup_fetch), 0) AS some
              FROM pg_stat_xact_user_tables WHERE relname = 'access_log'"""
    async with country.owner.transaction() as tx:
        since = tx.at - timedelta(days=3)
        found = await review_rows.count_acts(tx, since=since, until=tx.at)
        row = (await tx.rows(text(read)))[0]
    assert {str(one.account_id)} <= {each.account_id for each in found}
    assert (row.whole, row.some < 200) == (0, True)

    for hashed in (
        await country.hashed("administrator"),
        await country.hashed(*STAFF, provider="haven"),
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with country.parts.database.transaction(hashed) as tx:
                await review_rows.count_acts(tx, since=tx.at, until=tx.at)
