"""After placing: moving on within a stay, and nobody's rows shown to those who receive the household next."""

# ruff: noqa: S608 - every statement is made of the constants here

from alembic import op

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None

# As 0008 has them.
PROVIDER = "(SELECT my_provider())"
WORKER = "(SELECT acting()) = 'worker'"
CONTROL = "(SELECT i_am('auditor') OR i_am('administrator'))"
REGION = "(SELECT my_region())"
OPEN_BY_NOW = f"""
((SELECT i_am('auditor')) AND {REGION} IN (origin_region, receiving_region) AND (opens_at <= clock_timestamp()
 OR EXISTS (SELECT FROM leaves AS l JOIN leaves AS e ON e.placement_id = l.placement_id AND e.type = 'departure'
            WHERE l.index = openings.index)))"""
RECEIVED = f"EXISTS (SELECT FROM placements AS p WHERE p.id = placement_id AND p.receiver_id = {PROVIDER})"
OPENING_RECEIVED = (
    "EXISTS (SELECT FROM leaves AS l JOIN placements AS p ON p.id = l.placement_id"
    f" WHERE l.index = openings.index AND p.receiver_id = {PROVIDER})"
)
# Whoever receives a household that moves on writes the end of its time at the provider that it leaves.
LEFT_FOR_US = (
    "EXISTS (SELECT FROM placements AS p WHERE p.began_id = placement_id"
    f" AND p.receiver_id = {PROVIDER} AND p.status = 'underway')"
)
OPENING_LEFT_FOR_US = (
    "EXISTS (SELECT FROM leaves AS l JOIN placements AS p ON p.began_id = l.placement_id"
    f" WHERE l.index = openings.index AND p.receiver_id = {PROVIDER} AND p.status = 'underway')"
)

POLICIES: tuple[tuple[str, str, str, str], ...] = (
    ("leaves", "SELECT", f"{CONTROL} OR {RECEIVED} OR {WORKER}", f" OR {LEFT_FOR_US}"),
    ("leaves", "INSERT", RECEIVED, f" OR {LEFT_FOR_US}"),
    ("openings", "SELECT", f"{OPEN_BY_NOW} OR {OPENING_RECEIVED}", f" OR {OPENING_LEFT_FOR_US}"),
    ("openings", "INSERT", OPENING_RECEIVED, f" OR {OPENING_LEFT_FOR_US}"),
)
"""Table, command, the rule as it was, and what is added to it."""

# The one place where a placement gives up its claim, whoever says that it is over.
FREE_PLACE = """
CREATE FUNCTION free_place(of_placement uuid) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  UPDATE claims SET kind = NULL, hold_id = NULL, placement_id = NULL, claimed_until = '-infinity', reason = NULL,
                    since = clock_timestamp()
  WHERE placement_id = of_placement;
  RETURN FOUND;
END $$
"""

# Whoever receives a household that moves on may not touch, nor see, the placement that it leaves. That one ends here as
# its own provider would end it, and those concerned are told; all that comes out is whether it was with the same
# provider (true), with another (false), or over already (null).
LEAVE_PREVIOUS = """
CREATE FUNCTION leave_previous(of_placement uuid, moment timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  before text := acting();
  old placements;
  inside boolean;
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  -- The referral first, as everywhere; then look again: they may have left while we waited.
  PERFORM FROM referrals AS r
  WHERE r.id = (SELECT p.referral_id FROM placements AS p JOIN placements AS n ON n.previous_id = p.id
                WHERE n.id = of_placement AND n.receiver_id = my_provider() AND n.status = 'underway')
  FOR UPDATE;
  SELECT p.* INTO old FROM placements AS p JOIN placements AS n ON n.previous_id = p.id
  WHERE n.id = of_placement AND n.receiver_id = my_provider() AND n.status = 'underway' AND p.status = 'arrived'
  FOR UPDATE OF p;
  IF FOUND THEN
    inside := old.receiver_id = my_provider();
    UPDATE referrals SET status = 'ended', hold_id = NULL, held_until = NULL, updated_at = clock_timestamp()
    WHERE id = old.referral_id;
    UPDATE placements
    SET status = 'ended', departed_at = greatest(moment, old.arrived_at), destination = 'follow_on_place'
    WHERE id = old.id;
    PERFORM free_place(old.id);
    INSERT INTO outbox (kind, subject, audience)
    VALUES ('placement', old.id::text, ARRAY[old.provider_id, old.receiver_id]);
    INSERT INTO outbox (kind, subject, audience)
    SELECT 'availability', m.region, ARRAY[old.receiver_id]
    FROM sites AS s JOIN municipalities AS m ON m.code = s.municipality WHERE s.id = old.site_id;
  END IF;
  PERFORM set_config('plek.actor', before, true);
  RETURN inside;
END $$
"""

FUNCTIONS = (
    ("free_place(uuid)", FREE_PLACE),
    ("leave_previous(uuid, timestamp with time zone)", LEAVE_PREVIOUS),
)


def upgrade() -> None:
    """Link a placement with the one before it."""
    for column in ("previous_id", "began_id"):
        op.execute(
            f"-- squawk-ignore adding-foreign-key-constraint\nALTER TABLE placements ADD COLUMN {column} uuid"
            f" CONSTRAINT placements_{column}_fkey REFERENCES placements (id)"
        )
    for index in (
        "UNIQUE INDEX placements_previous_key ON placements USING btree (previous_id) WHERE status <> 'no_show'",
        "INDEX placements_began_id_idx ON placements USING btree (began_id)",
    ):
        op.execute(f"-- squawk-ignore require-concurrent-index-creation\nCREATE {index}")
    for name, function in FUNCTIONS:
        op.execute(function)
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO plek_app")
    for table, command, before, more in POLICIES:
        op.execute(_alter(table, command, before + more))


def _alter(table: str, command: str, rule: str) -> str:
    condition = "WITH CHECK" if command == "INSERT" else "USING"
    return f'ALTER POLICY "{command.lower()}" ON {table} {condition} ({rule})'


def downgrade() -> None:
    """Forget how placements hang together."""
    for table, command, before, _more in POLICIES:
        op.execute(_alter(table, command, before))
    for name, _function in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {name}")
    for column in ("began_id", "previous_id"):
        op.drop_column("placements", column)
