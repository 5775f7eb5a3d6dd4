"""What the walls keep account of: named colleagues, erasures, whose answer was kept, which referrals were looked at."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

INDEXES = (
    ("access_log_at_idx", "access_log", "at", "btree"),
    ("answers_referral_id_idx", "answers", "referral_id", "btree"),
)


def upgrade() -> None:
    """Add the tables and columns."""
    op.create_table(
        "shields",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("broken_because", sa.Text(), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("(broken_because IS NULL) = (until IS NULL)", name=op.f("shields_broken_check")),
        sa.ForeignKeyConstraint(
            ["referral_id"], ["referrals.id"], name=op.f("shields_referral_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("referral_id", "account_id", name=op.f("shields_pkey")),
    )
    op.create_index(op.f("shields_provider_id_idx"), "shields", ["provider_id"], unique=False)
    op.create_table(
        "erasures",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.CheckConstraint("cause IN ('request', 'retention', 'restore')", name=op.f("erasures_cause_check")),
        sa.PrimaryKeyConstraint("referral_id", name=op.f("erasures_pkey")),
    )
    op.add_column("accounts", sa.Column("name", sa.Text(), nullable=True))
    op.add_column("accounts", sa.Column("demo", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("answers", sa.Column("referral_id", sa.Uuid(), nullable=True))
    op.add_column("shares", sa.Column("deficit", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("shares", sa.Column("shown_on", sa.Date(), nullable=True))
    # Another kind is allowed and none forbidden: every row that there is still fits. The next migration validates it.
    op.execute("-- squawk-ignore ban-drop-constraint\nALTER TABLE outbox DROP CONSTRAINT outbox_kind_check")
    op.execute(
        "ALTER TABLE outbox ADD CONSTRAINT outbox_kind_check"
        " CHECK (kind IN ('availability', 'hold', 'placement', 'swap', 'access')) NOT VALID"
    )
    _widen_access_log()
    op.execute("INSERT INTO timers (name, due_at, leased_until) VALUES ('retention', '-infinity', '-infinity')")
    for name, table, columns, using in INDEXES:
        made = f"CREATE INDEX {name} ON {table} USING {using} ({columns})"
        op.execute(f"-- squawk-ignore require-concurrent-index-creation\n{made}")


def _widen_access_log() -> None:
    """Let an entry name several referrals, as a page of a list shows many; and let there be very many entries."""
    op.execute("ALTER TABLE access_log DISABLE TRIGGER only_grows")
    op.execute("ALTER TABLE access_log ADD COLUMN referral_ids uuid[] DEFAULT '{}'::uuid[] NOT NULL")
    op.execute("UPDATE access_log SET referral_ids = ARRAY[referral_id] WHERE referral_id IS NOT NULL")
    # Before the first release: there are no processes of another one that would miss the old shape.
    op.execute("-- squawk-ignore ban-drop-column\nALTER TABLE access_log DROP COLUMN referral_id")
    op.execute("-- squawk-ignore changing-column-type\nALTER TABLE access_log ALTER COLUMN id TYPE bigint")
    op.execute("ALTER TABLE access_log ENABLE TRIGGER only_grows")


def downgrade() -> None:
    """Take them away; an entry of the access log keeps the first referral that it named."""
    op.execute("DELETE FROM timers WHERE name = 'retention'")
    for name, _table, _columns, _using in INDEXES:
        op.execute(f"DROP INDEX {name}")
    op.execute("ALTER TABLE access_log DISABLE TRIGGER only_grows")
    op.execute("ALTER TABLE access_log ADD COLUMN referral_id uuid")
    op.execute("UPDATE access_log SET referral_id = referral_ids[1]")
    op.execute("ALTER TABLE access_log DROP COLUMN referral_ids")
    op.execute("ALTER TABLE access_log ALTER COLUMN id TYPE integer")
    op.execute("ALTER TABLE access_log ENABLE TRIGGER only_grows")
    op.execute("DELETE FROM outbox WHERE kind = 'access'")
    op.execute("ALTER TABLE outbox DROP CONSTRAINT outbox_kind_check")
    op.execute(
        "ALTER TABLE outbox ADD CONSTRAINT outbox_kind_check"
        " CHECK (kind IN ('availability', 'hold', 'placement', 'swap'))"
    )
    op.drop_column("shares", "shown_on")
    op.drop_column("shares", "deficit")
    op.drop_column("answers", "referral_id")
    op.drop_column("accounts", "demo")
    op.drop_column("accounts", "name")
    op.drop_table("erasures")
    op.drop_table("shields")
