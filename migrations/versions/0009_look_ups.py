"""The access log by referral, and by what its owners are told of: such that an index finds it behind the walls.

Row-level security is applied before any condition whose operators are not known to be leakproof; those of arrays are
not, so no index on the entries' own `referral_ids` would ever be used.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# What a shelter's coordinators are told of; their own sites' and colleagues' rows, newest first.
NOTICES = (
    ("access_log_reveals_idx", "object_id", "reveal"),
    ("access_log_break_glass_idx", "provider_id", "break_glass"),
)

# As 0008 has it: in sub-selects, so that they are worked out once a statement and not once a row.
CASE_STAFF = "(SELECT i_am('intake_worker') OR i_am('coordinator'))"
OWN = "EXISTS (SELECT FROM referrals AS r WHERE r.id = referral_id AND r.provider_id = (SELECT my_provider()))"

# As the owner, whose rights alone suffice: the application can write the log, and nothing but the log.
NOTE_REFERRALS = """
CREATE FUNCTION note_referrals() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO access_log_referrals (referral_id, entry_id) SELECT DISTINCT unnest(NEW.referral_ids), NEW.id;
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    """Note of each entry which referrals it names, and index what owners are told of."""
    op.create_table(
        "access_log_referrals",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("referral_id", "entry_id", name=op.f("access_log_referrals_pkey")),
    )
    op.execute("INSERT INTO access_log_referrals SELECT DISTINCT unnest(referral_ids), id FROM access_log")
    op.execute(NOTE_REFERRALS)
    op.execute("REVOKE ALL ON FUNCTION note_referrals() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER note_referrals AFTER INSERT ON access_log FOR EACH ROW"
        " WHEN (NEW.referral_ids <> '{}') EXECUTE FUNCTION note_referrals()"
    )
    op.execute(
        "CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON access_log_referrals"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute("GRANT SELECT ON access_log_referrals TO plek_app")
    op.execute("ALTER TABLE access_log_referrals ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE access_log_referrals FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY operator ON access_log_referrals TO CURRENT_USER USING ((SELECT acting()) = 'operator')")
    op.execute(f'CREATE POLICY "select" ON access_log_referrals FOR SELECT USING ({CASE_STAFF} AND {OWN})')
    op.execute('CREATE POLICY "insert" ON access_log_referrals FOR INSERT TO CURRENT_USER WITH CHECK (true)')
    for name, column, action in NOTICES:
        made = f"CREATE INDEX {name} ON access_log USING btree ({column}, id) WHERE action = '{action}'"
        op.execute(f"-- squawk-ignore require-concurrent-index-creation\n{made}")


def downgrade() -> None:
    """Take them away."""
    for name, _column, _action in NOTICES:
        op.execute(f"DROP INDEX {name}")
    op.execute("DROP TRIGGER note_referrals ON access_log")
    op.execute("DROP FUNCTION note_referrals()")
    op.execute("REVOKE ALL ON access_log_referrals FROM plek_app")
    op.drop_table("access_log_referrals")
