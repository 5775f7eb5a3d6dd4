"""Fair shares: totals of quarters, what pairs of regions settle, and caps on what a region takes from others."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# As 0008 has them.
WORKER = "(SELECT acting()) = 'worker'"
AUDITOR = "(SELECT i_am('auditor'))"
CONTROL = "(SELECT i_am('auditor') OR i_am('administrator'))"
SOMEBODY = "(SELECT acting()) <> ''"
REGION = "(SELECT my_region())"
RECEIVED = (
    "EXISTS (SELECT FROM leaves AS l JOIN placements AS p ON p.id = l.placement_id"
    " WHERE l.index = displacements.index AND p.receiver_id = (SELECT my_provider()))"
)
OWN = f"{AUDITOR} AND region = {REGION}"

RULES: dict[str, dict[str, str]] = {
    "quarter_totals": {
        "SELECT": f"{CONTROL} OR {WORKER}",
        "INSERT": f"{WORKER} AND index IS NULL",
        "UPDATE": f"{WORKER} AND index IS NULL TO {WORKER} AND index IS NOT NULL",
    },
    "pair_nights": {"SELECT": f"{AUDITOR} AND {REGION} IN (origin, receiving)", "INSERT": WORKER},
    # Small ones are suppressed, and what a cap displaced is for everybody.
    "quarter_figures": {"SELECT": SOMEBODY, "INSERT": WORKER},
    # The worker's right to change is what `cap_has_room` locks by; it has no statement that does.
    "caps": {"SELECT": SOMEBODY, "INSERT": OWN, "UPDATE": f"({OWN} AND withdrawn_at IS NULL) OR {WORKER} TO {OWN}"},
    "displacements": {"SELECT": WORKER, "INSERT": RECEIVED},
}
APPEND_ONLY = ("pair_nights", "quarter_figures", "displacements")

# Who ranks places sees none of the placements that others have there: this says no more than which regions are full.
# On the way or there, or held: all who come from elsewhere, and not for safety.
CAPPED_REGIONS = """
CREATE FUNCTION capped_regions(besides uuid) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE before text := acting();
BEGIN
  IF NOT EXISTS (SELECT FROM caps AS c WHERE c.withdrawn_at IS NULL AND c.begins_at <= clock_timestamp()
                 AND c.ends_at > clock_timestamp()) THEN
    RETURN;
  END IF;
  PERFORM set_config('plek.actor', 'worker', true);
  RETURN QUERY
  SELECT c.region FROM caps AS c
  WHERE c.withdrawn_at IS NULL AND c.begins_at <= clock_timestamp() AND c.ends_at > clock_timestamp()
    AND c.at_most <= (
      SELECT count(*) FROM placements AS p
      WHERE p.receiving = c.region AND p.cross_regional AND p.reason <> 'safety' AND p.status IN ('underway', 'arrived')
        AND p.referral_id IS DISTINCT FROM besides
    ) + (
      SELECT count(*) FROM holds AS h
      JOIN referrals AS r ON r.id = h.referral_id
      JOIN sites AS s ON s.id = h.site_id
      JOIN municipalities AS there ON there.code = s.municipality
      JOIN municipalities AS home ON home.code = r.origin
      WHERE h.resolved_at IS NULL AND h.expires_at > clock_timestamp() AND r.reason <> 'safety'
        AND there.region = c.region AND home.region <> c.region AND h.referral_id IS DISTINCT FROM besides
    );
  PERFORM set_config('plek.actor', before, true);
END $$
"""
# Of those who hold the last place under a cap at once, each is counted after the one before.
CAP_HAS_ROOM = """
CREATE FUNCTION cap_has_room(of_region text, besides uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE before text := acting();
BEGIN
  PERFORM set_config('plek.actor', 'worker', true);
  PERFORM FROM caps AS c WHERE c.region = of_region AND c.withdrawn_at IS NULL AND c.begins_at <= clock_timestamp()
    AND c.ends_at > clock_timestamp() FOR UPDATE;
  PERFORM set_config('plek.actor', before, true);
  RETURN NOT EXISTS (SELECT FROM capped_regions(besides) AS full_region WHERE full_region = of_region);
END $$
"""
# The same rules in another order: the worker, who reads many openings, is let in before anything is looked up.
WORKER_FIRST = """
DO $$
DECLARE rule record;
BEGIN
  FOR rule IN SELECT tablename, qual FROM pg_policies
              WHERE schemaname = current_schema() AND policyname = 'select' AND tablename IN ('leaves', 'openings')
  LOOP
    EXECUTE format('ALTER POLICY "select" ON %I USING ((SELECT acting()) = ''worker'' OR %s)',
                   rule.tablename, rule.qual);
  END LOOP;
END $$
"""
FUNCTIONS = ("cap_has_room(text, uuid)", "capped_regions(uuid)")


def upgrade() -> None:
    """Make the tables, the walls around them, and what counts against a cap."""
    _make_totals()
    _make_caps()
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX placements_capacity_idx ON placements USING btree (receiving)"
        " WHERE status IN ('underway', 'arrived') AND cross_regional AND reason <> 'safety'"
    )
    for table, rules in RULES.items():
        op.execute(f"GRANT SELECT, INSERT ON {table} TO plek_app")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY operator ON {table} TO CURRENT_USER USING ((SELECT acting()) = 'operator')")
        for command, rule in rules.items():
            op.execute(_policy(table, command, rule))
    op.execute("GRANT UPDATE (index) ON quarter_totals TO plek_app")
    op.execute("GRANT UPDATE (withdrawn_at, withdrawn_on) ON caps TO plek_app")
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    for function in (CAPPED_REGIONS, CAP_HAS_ROOM):
        op.execute(function)
    for name in FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO plek_app")
    op.execute(WORKER_FIRST)
    op.execute("INSERT INTO timers (name, due_at, leased_until) VALUES ('totals', '-infinity', '-infinity')")


def _policy(table: str, command: str, rule: str) -> str:
    using, _, new = rule.partition(" TO ")
    conditions = f"WITH CHECK ({using})" if command == "INSERT" else f"USING ({using})"
    if new:
        conditions += f" WITH CHECK ({new})"
    return f'CREATE POLICY "{command.lower()}" ON {table} FOR {command} {conditions}'


def _make_totals() -> None:
    op.create_table(
        "quarter_totals",
        sa.Column("quarter", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("index", sa.BigInteger(), nullable=True),
        sa.Column("sealed_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.CheckConstraint("version > 0", name=op.f("quarter_totals_version_check")),
        sa.ForeignKeyConstraint(["index"], ["leaves.index"], name=op.f("quarter_totals_index_fkey")),
        sa.PrimaryKeyConstraint("quarter", "version", name=op.f("quarter_totals_pkey")),
        sa.UniqueConstraint("index", name=op.f("quarter_totals_index_key")),
    )
    op.create_table(
        "pair_nights",
        sa.Column("quarter", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("receiving", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("nights", sa.Integer(), nullable=False),
        sa.Column("after_ready", sa.Integer(), nullable=False),
        sa.Column("stays", sa.Integer(), nullable=False),
        sa.CheckConstraint("nights >= 0 AND after_ready >= 0 AND stays > 0", name=op.f("pair_nights_amount_check")),
        sa.ForeignKeyConstraint(
            ["quarter", "version"],
            ["quarter_totals.quarter", "quarter_totals.version"],
            name=op.f("pair_nights_quarter_fkey"),
        ),
        sa.ForeignKeyConstraint(["origin"], ["regions.code"], name=op.f("pair_nights_origin_fkey")),
        sa.ForeignKeyConstraint(["receiving"], ["regions.code"], name=op.f("pair_nights_receiving_fkey")),
        sa.PrimaryKeyConstraint(
            "quarter", "version", "origin", "receiving", "month", "reason", name=op.f("pair_nights_pkey")
        ),
    )
    op.create_table(
        "quarter_figures",
        sa.Column("quarter", sa.Text(), nullable=False),
        sa.Column("figures", JSONB(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("quarter", name=op.f("quarter_figures_pkey")),
    )


def _make_caps() -> None:
    op.create_table(
        "caps",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("at_most", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.CheckConstraint("at_most >= 0", name=op.f("caps_at_most_check")),
        sa.CheckConstraint("last_day >= first_day", name=op.f("caps_days_check")),
        sa.CheckConstraint("ends_at > begins_at", name=op.f("caps_moments_check")),
        sa.CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_on IS NULL)", name=op.f("caps_withdrawn_check")),
        sa.ForeignKeyConstraint(["region"], ["regions.code"], name=op.f("caps_region_fkey")),
        sa.ForeignKeyConstraint(["index"], ["leaves.index"], name=op.f("caps_index_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("caps_pkey")),
    )
    op.create_index("caps_region_idx", "caps", ["region", "ends_at"], postgresql_where=sa.text("withdrawn_at IS NULL"))
    op.create_index(op.f("caps_first_day_id_idx"), "caps", ["first_day", "id"])
    op.create_table(
        "displacements",
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("cap_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["index"], ["leaves.index"], name=op.f("displacements_index_fkey")),
        sa.ForeignKeyConstraint(["cap_id"], ["caps.id"], name=op.f("displacements_cap_id_fkey")),
        sa.PrimaryKeyConstraint("index", "cap_id", name=op.f("displacements_pkey")),
    )


def downgrade() -> None:
    """Take them away; what the ledger says of them stays there, and the rules of its rows keep their order."""
    op.execute("DELETE FROM timers WHERE name = 'totals'")
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}")
    op.execute("DROP INDEX placements_capacity_idx")
    for table in ("displacements", "caps", "quarter_figures", "pair_nights", "quarter_totals"):
        op.drop_table(table)
