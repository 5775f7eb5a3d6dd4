"""Mails to administrators when records disagree."""

from alembic import op

from migrations import sql

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

# Nothing is released yet: the table is too small for its check to hold anybody up.
SUBJECTS = """
-- squawk-ignore ban-drop-constraint
ALTER TABLE mails DROP CONSTRAINT mails_subject_check;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE mails ADD CONSTRAINT mails_subject_check CHECK (subject IN ({known}));
"""
BEFORE = "'account_asked', 'account_changed', 'vouched', 'budget_alarm', 'budget_raised'"


def upgrade() -> None:
    """Let mails tell of discrepancies; who writes them is in `operations.sql`."""
    for statement in sql.statements(SUBJECTS.format(known=f"{BEFORE}, 'records_disagree'")):
        op.execute(statement)
    sql.apply("operations")


def downgrade() -> None:
    """Forget the mails that told of them."""
    op.execute("DELETE FROM mails WHERE subject = 'records_disagree'")
    for statement in sql.statements(SUBJECTS.format(known=BEFORE)):
        op.execute(statement)
