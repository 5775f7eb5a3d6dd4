"""When nothing fits: contacts, alternatives and their capacity, what comes free meanwhile, and reminders."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

PROVIDER = "(SELECT my_provider())"
WORKER = "(SELECT acting()) = 'worker'"
CASE_STAFF = "(SELECT i_am('intake_worker') OR i_am('coordinator'))"


def mine(column: str = "provider_id") -> str:
    """Whether a row is the caller's provider's."""
    return f"{column} = {PROVIDER}"


def own_of_case(table: str) -> str:
    """Whether a row is of one of the caller's provider's referrals, and the caller may see that (as 0008 has it)."""
    return (
        f"({CASE_STAFF} AND {mine()} AND (SELECT coalesce(bool_or(s.account_id = my_account()"  # noqa: S608 - constants
        " AND (s.until IS NULL OR s.until > now())), true)"
        f" FROM shields AS s WHERE s.referral_id = {table}.referral_id))"
    )


# At home a shield holds, whoever is responsible.
ANSWERED_FOR = f"({CASE_STAFF} AND {mine('responsible_id')} AND provider_id <> {PROVIDER})"
CONCERNED = f"{own_of_case('alternatives')} OR {ANSWERED_FOR}"
# For each new table: who may SELECT, INSERT, UPDATE and DELETE rows; what is not named is refused.
RULES: dict[str, dict[str, str]] = {
    "contacts": {"SELECT": f"{own_of_case('contacts')} OR {WORKER}", "INSERT": own_of_case("contacts")},
    "alternatives": {
        "SELECT": f"{CONCERNED} OR {WORKER}",
        "INSERT": own_of_case("alternatives"),
        "UPDATE": CONCERNED,
    },
    "ambulatory_capacities": {"SELECT": mine(), "INSERT": mine(), "UPDATE": mine()},
    "vacancies": {"SELECT": f"{mine()} OR {WORKER}", "UPDATE": WORKER, "DELETE": WORKER},
    "reminders": {"SELECT": WORKER, "INSERT": WORKER, "DELETE": WORKER},
}
OF_WAITING = "EXISTS (SELECT FROM referrals AS r WHERE r.id = referral_id AND r.status = 'open')"
# Beside the rules of 0008: what the worker needs to rank those who wait, and to see whether they have a safety plan.
OF_THE_WORKER = (
    ("referral_secrets", f"FOR SELECT USING ({WORKER} AND {OF_WAITING})"),
    ("rankings", f"FOR INSERT WITH CHECK ({WORKER})"),
    ("registers", f"FOR INSERT WITH CHECK ({WORKER})"),
)

# As the owner: whoever frees a place needs no right to say so, and can say nothing else.
NOTE_VACANCY = """
CREATE FUNCTION note_vacancy() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE leaving uuid;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    leaving := coalesce((SELECT h.referral_id FROM holds AS h WHERE h.id = OLD.hold_id),
                        (SELECT p.referral_id FROM placements AS p WHERE p.id = OLD.placement_id));
  END IF;
  INSERT INTO vacancies (id, provider_id, site_id, group_id, place_id, left_by)
  SELECT gen_random_uuid(), p.provider_id, p.site_id, NEW.group_id, p.id, leaving
  FROM places AS p WHERE p.id = NEW.place_id;
  RETURN NULL;
END $$
"""
NOTE_REOPENING = """
CREATE FUNCTION note_reopening() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO vacancies (id, provider_id, site_id, group_id)
  SELECT gen_random_uuid(), NEW.provider_id, NEW.id, g.id FROM place_groups AS g
  WHERE g.site_id = NEW.id
    AND EXISTS (SELECT FROM claims AS c WHERE c.group_id = g.id AND c.claimed_until <= clock_timestamp());
  RETURN NULL;
END $$
"""

# Every household that a provider helps where it is counts, those too that the caller may not see: only the number comes
# out. Like `note_lapsed` it acts as somebody else for that one look.
IN_USE = """
CREATE FUNCTION trajectories_in_use(of_provider uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE before text := acting(); taken integer;
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  SELECT count(*) INTO taken FROM alternatives AS a
  WHERE a.responsible_id = of_provider AND a.kind = 'ambulatory' AND a.ended_at IS NULL;
  PERFORM set_config('plek.actor', before, true);
  RETURN taken;
END $$
"""
# The row of the capacity is the queue: it is locked first, and only then are those counted who came before. Where
# nothing is left the row is not inserted.
TAKE_TRAJECTORY = """
CREATE FUNCTION take_trajectory() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE before text := acting(); most integer;
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  SELECT c.capacity INTO most FROM ambulatory_capacities AS c WHERE c.provider_id = NEW.responsible_id FOR UPDATE;
  PERFORM set_config('plek.actor', before, true);
  IF trajectories_in_use(NEW.responsible_id) >= coalesce(most, 0) THEN
    RETURN NULL;
  END IF;
  RETURN NEW;
END $$
"""
# Whoever records an arrival, or erases, need not see what the household had until then.
END_ALTERNATIVE = """
CREATE FUNCTION end_alternative() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE before text := acting(); of_referral uuid;
BEGIN
  IF TG_TABLE_NAME = 'placements' THEN
    of_referral := NEW.referral_id;
  ELSE
    of_referral := NEW.id;
  END IF;
  PERFORM set_config('plek.actor', 'operator', true);
  WITH ended AS (
    UPDATE alternatives AS a SET ended_at = clock_timestamp(), end_reason = TG_ARGV[0]
    WHERE a.referral_id = of_referral AND a.ended_at IS NULL
    RETURNING a.id, a.provider_id, a.responsible_id
  )
  INSERT INTO outbox (kind, subject, audience)
  SELECT 'waiting', id::text, ARRAY[provider_id, responsible_id] FROM ended;
  PERFORM set_config('plek.actor', before, true);
  RETURN NULL;
END $$
"""
FUNCTIONS = (
    ("note_vacancy()", NOTE_VACANCY),
    ("note_reopening()", NOTE_REOPENING),
    ("trajectories_in_use(uuid)", IN_USE),
    ("take_trajectory()", TAKE_TRAJECTORY),
    ("end_alternative()", END_ALTERNATIVE),
)
TRIGGERS = (
    ("note_new", "claims", "AFTER INSERT", "NEW.kind IS NULL", "note_vacancy()"),
    (
        "note_freed",
        "claims",
        "AFTER UPDATE OF kind, group_id",
        "NEW.kind IS NULL AND (OLD.kind IS NOT NULL OR OLD.group_id <> NEW.group_id)",
        "note_vacancy()",
    ),
    (
        "note_reopening",
        "sites",
        "AFTER UPDATE OF admission",
        "OLD.admission = 'paused' AND NEW.admission = 'open'",
        "note_reopening()",
    ),
    ("take_trajectory", "alternatives", "BEFORE INSERT", "NEW.kind = 'ambulatory'", "take_trajectory()"),
    (
        "end_alternative",
        "placements",
        "AFTER UPDATE OF status",
        "NEW.status = 'arrived' AND OLD.status <> 'arrived'",
        "end_alternative('placed')",
    ),
    (
        "end_alternative",
        "referrals",
        "AFTER UPDATE OF status",
        "NEW.status = 'withdrawn' AND OLD.status <> 'withdrawn'",
        "end_alternative('withdrawn')",
    ),
)


def upgrade() -> None:
    """Make the tables, their walls, and what the database notes by itself."""
    op.execute("ALTER TABLE outbox VALIDATE CONSTRAINT outbox_kind_check")
    _tables()
    op.add_column("rankings", sa.Column("came_free_rank", sa.Integer(), nullable=True))
    made = "CREATE INDEX referrals_waiting_idx ON referrals USING btree (created_at, id)"
    op.execute(f"-- squawk-ignore require-concurrent-index-creation\n{made} WHERE status IN ('open', 'held')")
    for name, function in FUNCTIONS:
        op.execute(function)
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION trajectories_in_use(uuid) TO plek_app")
    for name, table, when, condition, function in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION {function}"
        )
    for table, rules in RULES.items():
        op.execute(f"GRANT {', '.join(rules)} ON {table} TO plek_app")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY operator ON {table} TO CURRENT_USER USING ((SELECT acting()) = 'operator')")
        for command, rule in rules.items():
            condition = f"WITH CHECK ({rule})" if command == "INSERT" else f"USING ({rule})"
            op.execute(f'CREATE POLICY "{command.lower()}" ON {table} FOR {command} {condition}')
    op.execute('CREATE POLICY "insert" ON vacancies FOR INSERT TO CURRENT_USER WITH CHECK (true)')
    for table, rule in OF_THE_WORKER:
        op.execute(f"CREATE POLICY worker_waiting ON {table} {rule}")
    # What the worker may read now it may not destroy: only of closed referrals, which the reading alone saw to so far.
    closed = OF_WAITING.replace("= 'open'", "IN ('ended', 'withdrawn')")
    op.execute(f'ALTER POLICY "delete" ON referral_secrets USING ({WORKER} AND {closed})')
    op.execute(
        "INSERT INTO timers (name, due_at, leased_until)"
        " VALUES ('reminders', '-infinity', '-infinity'), ('vacancies', '-infinity', '-infinity')"
    )


def _tables() -> None:
    _alternatives()
    op.create_table(
        "contacts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        _stamp("at"),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["referral_id"], ["referrals.id"], name=op.f("contacts_referral_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("contacts_pkey")),
    )
    op.create_index(op.f("contacts_referral_id_at_id_idx"), "contacts", ["referral_id", "at", "id"])
    op.create_table(
        "vacancies",
        sa.Column("id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("provider_id", "site_id", "group_id")),
        *(sa.Column(name, sa.Uuid(), nullable=True) for name in ("place_id", "left_by")),
        _stamp("freed_at"),
        sa.Column("reached", sa.Uuid(), nullable=True),
        sa.Column("lawful_for", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("lawful_for >= 0", name=op.f("vacancies_lawful_for_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("vacancies_pkey")),
    )
    op.create_index("vacancies_provider_idx", "vacancies", ["provider_id", "freed_at", "id"])
    op.create_index(
        "vacancies_uncounted_idx", "vacancies", ["freed_at"], postgresql_where=sa.text("counted_at IS NULL")
    )
    op.create_table(
        "reminders",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        _stamp("told_at"),
        sa.CheckConstraint(
            "what IN ('contact', 'safety_plan', 'alternative_check', 'alternative_nights')",
            name=op.f("reminders_what_check"),
        ),
        sa.ForeignKeyConstraint(
            ["referral_id"], ["referrals.id"], name=op.f("reminders_referral_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("referral_id", "what", "due_at", name=op.f("reminders_pkey")),
    )


def _alternatives() -> None:
    op.create_table(
        "alternatives",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("responsible_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        _stamp("started_at"),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("next_check_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('emergency_bed', 'hotel', 'holiday_park', 'ambulatory')", name=op.f("alternatives_kind_check")
        ),
        sa.CheckConstraint("outcome IN ('well', 'not_well', 'not_reached')", name=op.f("alternatives_outcome_check")),
        sa.CheckConstraint("(checked_at IS NULL) = (outcome IS NULL)", name=op.f("alternatives_checked_check")),
        sa.CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name=op.f("alternatives_ended_check")),
        sa.CheckConstraint("kind <> 'emergency_bed' OR until IS NOT NULL", name=op.f("alternatives_nights_check")),
        sa.ForeignKeyConstraint(
            ["referral_id"], ["referrals.id"], name=op.f("alternatives_referral_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name=op.f("alternatives_provider_id_fkey")),
        sa.ForeignKeyConstraint(["responsible_id"], ["providers.id"], name=op.f("alternatives_responsible_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("alternatives_pkey")),
    )
    live = sa.text("ended_at IS NULL")
    op.create_index("alternatives_live_key", "alternatives", ["referral_id"], unique=True, postgresql_where=live)
    for side in ("responsible", "provider"):
        columns = [f"{side}_id", "next_check_at", "id"]
        op.create_index(f"alternatives_{side}_idx", "alternatives", columns, postgresql_where=live)
    op.create_table(
        "ambulatory_capacities",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.CheckConstraint("capacity BETWEEN 0 AND 10000", name=op.f("ambulatory_capacities_capacity_check")),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["providers.id"], name=op.f("ambulatory_capacities_provider_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("provider_id", name=op.f("ambulatory_capacities_pkey")),
    )


def _stamp(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False)


def downgrade() -> None:
    """Take it all away."""
    op.execute("DELETE FROM timers WHERE name IN ('reminders', 'vacancies')")
    op.execute(f'ALTER POLICY "delete" ON referral_secrets USING ({WORKER})')
    for table, _rule in OF_THE_WORKER:
        op.execute(f"DROP POLICY worker_waiting ON {table}")
    for name, table, *_rest in TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON {table}")
    for name, _function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}")
    op.execute("DROP INDEX referrals_waiting_idx")
    op.drop_column("rankings", "came_free_rank")
    for table in RULES:
        op.drop_table(table)
