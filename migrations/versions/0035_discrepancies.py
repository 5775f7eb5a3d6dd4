"""Records that disagree, as the daily comparison finds them."""

from alembic import op

from migrations import sql

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

UP = (
    """CREATE TABLE discrepancies (
    code text NOT NULL,
    subject uuid NOT NULL,
    found_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    gone_at timestamptz,
    CONSTRAINT discrepancies_pkey PRIMARY KEY (code, subject)
)""",
    """INSERT INTO timers (name, due_at, leased_until)
  VALUES ('consistency', '-infinity', '-infinity')""",
)
DOWN = ("DELETE FROM timers WHERE name = 'consistency'", "DROP TABLE discrepancies")


def upgrade() -> None:
    """Make their table and the timer of the work; rules are in `operations.sql`."""
    for statement in UP:
        op.execute(statement)
    sql.apply("operations")


def downgrade() -> None:
    """Forget them."""
    for statement in DOWN:
        op.execute(statement)
