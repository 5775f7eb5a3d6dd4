"""Households on their way: their receiver sees who comes until that is over, and someone misses those who do not come.

A no-show of whom nobody has made sure that they are safe may come yet: its place is theirs, and so is who they are.
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

COLUMNS = ("alarmed_at", "missed_since", "arrival_withdrawn_at")
AWAITED = "status = 'underway' OR (status = 'no_show' AND safety_checked_at IS NULL)"

# As 0023 has it, but that a no-show is coming until somebody has made sure that they are safe.
COMING_HERE = """
CREATE OR REPLACE FUNCTION coming_here(of_referral uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN (EXISTS (SELECT FROM holds AS h WHERE h.referral_id = of_referral AND h.receiver_id = my_provider()
                  AND h.resolved_at IS NULL AND h.expires_at > now())
          OR EXISTS (SELECT FROM placements AS p WHERE p.referral_id = of_referral
                     AND p.receiver_id = my_provider() AND {there}));
END $$
"""
THERE_BEFORE = "p.status IN ('underway', 'arrived')"
THERE = f"({THERE_BEFORE} OR (p.status = 'no_show' AND p.safety_checked_at IS NULL))"

# Of those that were in the ledger: nothing else says of a no-show that an arrival had been recorded before.
WITHDRAWN_BEFORE = """
UPDATE placements SET arrival_withdrawn_at = no_show_at
WHERE status = 'no_show'
  AND EXISTS (SELECT FROM leaves AS l WHERE l.placement_id = placements.id AND l.type = 'arrival')
"""


def upgrade() -> None:
    """Let receivers see who comes yet, note what is missed, and find that by an index."""
    for column in COLUMNS:
        op.execute(f"ALTER TABLE placements ADD COLUMN {column} timestamptz")
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX placements_awaited_idx ON placements USING btree"
        f" ((coalesce(no_show_at, expected_at, created_at))) WHERE {AWAITED}"
    )
    op.execute(COMING_HERE.format(there=THERE))
    # Whoever migrates owns the rows and yet sees none under forced rules, but as the operator.
    op.execute("SELECT set_config('plek.actor', 'operator', true)")
    op.execute(WITHDRAWN_BEFORE)
    op.execute("INSERT INTO timers (name, due_at, leased_until) VALUES ('arrival_alarms', '-infinity', '-infinity')")


def downgrade() -> None:
    """Take it back; nobody is missed then."""
    op.execute("DELETE FROM timers WHERE name = 'arrival_alarms'")
    op.execute(COMING_HERE.format(there=THERE_BEFORE))
    op.execute("DROP INDEX placements_awaited_idx")
    for column in COLUMNS:
        op.drop_column("placements", column)
