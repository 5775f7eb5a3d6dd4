"""Vacancies: desks hear that one is lawful for a household and its rank, owners a number."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from app import worker
from app.database.transaction import WORKER
from app.ranking import vacancies
from app.seal import Keyring, new_key
from tests.casework import Desk, day_from_now, desk, end_zones, fresh, lapse
from tests.country import FAR, Client, Country, place_body, referral_body, shelter

ON_BOTH = True


async def counted(country: Country, *, keys: Keyring | None = None) -> int:
    """Let the worker look for chances until none is left.

    Return the number of turns.
    """
    for turn in range(50):
        async with country.parts.database.transaction(actor=WORKER) as tx:
            if (
                await worker.look_for_chances(replace(tx, keys=keys or tx.keys))
                == worker.VACANCIES_S
            ):
                return turn
    raise AssertionError


async def full(country: Country, where: Desk) -> str:
    """Let a household that came without Plek have the only place; return its id."""
    (place_id,) = where.there.place_ids
    await where.receiver.patch(f"/places/{place_id}", {"status": "occupied"})
    await counted(country)
    return place_id


async def told(country: Country, subject: str) -> list[set[UUID]]:
    """Return who was told of something that came free."""
    rows = await country.rows(
        "SELECT audience FROM outbox WHERE kind = 'waiting' AND subject = :id", id=subject
    )
    return [set(row.audience) for row in rows]


async def item(client: Client, referral_id: str) -> dict[str, Any]:
    """Return a referral as the waiting list has it."""
    items = (await client.get("/waiting-list"))["items"]
    return next(one for one in items if one["referralId"] == referral_id)


async def newest(where: Desk) -> dict[str, Any]:
    """Return what came free last at the shelter."""
    return (await where.receiver.get("/vacancies"))["items"][0]


async def test_who_waits_is_told_what_came_free_and_how_it_ranks_and_may_hold_it(
    country: Country,
) -> None:
    where = await desk(country, kind="crisis")
    place_id = await full(country, where)
    waiting = await where.intake.post("/referrals", referral_body())
    elsewhere = await country.client("intake_worker", provider="eik")
    other = await elsewhere.post("/referrals", referral_body(urgency="urgent"))
    near = await elsewhere.post(
        "/referrals", referral_body(dangerZones=[{"municipality": "GM0193", "radiusKm": 5}])
    )
    before = await newest(where)

    await where.receiver.patch(f"/places/{place_id}", {"status": "free"})
    assert (await newest(where))["lawfulFor"] is None
    await counted(country)

    vacancy = await newest(where)
    assert vacancy["id"] != before["id"]
    assert vacancy == {
        "id": vacancy["id"],
        "siteId": where.there.site_id,
        "placeId": place_id,
        "kind": "crisis",
        "freedAt": vacancy["freedAt"],
        "lawfulFor": "1-4",
    }
    assert await told(country, waiting["id"]) == [{country.providers["haven"]}]
    assert await told(country, other["id"]) == [{country.providers["eik"]}]
    assert await told(country, near["id"]) == []
    assert await told(country, vacancy["id"]) == [{country.providers["linde"]}]
    chance = (await item(where.intake, waiting["id"]))["lastChance"]
    assert chance["rank"] == 1
    assert (await item(elsewhere, near["id"]))["lastChance"] is None
    assert await country.value("SELECT count(*) FROM holds") == 0  # nobody is placed by a machine
    assert await country.value("SELECT count(*) FROM rankings") == 2
    await replayed_and_held(where, chance["rankingId"], waiting["id"])


async def replayed_and_held(where: Desk, ranking_id: str, referral_id: str) -> None:
    """Replay a ranking made because of a vacancy, and hold its first offer."""
    ranking = await where.intake.get(f"/rankings/{ranking_id}")
    assert (await where.intake.post(f"/rankings/{ranking_id}/replays", expect=200))["identical"]
    wish = {
        "referralId": referral_id,
        "rankingId": ranking_id,
        "offerId": ranking["offers"][0]["offerId"],
    }
    held = await where.intake.post("/holds", wish, key=fresh())
    assert held["status"] == "pending"


async def test_refusing_an_offer_lowers_nobody_on_the_list_and_they_are_not_told_of_what_they_left(
    country: Country,
) -> None:
    where = await desk(country)
    first = await where.intake.post("/referrals", referral_body())
    second = await where.intake.post("/referrals", referral_body())
    await counted(country)
    order = [first["id"], second["id"]]

    for reason in ("client_refused_too_far", "client_refused_other"):
        ranking = await where.intake.post(f"/referrals/{first['id']}/rankings")
        wish = {
            "referralId": first["id"],
            "rankingId": ranking["id"],
            "offerId": ranking["offers"][0]["offerId"],
        }
        hold = await where.intake.post("/holds", wish, key=fresh())
        assert [one["position"] for one in (await where.intake.get("/waiting-list"))["items"]] == [
            1
        ]  # held: not waiting
        await where.intake.post(f"/holds/{hold['id']}/release", {"reason": reason}, expect=200)
        await counted(country)
        items = (await where.intake.get("/waiting-list"))["items"]
        assert [(one["referralId"], one["position"]) for one in items] == list(
            zip(order, (1, 2), strict=True)
        )
        assert items[0]["waitingSince"] == first["createdAt"]

    assert (
        len(await told(country, second["id"])) == 3
    )  # a new place, and the one that was left twice
    assert len(await told(country, first["id"])) == 1
    assert (await newest(where))["lawfulFor"] == "1-4"


async def test_every_way_of_coming_free_is_noted(country: Country) -> None:
    where = await desk(country)
    (place_id,) = where.there.place_ids
    site = f"/sites/{where.there.site_id}"
    noted = "SELECT count(*) FROM vacancies"
    assert await country.value(noted) == 1  # the new place
    steps: list[int] = []

    async def grown() -> None:
        steps.append(await country.value(noted))

    hold = await where.hold()
    await grown()
    await lapse(country, hold["id"])
    async with country.parts.database.transaction(actor=WORKER) as tx:
        await worker.sweep(tx)
    await grown()
    placement = await where.arrived()
    await where.receiver.post(
        f"/placements/{placement['id']}/departure", {"destination": "own_home"}, expect=200
    )
    await grown()
    await where.receiver.patch(f"/places/{place_id}", {"bedSpaces": 5})
    await grown()
    await where.receiver.patch(site, {"admission": "paused"})
    await grown()
    await where.receiver.patch(site, {"admission": "open"})
    await grown()
    for alarm in ("threat", None):
        await where.receiver.patch(site, {"compromised": alarm})
        await grown()
    await where.receiver.post("/places", place_body(where.there.site_id, kind="regular"))
    await grown()

    assert steps == [1, 2, 3, 4, 4, 5, 5, 6, 7]
    first, reopened = (await where.receiver.get("/vacancies"))["items"][:2]
    assert (first["kind"], reopened["placeId"]) == ("regular", None)


async def test_a_long_list_is_gone_through_a_few_at_a_time_once_for_all_that_came_free(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vacancies, "RANKED_AT_ONCE", 2)
    intake = await country.client("intake_worker", provider="haven")
    ids = [(await intake.post("/referrals", referral_body()))["id"] for _ in range(5)]
    where = Desk(intake, await shelter(country, places=3))
    await shelter(country, "eik", site={"municipality": FAR}, kind="regular")

    async with country.parts.database.transaction(actor=WORKER) as tx:
        assert await vacancies.rank_next_waiting(tx)
    assert await country.value("SELECT count(*) FROM rankings") == 2
    assert (await newest(where))["lawfulFor"] is None
    late = await where.receiver.post("/places", place_body(where.there.site_id, kind="emergency"))
    turns = await counted(country)

    assert turns >= 4  # two more for the rest, three for what came free meanwhile
    assert await country.value("SELECT count(*) FROM rankings") == 10
    numbers = [one["lawfulFor"] for one in (await where.receiver.get("/vacancies"))["items"]]
    assert numbers == ["5-19"] * 4
    assert {len(await told(country, id_)) for id_ in ids} == {2}
    assert late["status"] == "free"


async def test_what_cannot_be_opened_or_is_erased_keeps_nobody_waiting(country: Country) -> None:
    where = await desk(country)
    await where.intake.post("/referrals", referral_body())
    await counted(country, keys=Keyring.parse(new_key()))
    assert (await newest(where))["lawfulFor"] == "0"
    await country.rows("DELETE FROM referral_secrets")
    await where.receiver.post("/places", place_body(where.there.site_id))
    await counted(country)
    assert (await newest(where))["lawfulFor"] == "0"


async def test_what_the_worker_ranks_counts_for_no_limit_and_no_review(country: Country) -> None:
    where = await desk(country)
    referral = await where.intake.post("/referrals", referral_body())
    await counted(country)
    await country.rows("INSERT INTO rankings SELECT gen_random_uuid(), referral_id, provider_id,"
                       " referral_version, register_version, as_of, policy_hash, register_hash,"
                       " rules_version, digest, sealed,"
                       " came_free_rank FROM rankings, generate_series(1, 40)")  # fmt: skip
    await where.intake.post(f"/referrals/{referral['id']}/rankings")
    # The review counts what accounts did, as the access log has it: the worker has none.
    assert await country.value("SELECT count(*) FROM access_log WHERE action = 'rank'") == 1


async def test_whose_danger_zone_has_ended_is_ranked_anew_once_and_told(country: Country) -> None:
    where = await desk(country)
    near = [{"municipality": "GM0193", "radiusKm": 5, "cause": "work", "until": day_from_now(0)}]
    waiting = await where.intake.post("/referrals", referral_body(dangerZones=near))
    await counted(country)
    path = f"/referrals/{waiting['id']}/rankings"
    assert (await where.intake.post(path))["offers"] == []

    async def looked() -> int:
        async with country.parts.database.transaction(actor=WORKER) as tx:
            assert await worker.look_where_zones_ended(tx) == worker.ZONES_S
        return len(await told(country, waiting["id"]))

    assert await looked() == 0
    await country.rows("UPDATE rankings SET as_of = as_of - interval '3 days' RETURNING id")
    assert await looked() == 0  # its last day is today
    await end_zones(country, waiting["id"])
    assert [await looked(), await looked()] == [1, 1]
    assert (await item(where.intake, waiting["id"]))["lastChance"]["rank"] == 1
