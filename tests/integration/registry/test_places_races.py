"""Races about places: each is first shown to be lost without its guard."""

import asyncio
import secrets
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.database.transaction import Transaction
from app.errors import Conflict
from app.registry import places
from app.registry.store import place_rows
from app.registry.store.place_rows import PlaceRow, PlaceState
from tests.country import Client, Country, place_body, referral_body, shelter

ON_BOTH = True

pytestmark = pytest.mark.race

ROUNDS = 8


async def offer(country: Country) -> tuple[Client, dict[str, Any]]:
    """Return an intake worker, and the body of a hold on the first offer."""
    intake = await country.client("intake_worker", provider="haven")
    referral = await intake.post("/referrals", referral_body())
    ranking = await intake.post(f"/referrals/{referral['id']}/rankings")
    body = {
        "referralId": referral["id"],
        "rankingId": ranking["id"],
        "offerId": ranking["offers"][0]["offerId"],
    }
    return intake, body


async def occupy_between(country: Country, place_id: str) -> None:
    """Read a place as free, let it be held meanwhile, and then declare it occupied."""
    linde = await country.provider("linde")
    intake, body = await offer(country)
    async with country.parts.database.transaction(
        await country.hashed("coordinator", provider="linde")
    ) as tx:
        place = await place_rows.read(tx, UUID(place_id), provider_id=linde)
        assert place is not None
        assert place.state.status == "free"
        await intake.post("/holds", body, key=secrets.token_hex(8))
        if not await place_rows.declare(tx, place.id, state=PlaceState("occupied")):
            raise Conflict("claimed", "It was held meanwhile.")


async def test_a_place_that_was_held_meanwhile_is_not_declared_occupied(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = await shelter(country, places=2)
    with pytest.raises(Conflict):
        await occupy_between(country, there.place_ids[0])
    held = await country.value(
        "SELECT count(*) FROM claims WHERE kind = 'hold' AND claimed_until > clock_timestamp()"
    )
    assert held == 1

    unguarded = str(place_rows._OCCUPY).partition("AND (kind IS NULL")[0]
    monkeypatch.setattr(
        place_rows,
        "_OCCUPY",
        place_rows.text(unguarded).bindparams(*place_rows._OCCUPY._bindparams.values()),
    )
    await country.rows(
        "UPDATE claims SET kind = 'occupied', hold_id = NULL, claimed_until = 'infinity'"
    )
    await there.coordinator.post("/places", place_body(there.site_id))
    await occupy_between(country, (await there.coordinator.get("/places"))["items"][-1]["id"])
    live = (
        "SELECT count(*) FROM holds h JOIN claims c ON c.place_id = h.place_id"
        " WHERE h.resolved_at IS NULL"
    )
    assert await country.value(f"{live} AND c.kind = 'occupied'") > 0


async def test_of_a_hold_and_a_declaration_at_once_exactly_one_has_the_place(
    country: Country,
) -> None:
    there = await shelter(country)
    path = f"/places/{there.place_ids[0]}"
    for _ in range(ROUNDS):
        intake, body = await offer(country)
        held, declared = await asyncio.gather(
            intake.ask("POST", "/holds", json=body, key=secrets.token_hex(8)),
            there.coordinator.ask("PATCH", path, json={"status": "occupied"}),
        )
        assert sorted([held.status_code == 201, declared.status_code == 200]) == [False, True]
        assert {held.status_code, declared.status_code} & {409}
        if held.status_code == 201:
            await intake.ask("DELETE", f"/holds/{held.json()['id']}", expect=204)
        await there.coordinator.patch(path, {"status": "free"})


async def test_a_hold_is_never_on_a_place_that_has_just_become_another(country: Country) -> None:
    there = await shelter(country)
    path = f"/places/{there.place_ids[0]}"
    beds = 4
    for _ in range(ROUNDS):
        intake, body = await offer(country)
        held, moved = await asyncio.gather(
            intake.ask("POST", "/holds", json=body, key=secrets.token_hex(8)),
            there.coordinator.ask("PATCH", path, json={"bedSpaces": beds + 1}),
        )
        assert sorted([held.status_code == 201, moved.status_code == 200]) == [False, True]
        if held.status_code == 201:
            await intake.ask("DELETE", f"/holds/{held.json()['id']}", expect=204)
        else:
            beds += 1


async def miscounted(country: Country) -> int:
    """Count the groups whose number of places is wrong."""
    return await country.value(
        "SELECT count(*) FROM place_groups g"
        " WHERE g.places <> (SELECT count(*) FROM places p WHERE p.group_id = g.id)"
    )


async def test_numbers_of_a_group_are_right_whoever_adds_and_moves_at_once(
    country: Country,
) -> None:
    there = await shelter(country, places=4)
    await asyncio.gather(
        *(there.coordinator.post("/places", place_body(there.site_id)) for _ in range(4)),
        *(
            there.coordinator.patch(f"/places/{id_}", {"bedSpaces": 2})
            for id_ in there.place_ids[:2]
        ),
    )
    await asyncio.gather(
        *(
            there.coordinator.patch(f"/places/{id_}", {"bedSpaces": 4})
            for id_ in there.place_ids[:2]
        ),
        *(
            there.coordinator.patch(f"/places/{id_}", {"bedSpaces": 2})
            for id_ in there.place_ids[2:]
        ),
    )

    assert await miscounted(country) == 0
    beds = await country.rows("SELECT bed_spaces, places FROM place_groups ORDER BY bed_spaces")
    assert [tuple(row) for row in beds] == [(2, 2), (4, 6)]


async def two_changes(country: Country, place_id: str) -> PlaceRow:
    """Change the beds of a place while a change of its kind is about to be committed."""
    database = country.parts.database
    id_ = UUID(place_id)
    linde = await country.hashed("coordinator", provider="linde")

    async def change(tx: Transaction, **changes: str | int) -> PlaceRow:
        place = await places.read(tx, id_, lock=True)
        return (await places.change(tx, place, changes=changes, state=None)).row

    async def second() -> PlaceRow:
        async with database.transaction(linde) as tx:
            return await change(tx, bed_spaces=2)

    async with database.transaction(linde) as tx:
        await change(tx, kind="regular")
        waiting = asyncio.create_task(second())
        await blocked(country)
    return await waiting


async def blocked(country: Country) -> None:
    """Wait until a session waits for a lock in this database."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    while not await country.value(waiting):
        await asyncio.sleep(0)


async def test_two_changes_at_once_both_stay(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = await shelter(country, places=3)
    last = await two_changes(country, there.place_ids[0])
    assert (last.attributes.kind, last.attributes.bed_spaces) == ("regular", 2)
    assert await miscounted(country) == 0

    async def unlocked(*_: object, **__: object) -> None:
        return None

    monkeypatch.setattr(place_rows, "lock", unlocked)
    lost = await two_changes(country, there.place_ids[1])
    assert (lost.attributes.kind, lost.attributes.bed_spaces) == ("crisis", 2)
    assert await miscounted(country) > 0


async def test_of_two_who_give_one_label_at_once_one_is_refused(country: Country) -> None:
    there = await shelter(country, places=0)
    linde = there.coordinator

    async def add_twice(label: str) -> list[int]:
        asked = (
            linde.ask("POST", "/places", json=place_body(there.site_id, label=one))
            for one in (label, label.lower())
        )
        return sorted(one.status_code for one in await asyncio.gather(*asked))

    assert [await add_twice(f"{turn}B") for turn in range(ROUNDS)] == [[201, 409]] * ROUNDS
    assert await miscounted(country) == 0

    async with country.owner.transaction() as tx:
        await tx.run(text("ALTER TABLE place_secrets DROP CONSTRAINT place_secrets_label_hash_key"))
    assert await add_twice("X") == [201, 201]
