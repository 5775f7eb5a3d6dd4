"""Quarters are sealed once and without gaps.

Later facts seal them again with the next.
"""

import datetime as dt

import pytest
from asyncpg import PostgresError
from sqlalchemy import text

from app.allocation.shares.fairness import contradictions
from app.allocation.shares.totals import NIGHT
from app.database.transaction import WORKER
from app.ledger import ledger
from app.shares import quarter_totals
from app.shares.quarter_totals import SealedCounts
from app.shares.store import quarter_rows
from tests.country import FAR, HERE, THERE, Country
from tests.ledger_stays import corrected, newest, opening, seal, stayed, totals

ON_BOTH = True
DAY = dt.timedelta(days=1)
LAST = newest()


async def test_a_quarter_that_is_over_is_sealed_once_in_clear(country: Country) -> None:
    await stayed(country, LAST.first, LAST.first + 10 * DAY, lawful_regions=(FAR, THERE))
    assert await seal(country) == SealedCounts(first=1)
    assert await seal(country) == SealedCounts()
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
    assert await seal(country) == SealedCounts()
    await stayed(country, LAST.after)
    assert await seal(country) == SealedCounts()


async def test_after_a_long_standstill_every_quarter_is_sealed_also_the_quiet_ones(
    country: Country,
) -> None:
    first = newest(5)
    await stayed(country, first.first, first.first + 3 * DAY)
    await stayed(country, LAST.last)
    assert await seal(country) == SealedCounts(first=6)
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
    assert await seal(country) == SealedCounts(first=3)


async def test_what_becomes_known_later_waits_for_the_next_quarter_and_corrects_the_old_total(
    country: Country,
) -> None:
    before = newest(1)
    index = await stayed(country, before.first)
    in_between = LAST.last
    assert await seal(country, on=in_between) == SealedCounts(first=1)
    [(_, first, said)] = await totals(country)
    nights = (before.after - before.first).days
    assert said["regions"][THERE]["given_safety"] == nights

    ready = opening(before.first, ready_since=before.first + 5 * DAY)
    await corrected(country, index, ready, code="ready_to_leave")
    assert await seal(country, on=in_between) == SealedCounts()
    assert await seal(country) == SealedCounts(first=1, anew=1)

    corrections = [
        content for leaf_type, _, content in await totals(country) if leaf_type == "correction"
    ]
    cited = [
        (one["quarter"], one["corrects"], one["code"], one["by"]["role"]) for one in corrections
    ]
    assert cited == [(str(before), first, "later_facts", "worker")]
    figures = corrections[0]["regions"][THERE]
    assert (figures["given_safety"], figures["given_after_ready"]) == (5, nights - 5)
    assert (
        await country.value(
            "SELECT max(version) FROM quarter_totals WHERE quarter = :q", q=str(before)
        )
        == 2
    )


async def test_a_crash_on_the_way_leaves_nothing_sealed_and_the_next_turn_seals_all(
    country: Country,
) -> None:
    await stayed(country, newest(1).first)
    leaves = await country.value("SELECT value FROM heads WHERE name = 'ledger'")
    async with country.parts.database.transaction(actor=WORKER) as tx:
        assert await quarter_totals.seal_quarters(tx) == SealedCounts(first=2)
        await tx.connection.execute("ROLLBACK")
    assert await country.value("SELECT count(*) FROM quarter_totals") == 0
    assert await country.value("SELECT value FROM heads WHERE name = 'ledger'") == leaves
    assert await seal(country) == SealedCounts(first=2)


async def test_exact_pairs_are_for_the_two_regions_alone(country: Country) -> None:
    await stayed(country, LAST.first, LAST.first + 4 * DAY)
    await seal(country)
    seen = {}
    for region in (HERE, THERE, FAR):
        hashed = await country.hashed("auditor", region=region)
        async with country.parts.database.transaction(hashed) as tx:
            seen[region] = len(await tx.rows(text("SELECT nights FROM pair_nights")))
    assert seen == {HERE: 1, THERE: 1, FAR: 0}
    hashed = await country.hashed("administrator")
    async with country.parts.database.transaction(hashed) as tx:
        assert await tx.rows(text("SELECT nights FROM pair_nights")) == []


async def test_nobody_but_the_worker_seals(country: Country) -> None:
    hashed = await country.hashed("auditor", region=HERE)
    with pytest.raises(PostgresError, match="row-level security"):
        async with country.parts.database.transaction(hashed) as tx:
            await quarter_rows.claim_version(tx, str(LAST), version=1)


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
