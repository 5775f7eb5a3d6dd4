"""Plans for a peak: counts that administrators ask for and the worker makes; answers about several referrals."""

# ruff: noqa: S608 - every statement is made of the constants here

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# As 0008 has it: in sub-selects, so that they are worked out once a statement and not once a row.
PROVIDER = "(SELECT my_provider())"
ACCOUNT = "(SELECT my_account())"
WORKER = "(SELECT acting()) = 'worker'"
ADMINISTRATOR = "(SELECT i_am('administrator'))"

RULES = {
    "select": f"FOR SELECT USING ({ADMINISTRATOR} OR {WORKER})",
    "insert": f"FOR INSERT WITH CHECK ({ADMINISTRATOR} AND account_id = {ACCOUNT})",
    "update": f"FOR UPDATE USING ({WORKER})",
    "delete": f"FOR DELETE USING ({WORKER})",
}


def unshielded(referral: str) -> str:
    """Whether a referral has no named colleagues, or the caller is one of them: as 0008 has it."""
    return (
        "(SELECT coalesce(bool_or(s.account_id = my_account() AND (s.until IS NULL OR s.until > now())), true)"
        f" FROM shields AS s WHERE s.referral_id = {referral})"
    )


# A list of referrals is shown again to those who may see each of them.
ALL_UNSHIELDED = f"NOT EXISTS (SELECT FROM unnest(referral_ids) AS r (id) WHERE NOT {unshielded('r.id')})"


def answers_rule(*, several: str) -> str:
    """Who may read a kept answer again: as 0008 has it, and where it is about several referrals."""
    return f"(account_id = {ACCOUNT} AND {unshielded('answers.referral_id')}{several}) OR {WORKER}"


def upgrade() -> None:
    """Make the table, its walls and its timer; let answers name several referrals."""
    op.create_table(
        "peak_plans",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counts", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint("(made_at IS NULL) = (counts IS NULL)", name=op.f("peak_plans_made_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("peak_plans_pkey")),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON peak_plans TO plek_app")
    op.execute("ALTER TABLE peak_plans ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE peak_plans FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY operator ON peak_plans TO CURRENT_USER USING ((SELECT acting()) = 'operator')")
    for name, rule in RULES.items():
        op.execute(f'CREATE POLICY "{name}" ON peak_plans {rule}')
    op.execute("INSERT INTO timers (name, due_at, leased_until) VALUES ('peaks', '-infinity', '-infinity')")
    op.add_column(
        "answers",
        sa.Column("referral_ids", postgresql.ARRAY(sa.Uuid()), server_default=sa.text("'{}'::uuid[]"), nullable=False),
    )
    _rule("answers", answers_rule(several=f" AND {ALL_UNSHIELDED}"))


def _rule(table: str, rule: str) -> None:
    op.execute(f'DROP POLICY IF EXISTS "select" ON {table}')
    op.execute(f'CREATE POLICY "select" ON {table} FOR SELECT USING ({rule})')


def downgrade() -> None:
    """Take them away."""
    _rule("answers", answers_rule(several=""))
    op.drop_column("answers", "referral_ids")
    op.execute("DELETE FROM timers WHERE name = 'peaks'")
    op.drop_table("peak_plans")
