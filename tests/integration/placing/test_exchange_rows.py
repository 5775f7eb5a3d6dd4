"""Rows that a swap may read beyond the caller's.

Of households that agreed or are in one.
"""

from sqlalchemy import text

from app.placing.store.swap_candidates import EXCHANGE
from tests.api.calls import world
from tests.country import Country, referral_body

ON_BOTH = True

OTHERS = ("site_secrets", "place_secrets", "shields", "answers", "access_log", "outbox")


async def seen(country: Country, table: str) -> int:
    """Return how many rows of a table the exchange sees."""
    async with country.parts.database.transaction(actor=EXCHANGE) as tx:
        return len(await tx.rows(text(f"SELECT 1 FROM {table}")))  # noqa: S608 - a name from this module


async def test_the_exchange_opens_the_secrets_of_those_who_agreed_or_are_in_a_swap(
    country: Country,
) -> None:
    await world(country)  # one household agreed, and one waits in a swap
    waiting = await country.client("intake_worker", provider="haven")
    await waiting.post("/referrals", referral_body())
    assert await country.value("SELECT count(*) FROM referral_secrets") == 3
    assert await seen(country, "referral_secrets") == 2
    await country.rows("UPDATE swap_legs SET live = false, outcome = 'void'")
    assert await seen(country, "referral_secrets") == 1
    await country.rows("UPDATE move_agreements SET lapses_at = clock_timestamp()")
    assert [await seen(country, table) for table in ("referral_secrets", *OTHERS)] == [0] * 7
