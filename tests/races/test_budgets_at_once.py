"""Budgets that many spend at once: the database sums; each guard is needed."""

import asyncio
import secrets
from collections import Counter
from typing import Any

import pytest

from tests.country import Client, Country, referral_body, shelter

REFERRALS, HOLDS = 30, 8
"""The policy's budgets."""
LEFT = 5
"""Referrals that may still be registered."""
UNLOCKED = "pg_sleep(0.3)"
"""What stands for a lock with the guard off: time for everybody to have counted."""

pytestmark = pytest.mark.race


async def unlock(country: Country, function: str) -> None:
    """Take the lock out of a function of the database."""
    source = await country.value(f"SELECT pg_get_functiondef('{function}'::regproc)")
    before, _, rest = source.partition("pg_advisory_xact_lock(hashtextextended(")
    _, _, after = rest.partition(", 0))")
    await country.rows(f"{before}{UNLOCKED}{after}".replace(":", r"\:"))


async def registered_at_once(country: Country) -> Counter[int]:
    """Register, all at once, one referral more than are left; return the statuses."""
    intake = await country.client("intake_worker", provider="haven")
    await country.limit_budgets()
    await country.rows(
        "INSERT INTO budget_uses (account_id, kind)"
        " SELECT a.id, 'referrals' FROM accounts AS a, generate_series(1, :used) RETURNING id",
        used=REFERRALS - LEFT,
    )
    asked = (intake.ask("POST", "/referrals", json=referral_body()) for _ in range(LEFT + 1))
    return Counter(answer.status_code for answer in await asyncio.gather(*asked))


async def test_of_one_referral_too_many_one_is_refused(country: Country) -> None:
    assert await registered_at_once(country) == {201: LEFT, 429: 1}


@pytest.mark.fresh
async def test_without_their_lock_referrals_slip_by(country: Country) -> None:
    await unlock(country, "spend_budget")

    assert await registered_at_once(country) == {201: LEFT + 1}


async def wishes(country: Country, number: int) -> tuple[Client, list[dict[str, Any]]]:
    """Return an intake worker, and a wish for a place of another provider for each referral."""
    await shelter(country, "linde", places=number)
    intake = await country.client("intake_worker", provider="haven")

    async def ready() -> dict[str, Any]:
        referral = await intake.post("/referrals", referral_body())
        ranking = await intake.post(f"/referrals/{referral['id']}/rankings")
        offer = ranking["offers"][0]["offerId"]
        return {"referralId": referral["id"], "rankingId": ranking["id"], "offerId": offer}

    made = [await ready() for _ in range(number)]
    await country.limit_budgets()
    return intake, made


async def held_at_once(country: Country) -> Counter[int]:
    """Hold more places than there may be held, all at once; return the statuses."""
    intake, made = await wishes(country, HOLDS + 4)
    asked = (intake.ask("POST", "/holds", key=secrets.token_hex(8), json=wish) for wish in made)
    return Counter(answer.status_code for answer in await asyncio.gather(*asked))


async def test_of_all_holds_at_once_only_the_budget_is_taken(country: Country) -> None:
    assert await held_at_once(country) == {201: HOLDS, 409: 4}


@pytest.mark.fresh
async def test_without_their_lock_holds_slip_by(country: Country) -> None:
    await unlock(country, "spend_hold")

    assert (await held_at_once(country))[201] > HOLDS
