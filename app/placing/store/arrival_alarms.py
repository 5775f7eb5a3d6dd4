"""Alarms for households that have not arrived: each due moment once, however many processes look for them."""

from sqlalchemy import text

from app.database.transaction import Transaction

AT_ONCE = 200

# The clock is read once, so that the index can be searched for it. A row that is locked is one in
# which somebody is acting: what that leaves due is found a moment later, and what another process
# has raised is not due any more.
_RAISE = text("""
WITH due AS (
  UPDATE placements
  SET alarmed_at = clock_timestamp(),
      missed_since = coalesce(
        missed_since, coalesce(no_show_at, expected_at, created_at) + make_interval(mins => :minutes))
  WHERE id IN (
    SELECT id FROM placements
    WHERE (status = 'underway' OR (status = 'no_show' AND safety_checked_at IS NULL))
      AND coalesce(no_show_at, expected_at, created_at)
          <= (SELECT clock_timestamp()) - make_interval(mins => :minutes)
      AND (alarmed_at IS NULL OR alarmed_at <= (SELECT clock_timestamp()) - make_interval(hours => :hours))
    ORDER BY coalesce(no_show_at, expected_at, created_at) LIMIT :batch FOR UPDATE SKIP LOCKED)
  RETURNING id, provider_id, receiver_id
)
INSERT INTO outbox (kind, subject, audience) SELECT 'alarm', id::text, ARRAY[provider_id, receiver_id] FROM due
""")


async def raise_due(tx: Transaction, *, minutes: int, hours: int) -> int:
    """Tell both sides of those who have not come within so many minutes, again each so many hours; return how many."""
    raised = await tx.run(_RAISE, {"minutes": minutes, "hours": hours, "batch": AT_ONCE})
    if raised:
        tx.wrote_outbox()
    return raised
