"""The stay book reads only what it needs of the ledger, by indexes, however old it is."""

import datetime as dt

import pytest
from sqlalchemy import text

from app.database.transaction import WORKER
from app.reference import load
from app.shares import fair_shares, quarter_totals
from app.shares.store import stay_rows
from tests.country import Country
from tests.ledger_stays import corrected, newest, opening, sealed_as_of, stayed
from tests.statements import noting

DAY = dt.timedelta(days=1)
LONG_AGO, LAST = newest(2), newest()
BOUNDS = {
    "leaves_pkey": "(index >= ",
    "leaves_placement_id_idx": "(placement_id = ",
    "leaves_in_clear_idx": "(type = ",
    "running_stays_pkey": "(leaves = ",
    "openings_pkey": "(index = l.index)",
}
"""The indexes of the ledger's tables, and the questions they answer."""


async def some_left_and_some_stay(country: Country) -> dict[str, int]:
    """Seal a quarter that one household stays through, and let another arrive.

    Return the leaves of all arrivals.
    """
    came = LONG_AGO.first
    arrivals = {
        "left": await stayed(country, came, came + DAY),
        "left, corrected": await stayed(country, came, came + DAY),
        "never came": await stayed(country, came),
        "stays": await stayed(country, came),
    }
    await corrected(country, arrivals["never came"], opening(came), code="not_arrived")
    await sealed_as_of(country, LONG_AGO.after + 15 * DAY)
    await corrected(
        country, arrivals["left, corrected"], opening(came + DAY), code="arrived_other_day"
    )
    return arrivals | {"came since": await stayed(country, LAST.first)}


async def test_who_had_left_when_totals_were_made_is_read_again_only_if_something_was_said_since(
    country: Country,
) -> None:
    arrivals = await some_left_and_some_stay(country)
    async with country.parts.database.transaction(actor=WORKER) as tx:
        since = await stay_rows.leaves_at_last_note(tx, before=load().country.midnight(LAST.first))
        rows = await stay_rows.openings(tx, after=-1, below=10**9, since=since, most=1000)
    read = {index for index, _ in rows}
    assert [who for who, arrival in arrivals.items() if arrival in read] == [
        "left, corrected",
        "stays",
        "came since",
    ]


@pytest.mark.fresh
async def test_indexes_lead_to_what_is_read_of_the_ledger(country: Country) -> None:
    await stayed(country, LONG_AGO.first)
    for quarter in (LONG_AGO, LONG_AGO.next):
        await sealed_as_of(country, quarter.after + 15 * DAY)
    await stayed(country, LAST.last)
    with noting(country) as asked:
        async with country.parts.database.transaction(actor=WORKER) as tx:
            assert await fair_shares.show_balances(tx)
            assert await quarter_totals.seal_quarters(tx)
    plans: list[str] = []
    async with country.parts.database.transaction(actor=WORKER) as tx:
        # The tables hold so little that reading all of it would be quicker.
        await tx.run(text("SET LOCAL enable_seqscan = off"))
        await tx.run(text("SET LOCAL enable_bitmapscan = off"))
        for one in asked:
            if "leaves" in one.statement:
                rows = await tx.connection.fetch(
                    f"EXPLAIN (GENERIC_PLAN) {one.statement}", *one.values
                )
                plans.append("\n".join(row[0] for row in rows))
    scans = [scan for plan in plans for scan in plan.split("->")]
    for index, bound in BOUNDS.items():
        assert any(index in scan and bound in scan.partition("Index Cond:")[2] for scan in scans), (
            index,
            plans,
        )
