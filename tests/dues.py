"""Dues as tests look at them, and time that passes for them."""

from app.database.transaction import WORKER
from app.dues import dues
from tests.country import Country

Asked = tuple[str, str, str]
"""A due: its kind, its subject, and whose it is."""
ADMINISTRATORS = "administrators"

LIVE = """
SELECT d.kind, d.subject_id::text AS subject, coalesce(p.slug, 'administrators') AS whose
FROM dues AS d LEFT JOIN providers AS p ON p.id = d.provider_id WHERE d.ended_at IS NULL
"""
PASS = """
UPDATE dues SET due_at = clock_timestamp() - make_interval(mins => :minutes),
                rings_at = clock_timestamp() - make_interval(mins => :minutes)
WHERE ended_at IS NULL AND kind = :kind RETURNING id
"""
WAIT = """
UPDATE dues SET rings_at = rings_at - make_interval(mins => :minutes), rung_at =
  rung_at - make_interval(mins => :minutes)
WHERE ended_at IS NULL AND rung_at IS NOT NULL RETURNING id
"""
TOLD = """
SELECT d.kind, d.subject_id::text AS subject, p.slug AS whose
FROM outbox AS o JOIN dues AS d ON d.id::text = o.subject
     JOIN providers AS p ON o.audience = ARRAY[p.id]
WHERE o.kind = 'due' ORDER BY o.id
"""


async def live(country: Country, *kinds: str) -> set[Asked]:
    """Return the live dues, of some kinds or of all."""
    rows = await country.rows(LIVE)
    return {(row.kind, row.subject, row.whose) for row in rows if row.kind in (kinds or {row.kind})}


async def come(country: Country, kind: str, *, minutes: int = 1) -> int:
    """Let the moment of all dues of a kind have come some minutes ago; return how many."""
    return len(await country.rows(PASS, kind=kind, minutes=minutes))


async def pass_hours(country: Country, hours: float) -> None:
    """Let some hours have passed since dues rang."""
    await country.rows(WAIT, minutes=round(hours * 60))


async def told(country: Country) -> list[Asked]:
    """Return the dues that there was an event of, and forget the events."""
    rows = await country.rows(TOLD)
    await country.rows("DELETE FROM outbox")
    return [(row.kind, row.subject, row.whose) for row in rows]


async def ring(country: Country) -> list[Asked]:
    """Ring as the worker does, and return what was told."""
    await country.rows("DELETE FROM outbox")
    async with country.parts.database.transaction(actor=WORKER) as tx:
        assert not await dues.ring_dues(tx)
    return await told(country)
