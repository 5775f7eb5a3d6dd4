"""Keep what the weekly review finds, and the answers."""

from alembic import op

from migrations import sql

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

UP = (
    """CREATE TABLE review_weeks (
    first_day date NOT NULL,
    accounts integer NOT NULL,
    reviewed_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT review_weeks_pkey PRIMARY KEY (first_day)
)""",
    """CREATE TABLE review_findings (
    id uuid NOT NULL,
    week date NOT NULL,
    account_id uuid NOT NULL,
    provider_id uuid,
    points integer NOT NULL,
    facts jsonb NOT NULL,
    answer text,
    answered_by uuid,
    answered_at timestamptz,
    CONSTRAINT review_findings_pkey PRIMARY KEY (id),
    CONSTRAINT review_findings_answer_check CHECK (
        (answer IS NULL) = (answered_at IS NULL) AND (answer IS NULL) = (answered_by IS NULL)
    ),
    CONSTRAINT review_findings_another_check CHECK (answered_by <> account_id),
    CONSTRAINT review_findings_week_fkey FOREIGN KEY (week) REFERENCES review_weeks(first_day)
)""",
    "CREATE UNIQUE INDEX review_findings_week_key ON review_findings (week, account_id)",
    """INSERT INTO timers (name, due_at, leased_until)
  VALUES ('reviews', '-infinity', '-infinity')""",
)


def upgrade() -> None:
    """Make the tables; what counts and who answers is in `migrations/sql/reviews.sql`."""
    for statement in UP:
        op.execute(statement)
    sql.apply("reviews")


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP TABLE review_findings, review_weeks")
    op.execute("DELETE FROM timers WHERE name = 'reviews'")
