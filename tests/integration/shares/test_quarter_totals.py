"""Quarters are sealed once and without gaps, and book what became known of earlier ones."""

import datetime as dt

import pytest
from asyncpg import PostgresError
from sqlalchemy import text

from app.allocation.shares.fairness import contradictions
from app.allocation.shares.shares import NIGHT
from app.allocation.shares.totals import FIGURES
from app.database.transaction import WORKER
from app.ledger import ledger
from app.shares import quarter_totals
from app.shares.store import quarter_rows
from tests.country import FAR, HERE, THERE, Country
from tests.ledger_stays import corrected, newest, opening, seal, stayed, totals

ON_BOTH = True
DAY = dt.timedelta(days=1)
LAST = newest()


async def test_a_quarter_that_is_over_is_sealed_once_in_clear(country: Country) -> None:
    await stayed(country, LAST.first, LAST.first + 10 * DAY, lawful_regions=(FAR, THERE))
    assert await seal(country) == 1
    assert await seal(country) == 0
    [(leaf_type, index, said)] = await totals(country)
    assert (leaf_type, said["quarter"], said["leaves"]) == ("quarter_total", str(LAST), index)
    regions = said["regions"]
    assert len(regions) == await country.value("SELECT count(*) FROM regions")
    assert (regions[THERE]["given_safety"], regions[HERE]["received_safety"]) == (10, 10)
    assert regions[THERE]["quota"] + regions[FAR]["quota"] == 10 * NIGHT
    assert contradictions(said) == ()


async def test_without_a_stay_nothing_is_due_before_the_first_quarter_is_over(
    country: Country,
) -> None:
    assert await seal(country) == 0
    await stayed(country, LAST.after)
    assert await seal(country) == 0


async def test_after_a_long_standstill_every_quarter_is_sealed_also_the_quiet_ones(
    country: Country,
) -> None:
    first = newest(5)
    await stayed(country, first.first, first.first + 3 * DAY)
    await stayed(country, LAST.last)
    assert await seal(country) == 6
    said = [content for _, _, content in await totals(country)]
    assert [content["quarter"] for content in said] == [
        str(newest(before)) for before in (5, 4, 3, 2, 1, 0)
    ]
    given = [content["regions"][THERE]["given_safety"] for content in said]
    assert given == [3, 0, 0, 0, 0, 1]


async def test_an_arrival_in_a_quarter_before_the_first_one_seals_that_too(
    country: Country,
) -> None:
    await stayed(country, LAST.first, LAST.last)
    await stayed(country, newest(2).last, LAST.first)
    assert await seal(country) == 3


async def test_what_becomes_known_later_is_booked_in_the_next_quarter_and_nothing_is_sealed_anew(
    country: Country,
) -> None:
    before = newest(1)
    index = await stayed(country, before.first)
    assert await seal(country, on=LAST.last) == 1
    [(_, _, first)] = await totals(country)
    nights = (before.after - before.first).days
    assert first["regions"][THERE]["given_safety"] == nights

    ready = opening(before.first, ready_since=before.first + 5 * DAY)
    await corrected(country, index, ready, code="ready_to_leave")
    assert await seal(country, on=LAST.last) == 0
    assert await seal(country) == 1

    (_, _, same), (leaf_type, leaf, said) = await totals(country)
    assert same == first
    assert (leaf_type, said["quarter"]) == ("quarter_total", str(LAST))
    assert (said["late_from"], said["leaves"]) == (first["leaves"], leaf)
    figures = said["regions"][THERE]
    after_ready = (LAST.after - before.first).days - 5
    assert (figures["given_safety"], figures["given_after_ready"]) == (5 - nights, after_ready)
    assert figures["quota"] == (5 - nights) * NIGHT
    assert contradictions(said) == ()
    assert set(figures) == set(FIGURES)
    assert set(said) == {"quarter", "leaves", "late_from", "open_from", "regions"}
    versions = await country.rows("SELECT quarter, version FROM quarter_totals ORDER BY quarter")
    assert [tuple(row) for row in versions] == [(str(before), 1), (str(LAST), 1)]


async def test_a_fact_of_before_the_first_quarter_is_booked_and_gets_no_quarter_of_its_own(
    country: Country,
) -> None:
    await stayed(country, newest(1).last)
    assert await seal(country, on=LAST.last) == 1
    await stayed(country, newest(3).first, newest(3).first + 7 * DAY)
    assert await seal(country) == 1
    assert [said["quarter"] for _, _, said in await totals(country)] == [
        str(newest(1)),
        str(LAST),
    ]
    nights = (LAST.after - LAST.first).days
    assert (await totals(country))[1][2]["regions"][THERE]["given_safety"] == nights + 7


TWICE = "INSERT INTO quarter_totals (quarter, version) VALUES ('2020-Q1', 2)"
NEXT_LEAF = "UPDATE heads SET value = value + 1 WHERE name = 'ledger'"
ANEW = """INSERT INTO leaves (index, type, content)
SELECT value - 1, 'correction', 'x' FROM heads WHERE name = 'ledger'"""


@pytest.mark.parametrize("statements", [(TWICE,), (NEXT_LEAF, ANEW)])
async def test_the_database_lets_no_worker_seal_a_quarter_anew(
    country: Country, statements: tuple[str, ...]
) -> None:
    async with country.parts.database.transaction(actor=WORKER) as tx:
        *before, last = [text(statement) for statement in statements]
        for statement in before:
            await tx.run(statement)
        with pytest.raises(PostgresError, match="row-level security"):
            await tx.run(last)
        await tx.connection.execute("ROLLBACK")


async def test_a_crash_on_the_way_leaves_nothing_sealed_and_the_next_turn_seals_all(
    country: Country,
) -> None:
    await stayed(country, newest(1).first)
    leaves = await country.value("SELECT value FROM heads WHERE name = 'ledger'")
    async with country.parts.database.transaction(actor=WORKER) as tx:
        assert await quarter_totals.seal_quarters(tx) == 2
        await tx.connection.execute("ROLLBACK")
    assert await country.value("SELECT count(*) FROM quarter_totals") == 0
    assert await country.value("SELECT value FROM heads WHERE name = 'ledger'") == leaves
    assert await seal(country) == 2


async def test_nobody_but_the_worker_seals(country: Country) -> None:
    hashed = await country.hashed("auditor", region=HERE)
    with pytest.raises(PostgresError, match="row-level security"):
        async with country.parts.database.transaction(hashed) as tx:
            await quarter_rows.claim_quarter(tx, str(LAST))


async def test_a_weight_that_changes_within_a_quarter_counts_from_its_day(country: Country) -> None:
    day = LAST.first + 4 * DAY
    versions = [
        {"region": code, "valid_from": day, "weight": 1, "source": "a council"}
        for code in (FAR, THERE)
    ]
    async with country.owner.transaction() as tx:
        await ledger.record_weights(tx, versions)
        weights = (await tx.snapshots.reference(tx)).weights
    await stayed(country, LAST.first, LAST.first + 10 * DAY, lawful_regions=(FAR, THERE))
    await seal(country)
    quota = (await totals(country))[0][2]["regions"][FAR]["quota"]
    old = 4 * NIGHT * weights[FAR] // (weights[FAR] + weights[THERE])
    assert abs(quota - (old + 6 * NIGHT // 2)) <= 10
