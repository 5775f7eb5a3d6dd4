"""Races for a provider's last trajectory; the guard is first seen to be needed."""

import asyncio
from collections import Counter

import pytest

from tests.country import Client, Country, referral_body

CLIENTS = 16
ROUNDS = 10
LIVE = "SELECT count(*) FROM alternatives WHERE ended_at IS NULL"

pytestmark = pytest.mark.race


async def askers(country: Country, number: int, *, capacity: int) -> tuple[Client, list[str]]:
    """Let linde publish a capacity.

    Return an intake desk, and the paths that may use it.
    """
    linde = await country.client("coordinator", provider="linde")
    await linde.ask("PUT", "/ambulatory-capacity", json={"capacity": capacity}, expect=200)
    intake = await country.client("intake_worker", provider="haven")
    ids = [(await intake.post("/referrals", referral_body()))["id"] for _ in range(number)]
    return intake, [f"/referrals/{id_}/alternatives" for id_ in ids]


async def all_at_once(country: Country, intake: Client, paths: list[str]) -> Counter[int]:
    """Ask for all of them at once; return the statuses."""
    body = {"kind": "ambulatory", "responsibleProviderId": str(country.providers["linde"])}
    answers = await asyncio.gather(*(intake.ask("POST", path, json=body) for path in paths))
    return Counter(answer.status_code for answer in answers)


async def given_back(country: Country) -> None:
    """End them all."""
    await country.rows("UPDATE alternatives SET ended_at = clock_timestamp(), end_reason = 'left'")


async def test_as_many_as_there_are_are_given_however_many_ask(country: Country) -> None:
    intake, paths = await askers(country, CLIENTS, capacity=1)
    linde = await country.client("coordinator", provider="linde")
    for capacity in (1, 1, 3):
        await linde.ask("PUT", "/ambulatory-capacity", json={"capacity": capacity}, expect=200)
        assert await all_at_once(country, intake, paths) == {201: capacity, 409: CLIENTS - capacity}
        assert await country.value(LIVE) == capacity
        await given_back(country)


async def test_without_the_lock_the_last_one_is_given_more_than_once(country: Country) -> None:
    """The claim: the first test fails if those who ask count without waiting for each other."""
    intake, paths = await askers(country, CLIENTS, capacity=1)
    guarded = await country.value("SELECT pg_get_functiondef('take_trajectory'::regproc)")
    unguarded = guarded.replace(" FOR UPDATE", "")
    assert unguarded != guarded
    await country.rows(unguarded)

    for _ in range(ROUNDS):
        if (await all_at_once(country, intake, paths))[201] > 1:
            break
        await given_back(country)

    assert await country.value(LIVE) > 1


async def test_a_referral_has_one_alternative_however_often_it_is_asked_for(
    country: Country,
) -> None:
    intake, (path, *_) = await askers(country, 1, capacity=CLIENTS)
    assert await all_at_once(country, intake, [path] * CLIENTS) == {201: 1, 409: CLIENTS - 1}
