"""Of workers that seal the same quarter at once, one does."""

import asyncio

import pytest

from app.database.transaction import Transaction
from app.shares.store import quarter_rows
from tests.country import Country
from tests.ledger_stays import newest, seal, stayed, totals

pytestmark = pytest.mark.race

AT_ONCE = 3


async def sealed_at_once(country: Country, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let workers seal a quarter that each has found not sealed before any says it will."""
    await stayed(country, newest().first)
    ready, claim = asyncio.Barrier(AT_ONCE), quarter_rows.claim_quarter

    async def together(tx: Transaction, quarter: str) -> bool:
        await ready.wait()
        return await claim(tx, quarter)

    monkeypatch.setattr(quarter_rows, "claim_quarter", together)
    return await asyncio.gather(*(seal(country) for _ in range(AT_ONCE)))


async def test_a_quarter_is_sealed_once_however_many_workers_do_it(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = await sealed_at_once(country, monkeypatch)
    assert sum(sealed) == 1
    assert len(await totals(country)) == 1


async def test_without_the_key_they_would_all_seal_it(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    await country.rows("ALTER TABLE quarter_figures DROP CONSTRAINT quarter_figures_pkey")
    await country.rows("ALTER TABLE quarter_totals DROP CONSTRAINT quarter_totals_pkey")
    await country.rows("ALTER TABLE quarter_totals DROP CONSTRAINT quarter_totals_index_key")
    sealed = await sealed_at_once(country, monkeypatch)
    assert len(await totals(country)) == sum(sealed) == AT_ONCE
