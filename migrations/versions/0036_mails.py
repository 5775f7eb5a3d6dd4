"""Let people be told by mail what concerns their account, their desk, or their oversight."""

from alembic import op

from migrations import sql

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE mails (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    account_id uuid NOT NULL,
    subject text NOT NULL,
    moment timestamptz,
    made_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    ended_at timestamptz,
    outcome text,
    CONSTRAINT mails_pkey PRIMARY KEY (id),
    CONSTRAINT mails_subject_check CHECK (
        subject IN ('account_asked', 'account_changed', 'vouched', 'budget_alarm', 'budget_raised')
    ),
    CONSTRAINT mails_outcome_check CHECK (outcome IN ('sent', 'given_up', 'no_address')),
    CONSTRAINT mails_ended_check CHECK ((ended_at IS NULL) = (outcome IS NULL)),
    CONSTRAINT mails_account_id_fkey
        FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE
);
CREATE INDEX mails_waiting_idx ON mails (next_at) WHERE ended_at IS NULL;
CREATE INDEX mails_made_at_idx ON mails (made_at);
"""


def upgrade() -> None:
    """Make the table of mails, and who is written to."""
    for statement in sql.statements(TABLES):
        op.execute(statement)
    sql.apply("notices", "account_changes", "budgets")


def downgrade() -> None:
    """Take the table away: what was not sent is not sent."""
    op.execute("DROP TABLE mails CASCADE")
