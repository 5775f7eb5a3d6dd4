"""Stays of long ago, written into the ledger as if they had been.

And the worker that seals their quarters.
"""

import datetime as dt
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from app.allocation.ledger.openings import Correction, OpeningContent
from app.allocation.shares.quarters import Quarter, last_closed_quarter
from app.database.transaction import WORKER
from app.ledger import ledger
from app.reference import load
from app.shares import quarter_totals
from app.shares.store.quarter_rows import content_of_leaf
from tests.country import HERE, THERE, Country

GRACE_DAYS = 14
"""As the demo's policy has it."""


def local_today() -> dt.date:
    """Return the day that it is where the country's clocks are."""
    return load().country.day_of(dt.datetime.now(dt.UTC))


def day_of(moment: str) -> str:
    """Return the day that a moment, as the API writes it, has where the country's clocks are."""
    return load().country.day_of(dt.datetime.fromisoformat(moment)).isoformat()


def newest(before: int = 0) -> Quarter:
    """Return the newest quarter that can be sealed today, or one of those before it."""
    quarter = last_closed_quarter(local_today(), days=GRACE_DAYS)
    for _ in range(before):
        quarter = last_closed_quarter(quarter.first, days=0)
    return quarter


async def write(
    country: Country, opening: OpeningContent, *, placement_id: UUID | None = None
) -> int:
    """Write the leaf of an opening, as the operator."""
    async with country.owner.transaction() as tx:
        return await ledger._append(tx, placement_id or uuid4(), opening)


def opening(came: dt.date, **changes: Any) -> OpeningContent:
    """Return the opening of a woman with a child, who fled from Den Haag to Zwolle."""
    arrival = OpeningContent(
        "arrival", HERE, THERE, "crisis", came, "safety", "2", (THERE,), "sha256:0", None
    )
    return replace(arrival, **changes)


async def stayed(
    country: Country, came: dt.date, left: dt.date | None = None, **changes: Any
) -> int:
    """Let a household have come one day, and have left another.

    Return its arrival's leaf.
    """
    placement_id, arrival = uuid4(), opening(came, **changes)
    index = await write(country, arrival, placement_id=placement_id)
    if left is not None:
        end = replace(arrival, type="departure", arrival=index, date=left)
        await write(country, end, placement_id=placement_id)
    return index


async def corrected(country: Country, arrival: int, instead: OpeningContent, *, code: str) -> int:
    """Let a coordinator correct what the leaf of an arrival says."""
    by = Correction(arrival, "coordinator", instead.receiving, code)
    stay = await country.value(
        "SELECT placement_id FROM leaves WHERE index = :arrival", arrival=arrival
    )
    return await write(
        country,
        replace(instead, type="correction", arrival=arrival, correction=by),
        placement_id=stay,
    )


async def seal(country: Country, *, on: dt.date | None = None) -> int:
    """Do what the worker does every few minutes, today or as if it were another day."""
    async with country.parts.database.transaction(actor=WORKER) as tx:
        then = tx.at if on is None else dt.datetime.combine(on, dt.time(12), tzinfo=dt.UTC)
        return await quarter_totals.seal_quarters(replace(tx, at=then))


async def sealed_as_of(country: Country, day: dt.date) -> None:
    """Seal what is due on a day, and let that have been done then."""
    await seal(country, on=day)
    just_now = "noted_at BETWEEN now() - interval '1 day' AND now()"
    await country.rows(
        f"UPDATE running_stays SET noted_at = CAST(:day AS date) WHERE {just_now}",  # noqa: S608 - see above
        day=day,
    )


async def totals(country: Country) -> list[tuple[str, int, dict[str, Any]]]:
    """Return every leaf in clear about a quarter.

    Its type, its index and what it says.
    """
    rows = await country.rows(
        "SELECT l.type, l.index, l.content FROM leaves AS l WHERE l.type IN ('quarter_total', "
        "'correction')"
        " AND l.placement_id IS NULL ORDER BY l.index"
    )
    return [(row[0], row[1], dict(content_of_leaf(bytes(row[2])))) for row in rows]
