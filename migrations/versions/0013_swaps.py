"""Swaps: agreements to move, searches, and chains and cycles of moves; who may see and change which of them.

What a swap needs to know and to change is never all one provider's: it is done as the actor `exchange`, for that
stretch of a transaction alone. docs/adr/0011-swaps.md has the reasons.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# ruff: noqa: S608 - every statement is made of the constants here

# As 0008 has them: in sub-selects, so that they are worked out once a statement and not once a row.
PROVIDER = "(SELECT my_provider())"
WORKER = "(SELECT acting()) = 'worker'"
EXCHANGE = "(SELECT acting()) = 'exchange'"
CASE_STAFF = "(SELECT i_am('intake_worker') OR i_am('coordinator'))"


def unshielded(referral: str) -> str:
    """Whether a referral has no named colleagues, or the caller is one of them."""
    return (
        "(SELECT coalesce(bool_or(s.account_id = my_account() AND (s.until IS NULL OR s.until > now())), true)"
        f" FROM shields AS s WHERE s.referral_id = {referral})"
    )


def own(table: str) -> str:
    """Whether a row is of one of the caller's provider's referrals, and the caller may see that."""
    return f"(provider_id = {PROVIDER} AND {unshielded(f'{table}.referral_id')})"


def in_swap(referral: str) -> str:
    """Whether a referral is part of a live swap."""
    return f"EXISTS (SELECT FROM swap_legs AS l WHERE l.referral_id = {referral} AND l.live)"


RECEIVED = f"(receiver_id = {PROVIDER} AND provider_id <> {PROVIDER})"
CONCERNED = (
    f"({own('swap_legs')} OR (provider_id <> {PROVIDER} AND ({PROVIDER} = leaving_id OR {PROVIDER} = receiving_id)))"
)
OWN_LEG = "EXISTS (SELECT FROM swap_legs AS l WHERE l.swap_id = swaps.id)"
# By the clock at which the transaction began: what may be changed while it lives is so for all of it.
COMING = (
    "EXISTS (SELECT FROM swap_legs AS l JOIN swaps AS w ON w.id = l.swap_id WHERE l.referral_id = {} AND l.live"
    f" AND l.receiving_id = {PROVIDER} AND (w.status <> 'proposed' OR w.expires_at > now()))"
)
AGREED = (
    "EXISTS (SELECT FROM move_agreements AS a"
    " WHERE a.referral_id = referral_secrets.referral_id AND a.lapses_at > now())"
)

# For each new table: who may SELECT, INSERT, UPDATE and DELETE rows, in the form of 0008.
RULES: dict[str, dict[str, str]] = {
    "move_agreements": {
        "SELECT": f"{own('move_agreements')} OR {RECEIVED} OR {EXCHANGE} OR {WORKER}",
        "INSERT": "EXISTS (SELECT FROM placements AS p WHERE p.id = placement_id AND p.status = 'arrived'"
        f" AND p.receiver_id = {PROVIDER})",
        "UPDATE": f"receiver_id = {PROVIDER}",
        "DELETE": f"receiver_id = {PROVIDER} OR {EXCHANGE} OR {WORKER}",
    },
    "swap_searches": {"SELECT": own("swap_searches"), "INSERT": f"provider_id = {PROVIDER}"},
    "swaps": {
        "SELECT": f"{OWN_LEG} OR {EXCHANGE} OR {WORKER}",
        "INSERT": EXCHANGE,
        "UPDATE": f"{EXCHANGE} OR {WORKER}",
    },
    "swap_legs": {
        "SELECT": f"{CONCERNED} OR {EXCHANGE} OR {WORKER}",
        "INSERT": EXCHANGE,
        "UPDATE": f"{CONCERNED} OR {EXCHANGE} OR {WORKER}",
    },
}
# Beside the rules that there are: what the exchange sees and does, and whom a receiving provider is asked to take in.
MORE = (
    ("exchange_select", "referrals", "SELECT", EXCHANGE),
    ("exchange_update", "referrals", "UPDATE", EXCHANGE),
    ("swap_select", "referrals", "SELECT", COMING.format("referrals.id")),
    (
        "exchange_select",
        "referral_secrets",
        "SELECT",
        f"{EXCHANGE} AND ({AGREED} OR {in_swap('referral_secrets.referral_id')})",
    ),
    ("swap_select", "referral_secrets", "SELECT", f"{CASE_STAFF} AND {COMING.format('referral_secrets.referral_id')}"),
    ("exchange_insert", "rankings", "INSERT", f"{EXCHANGE} AND {in_swap('rankings.referral_id')}"),
    ("exchange_select", "holds", "SELECT", EXCHANGE),
    ("exchange_insert", "holds", "INSERT", f"{EXCHANGE} AND {in_swap('holds.referral_id')}"),
    ("exchange_update", "holds", "UPDATE", EXCHANGE),
    ("exchange_insert", "stays", "INSERT", f"{EXCHANGE} AND {in_swap('stays.referral_id')}"),
    ("exchange_select", "placements", "SELECT", EXCHANGE),
    ("exchange_insert", "placements", "INSERT", f"{EXCHANGE} AND {in_swap('placements.referral_id')}"),
    ("exchange_update", "placements", "UPDATE", EXCHANGE),
    ("exchange_update", "claims", "UPDATE", EXCHANGE),
)
STATUSES = "'underway', 'arrived', 'no_show', 'ended'"

# As 0012 has it, but that the place passes to whoever was reserved after them: it is free to nobody else meanwhile.
FREE_PLACE = """
CREATE OR REPLACE FUNCTION free_place(of_placement uuid) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  found boolean;
  successor uuid;
BEGIN
  UPDATE claims SET kind = CASE WHEN successor_id IS NULL THEN NULL ELSE 'placement' END, hold_id = NULL,
                    placement_id = successor_id, successor_id = NULL, reason = NULL, since = clock_timestamp(),
                    claimed_until = CASE WHEN successor_id IS NULL THEN '-infinity' ELSE 'infinity' END::timestamptz
  WHERE placement_id = of_placement RETURNING true, placement_id INTO found, successor;
  INSERT INTO outbox (kind, subject, audience)
  SELECT 'placement', p.id::text, ARRAY[p.provider_id, p.receiver_id] FROM placements AS p WHERE p.id = successor;
  RETURN found IS NOT NULL;
END $$
"""
FREE_PLACE_BEFORE = """
CREATE OR REPLACE FUNCTION free_place(of_placement uuid) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  UPDATE claims SET kind = NULL, hold_id = NULL, placement_id = NULL, claimed_until = '-infinity', reason = NULL,
                    since = clock_timestamp()
  WHERE placement_id = of_placement;
  RETURN FOUND;
END $$
"""

# As 0012 has it, but that a household which moves with the referral that it came with is placed as before.
LEAVE_PREVIOUS = """
CREATE OR REPLACE FUNCTION leave_previous(of_placement uuid, moment timestamptz) RETURNS boolean
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
    WHERE id = old.referral_id {unless};
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
UNLESS_THE_SAME = "AND id <> (SELECT n.referral_id FROM placements AS n WHERE n.id = of_placement)"
ONCE_ONWARD = "UNIQUE INDEX placements_previous_key ON placements USING btree (previous_id) WHERE status"


def upgrade() -> None:
    """Add the tables, say whose rows they are, and let holds, placements and claims be part of a swap."""
    _create_tables()
    op.add_column("holds", sa.Column("swap_id", sa.Uuid(), nullable=True))
    # Another status is allowed and none forbidden: every row that there is still fits.
    op.execute("-- squawk-ignore ban-drop-constraint\nALTER TABLE placements DROP CONSTRAINT placements_status_check")
    op.execute(
        f"ALTER TABLE placements ADD CONSTRAINT placements_status_check CHECK (status IN ({STATUSES}, 'cancelled'))"
        " NOT VALID"
    )
    op.execute(
        "ALTER TABLE claims ADD CONSTRAINT claims_successor_check"
        " CHECK (successor_id IS NULL OR kind = 'placement') NOT VALID"
    )
    _succeed("placements")
    _once_onward("NOT IN ('no_show', 'cancelled')")
    op.execute(FREE_PLACE)
    op.execute(LEAVE_PREVIOUS.format(unless=UNLESS_THE_SAME))
    for table, rules in RULES.items():
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO plek_app")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY operator ON {table} TO CURRENT_USER USING ((SELECT acting()) = 'operator')")
        for command, rule in rules.items():
            op.execute(_policy(command.lower(), table, command, rule))
    for name, table, command, rule in MORE:
        op.execute(_policy(name, table, command, rule))


def _once_onward(status: str) -> None:
    """Say which placements count where a household moves on from one place to the next but once."""
    op.execute("-- squawk-ignore require-concurrent-index-deletion\nDROP INDEX placements_previous_key")
    op.execute(f"-- squawk-ignore require-concurrent-index-creation\nCREATE {ONCE_ONWARD} {status}")


def _succeed(table: str) -> None:
    """Let what reserves a place after whoever is there now be a row of this table; nothing has reserved any yet."""
    op.execute("-- squawk-ignore ban-drop-constraint\nALTER TABLE claims DROP CONSTRAINT claims_successor_id_fkey")
    op.execute(
        "-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid\n"
        "ALTER TABLE claims ADD CONSTRAINT claims_successor_id_fkey"
        f" FOREIGN KEY (successor_id) REFERENCES {table} (id)"
    )


def _policy(name: str, table: str, command: str, rule: str) -> str:
    condition = "WITH CHECK" if command == "INSERT" else "USING"
    return f'CREATE POLICY "{name}" ON {table} FOR {command} {condition} ({rule})'


def _create_tables() -> None:
    now = sa.text("clock_timestamp()")
    op.create_table(
        "move_agreements",
        sa.Column("placement_id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("receiver_id", sa.Uuid(), nullable=False),
        sa.Column("agreed_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["placement_id"], ["placements.id"], name=op.f("move_agreements_placement_id_fkey")),
        sa.ForeignKeyConstraint(["referral_id"], ["referrals.id"], name=op.f("move_agreements_referral_id_fkey")),
        sa.PrimaryKeyConstraint("placement_id", name=op.f("move_agreements_pkey")),
    )
    op.create_index(op.f("move_agreements_referral_id_idx"), "move_agreements", ["referral_id"])
    op.create_table(
        "swap_searches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.ForeignKeyConstraint(["referral_id"], ["referrals.id"], name=op.f("swap_searches_referral_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("swap_searches_pkey")),
    )
    op.create_index(op.f("swap_searches_referral_id_asked_at_idx"), "swap_searches", ["referral_id", "asked_at"])
    op.create_table(
        "swaps",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), server_default="proposed", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("moves", sa.Integer(), nullable=False),
        sa.Column("children", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('proposed', 'reserved', 'completed', 'broken', 'refused', 'expired')",
            name=op.f("swaps_status_check"),
        ),
        sa.CheckConstraint(
            "(status IN ('proposed', 'reserved')) = (resolved_at IS NULL)", name=op.f("swaps_resolved_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("swaps_pkey")),
    )
    op.create_index("swaps_lapsing_idx", "swaps", ["expires_at"], postgresql_where=sa.text("status = 'proposed'"))
    _create_legs()


def _create_legs() -> None:
    moments = ("household_at", "leaving_at", "receiving_at")
    op.create_table(
        "swap_legs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("swap_id", sa.Uuid(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("placement_id", sa.Uuid(), nullable=True),
        sa.Column("leaving_id", sa.Uuid(), nullable=True),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("receiving_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in moments),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("live", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('arrived', 'no_show', 'cancelled', 'void')", name=op.f("swap_legs_outcome_check")
        ),
        sa.CheckConstraint("live = (outcome IS NULL)", name=op.f("swap_legs_live_check")),
        sa.CheckConstraint("(placement_id IS NULL) = (leaving_id IS NULL)", name=op.f("swap_legs_leaving_check")),
        sa.CheckConstraint("placement_id IS NOT NULL OR leaving_at IS NULL", name=op.f("swap_legs_nobody_left_check")),
        sa.ForeignKeyConstraint(["hold_id"], ["holds.id"], name=op.f("swap_legs_hold_id_fkey")),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("swap_legs_place_id_fkey")),
        sa.ForeignKeyConstraint(["placement_id"], ["placements.id"], name=op.f("swap_legs_placement_id_fkey")),
        sa.ForeignKeyConstraint(["referral_id"], ["referrals.id"], name=op.f("swap_legs_referral_id_fkey")),
        sa.ForeignKeyConstraint(["swap_id"], ["swaps.id"], name=op.f("swap_legs_swap_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("swap_legs_pkey")),
        sa.UniqueConstraint("swap_id", "turn", name=op.f("swap_legs_swap_id_turn_key")),
    )
    live = sa.text("live")
    op.create_index("swap_legs_live_referral_key", "swap_legs", ["referral_id"], unique=True, postgresql_where=live)
    op.create_index("swap_legs_live_place_key", "swap_legs", ["place_id"], unique=True, postgresql_where=live)
    op.create_index("swap_legs_sender_idx", "swap_legs", ["provider_id"])
    op.create_index("swap_legs_leaving_idx", "swap_legs", ["leaving_id"])
    op.create_index("swap_legs_receiving_idx", "swap_legs", ["receiving_id"])
    op.create_index("swap_legs_hold_idx", "swap_legs", ["hold_id"])
    op.create_index("swap_legs_placement_idx", "swap_legs", ["placement_id"])


def downgrade() -> None:
    """Take them away; placements that were cancelled count as households that did not come."""
    for name, table, _command, _rule in MORE:
        op.execute(f'DROP POLICY "{name}" ON {table}')
    for table, rules in RULES.items():
        for name in ("operator", *(command.lower() for command in rules)):
            op.execute(f'DROP POLICY "{name}" ON {table}')
    op.execute("ALTER TABLE claims DROP CONSTRAINT claims_successor_check")
    op.execute(LEAVE_PREVIOUS.format(unless=""))
    op.execute(FREE_PLACE_BEFORE)
    op.execute("UPDATE claims SET successor_id = NULL")
    _succeed("holds")
    _once_onward("<> 'no_show'")
    op.execute("UPDATE placements SET status = 'no_show', no_show_at = created_at WHERE status = 'cancelled'")
    op.execute("ALTER TABLE placements DROP CONSTRAINT placements_status_check")
    op.execute(f"ALTER TABLE placements ADD CONSTRAINT placements_status_check CHECK (status IN ({STATUSES}))")
    op.drop_column("holds", "swap_id")
    for table in ("swap_legs", "swaps", "swap_searches", "move_agreements"):
        op.execute(f"REVOKE ALL ON {table} FROM plek_app")
        op.drop_table(table)
