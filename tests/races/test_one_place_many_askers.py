"""Races for places with many clients; each guard is first seen to be needed."""

import asyncio
import secrets
from collections import Counter
from typing import Any

import pytest

from tests.country import Client, Country, place_body, referral_body, shelter
from tests.rounds import rounds
from tests.unguarded import weaken

CLIENTS = 64
ROUNDS = rounds(12, soak=200)

pytestmark = pytest.mark.race


async def askers(country: Country, number: int) -> tuple[Client, list[dict[str, Any]]]:
    """Return an intake desk and its wishes for the first offer.

    One referral and ranking each.
    """
    intake = await country.client("intake_worker", provider="haven")

    async def ready() -> dict[str, Any]:
        referral = await intake.post("/referrals", referral_body())
        ranking = await intake.post(f"/referrals/{referral['id']}/rankings")
        offer = ranking["offers"][0]["offerId"]
        return {"referralId": referral["id"], "rankingId": ranking["id"], "offerId": offer}

    return intake, [await ready() for _ in range(number)]


async def all_at_once(
    intake: Client, wishes: list[dict[str, Any]]
) -> tuple[Counter[int], list[str]]:
    """Ask for all of them at once; return the statuses and the ids of the holds."""
    answers = await asyncio.gather(
        *(intake.ask("POST", "/holds", key=secrets.token_hex(8), json=wish) for wish in wishes)
    )
    given = [answer.json()["id"] for answer in answers if answer.status_code == 201]
    return Counter(answer.status_code for answer in answers), given


async def test_the_last_place_is_held_once_however_many_ask(country: Country) -> None:
    await shelter(country, places=1)
    intake, wishes = await askers(country, CLIENTS)
    for _ in range(ROUNDS):
        statuses, given = await all_at_once(intake, wishes)
        assert statuses == {201: 1, 409: CLIENTS - 1}
        await intake.ask("DELETE", f"/holds/{given[0]}", expect=204)


@pytest.mark.parametrize("places, clients", [(5, 24), (24, 5), (12, 12)])
async def test_as_many_holds_as_there_are_places_or_askers(
    country: Country, places: int, clients: int
) -> None:
    await shelter(country, places=places)
    intake, wishes = await askers(country, clients)
    for _ in range(8):
        statuses, given = await all_at_once(intake, wishes)
        assert statuses[201] == min(places, clients)
        assert statuses[409] == clients - min(places, clients)
        claimed = await country.rows("SELECT place_id FROM claims WHERE kind = 'hold'")
        assert len(claimed) == len(given)
        for id_ in given:
            await intake.ask("DELETE", f"/holds/{id_}", expect=204)


@pytest.mark.parametrize("groups, clients", [(3, 4), (6, 8), (6, 4)])
async def test_as_many_hold_one_folded_offer_as_there_are_places_behind_it(
    country: Country, groups: int, clients: int
) -> None:
    there = await shelter(country, places=1, bedSpaces=2)
    for beds in range(3, groups + 2):
        await there.coordinator.post("/places", place_body(there.site_id, bedSpaces=beds))
    intake, wishes = await askers(country, clients)
    for _ in range(4):
        statuses, given = await all_at_once(intake, wishes)
        assert statuses[201] == min(groups, clients)
        assert statuses[409] == clients - min(groups, clients)
        claimed = await country.rows("SELECT group_id FROM claims WHERE kind = 'hold'")
        assert len({row.group_id for row in claimed}) == len(claimed) == len(given)
        for id_ in given:
            await intake.ask("DELETE", f"/holds/{id_}", expect=204)


async def test_without_its_guards_the_last_place_is_held_more_than_once(country: Country) -> None:
    """The claim: the first test fails without the lock, the guard and the constraint."""
    await shelter(country, places=1)
    intake, wishes = await askers(country, 16)
    await country.rows("DROP INDEX holds_live_place_key")
    await country.rows("ALTER TABLE claims DROP CONSTRAINT claims_hold_id_key")
    await weaken(
        country,
        "take_hold",
        (" AND c.claimed_until <= moment\n                ORDER", "\n                ORDER"),
        ("LIMIT 1 FOR UPDATE SKIP LOCKED", "LIMIT 1"),
    )
    statuses, _ = await all_at_once(intake, wishes)
    assert statuses[201] > 1
