"""After placing: moving on within a stay, dangers that change, agreements to return, and what delays a departure."""

# ruff: noqa: S608 - every statement is made of the constants here

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None

# As 0008 has them.
PROVIDER = "(SELECT my_provider())"
STAFF = f"{PROVIDER} IS NOT NULL"
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

OF_CASE = (
    f"(provider_id = {PROVIDER} AND (SELECT coalesce(bool_or(s.account_id = my_account() AND (s.until IS NULL"
    " OR s.until > now())), true) FROM shields AS s WHERE s.referral_id = placements.referral_id))"
    f" OR (receiver_id = {PROVIDER} AND placements.provider_id <> {PROVIDER})"
)

POLICIES: tuple[tuple[str, str, str, str], ...] = (
    ("leaves", "SELECT", f"{CONTROL} OR {RECEIVED} OR {WORKER}", f" OR {LEFT_FOR_US}"),
    ("leaves", "INSERT", RECEIVED, f" OR {LEFT_FOR_US}"),
    ("openings", "SELECT", f"{OPEN_BY_NOW} OR {OPENING_RECEIVED}", f" OR {OPENING_LEFT_FOR_US}"),
    ("openings", "INSERT", OPENING_RECEIVED, f" OR {OPENING_LEFT_FOR_US}"),
    # To note that it reminded of an agreement to return.
    ("placements", "UPDATE", OF_CASE, f" OR {WORKER}"),
)
"""Table, command, the rule as it was, and what is added to it."""

# Those who may see a placement see its periods, auditors apart; whoever shelters them notes them.
OF_PLACEMENT = "EXISTS (SELECT FROM placements AS p WHERE p.id = placement_id)"
PERIODS = {"SELECT": f"{STAFF} AND {OF_PLACEMENT}", "INSERT": RECEIVED, "UPDATE": RECEIVED}

# Who is in a place that is over has no blocker any more, and is not ready to leave it: whoever says that it is over.
CLOSE_PERIODS = """
CREATE FUNCTION close_periods() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE before text := acting();
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  UPDATE blocker_periods SET until = greatest(since, coalesce(NEW.departed_at, clock_timestamp()))
  WHERE placement_id = NEW.id AND until IS NULL;
  UPDATE ready_periods SET until = greatest(noted_at, coalesce(NEW.departed_at, clock_timestamp()))
  WHERE placement_id = NEW.id AND until IS NULL;
  PERFORM set_config('plek.actor', before, true);
  RETURN NULL;
END $$
"""

# Whoever raises the alarm at an own site reaches every household that is there or on its way, the shielded ones too,
# of which they see nothing.
RAISE_ALARM = """
CREATE FUNCTION raise_alarm(of_site uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE before text := acting();
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  INSERT INTO outbox (kind, subject, audience)
  SELECT 'alarm', c.id::text, ARRAY[c.provider_id, c.receiver_id]
  FROM (SELECT id, provider_id, receiver_id, site_id FROM placements WHERE status IN ('underway', 'arrived')
        UNION ALL SELECT id, provider_id, receiver_id, site_id FROM holds
        WHERE resolved_at IS NULL AND expires_at > clock_timestamp()) AS c
  JOIN sites AS s ON s.id = c.site_id
  WHERE s.id = of_site AND s.provider_id = my_provider();
  PERFORM set_config('plek.actor', before, true);
END $$
"""

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
    ("raise_alarm(uuid)", RAISE_ALARM),
)

COLUMNS = (
    ("holds", "unsafe_since timestamptz"),
    ("placements", "unsafe_since timestamptz"),
    ("placements", "return_by date"),
    ("placements", "return_reminded_at timestamptz"),
    ("sites", "compromised_because text"),
    ("sites", "compromised_since timestamptz"),
)
INDEXES = (
    ("placements_previous_key", "placements", "previous_id", "status <> 'no_show'"),
    ("placements_began_id_idx", "placements", "began_id", None),
    ("placements_site_idx", "placements", "site_id", "status IN ('underway', 'arrived')"),
    ("placements_returns_idx", "placements", "return_by", "status = 'arrived' AND return_reminded_at IS NULL"),
    ("holds_live_site_idx", "holds", "site_id", "resolved_at IS NULL"),
)


def upgrade() -> None:
    """Link a placement with the one before it, and note what changes while a household is there."""
    for column in ("previous_id", "began_id"):
        op.execute(
            f"-- squawk-ignore adding-foreign-key-constraint\nALTER TABLE placements ADD COLUMN {column} uuid"
            f" CONSTRAINT placements_{column}_fkey REFERENCES placements (id)"
        )
    for table, column in COLUMNS:
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid\nALTER TABLE sites ADD CONSTRAINT sites_compromised_check"
        " CHECK ((compromised_because IS NULL) = (compromised_since IS NULL))"
    )
    for name, table, column, where in INDEXES:
        made = f"{'UNIQUE ' if name.endswith('_key') else ''}INDEX {name} ON {table} USING btree ({column})"
        condition = f" WHERE {where}" if where else ""
        op.execute(f"-- squawk-ignore require-concurrent-index-creation\nCREATE {made}{condition}")
    _add_periods()
    for name, function in FUNCTIONS:
        op.execute(function)
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO plek_app")
    for table, command, before, more in POLICIES:
        op.execute(_alter(table, command, before + more))
    op.execute("INSERT INTO timers (name, due_at, leased_until) VALUES ('returns', '-infinity', '-infinity')")


def _add_periods() -> None:
    """Add the tables of what delays a departure, with their rules, and close what is open with the placement."""
    op.create_table(
        "blocker_periods",
        sa.Column("placement_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("until >= since", name=op.f("blocker_periods_order_check")),
        sa.ForeignKeyConstraint(["placement_id"], ["placements.id"], name=op.f("blocker_periods_placement_id_fkey")),
        sa.PrimaryKeyConstraint("placement_id", "code", "since", name=op.f("blocker_periods_pkey")),
    )
    op.create_table(
        "ready_periods",
        sa.Column("placement_id", sa.Uuid(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("until >= noted_at", name=op.f("ready_periods_order_check")),
        sa.ForeignKeyConstraint(["placement_id"], ["placements.id"], name=op.f("ready_periods_placement_id_fkey")),
        sa.PrimaryKeyConstraint("placement_id", "noted_at", name=op.f("ready_periods_pkey")),
    )
    for table, columns in (("blocker_periods", ["placement_id", "code"]), ("ready_periods", ["placement_id"])):
        op.create_index(f"{table}_open_key", table, columns, unique=True, postgresql_where=sa.text("until IS NULL"))
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO plek_app")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY operator ON {table} TO CURRENT_USER USING ((SELECT acting()) = 'operator')")
        for command, rule in PERIODS.items():
            condition = "WITH CHECK" if command == "INSERT" else "USING"
            op.execute(f'CREATE POLICY "{command.lower()}" ON {table} FOR {command} {condition} ({rule})')
    op.execute(CLOSE_PERIODS)
    op.execute("REVOKE ALL ON FUNCTION close_periods() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER close_periods AFTER UPDATE OF status ON placements FOR EACH ROW"
        " WHEN (NEW.status IN ('no_show', 'ended')) EXECUTE FUNCTION close_periods()"
    )


def _alter(table: str, command: str, rule: str) -> str:
    condition = "WITH CHECK" if command == "INSERT" else "USING"
    return f'ALTER POLICY "{command.lower()}" ON {table} {condition} ({rule})'


def downgrade() -> None:
    """Forget how placements hang together, and what was noted of them."""
    op.execute("DELETE FROM timers WHERE name = 'returns'")
    for table, command, before, _more in POLICIES:
        op.execute(_alter(table, command, before))
    for name, _function in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {name}")
    op.execute("DROP TRIGGER close_periods ON placements")
    op.execute("DROP FUNCTION close_periods()")
    for table in ("ready_periods", "blocker_periods"):
        op.execute(f"REVOKE ALL ON {table} FROM plek_app")
        op.drop_table(table)
    for name, _table, _column, _where in INDEXES:
        op.execute(f"DROP INDEX {name}")
    op.execute("ALTER TABLE sites DROP CONSTRAINT sites_compromised_check")
    for table, column in (*COLUMNS, ("placements", "began_id"), ("placements", "previous_id")):
        op.drop_column(table, column.split()[0])
