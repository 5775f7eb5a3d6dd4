"""Budgets of accounts and desks, and since when a session has proved its second factor."""

from alembic import op

from migrations import sql

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

# A column with a default that is worked out for each row would rewrite its table: it gets its
# default afterwards, and a session from before has proved its factor when it began.
UP = (
    "ALTER TABLE holds ADD COLUMN account_id uuid",
    """CREATE TABLE budget_uses (
    id bigint GENERATED ALWAYS AS IDENTITY,
    account_id uuid NOT NULL,
    kind text NOT NULL,
    subject uuid,
    at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT budget_uses_pkey PRIMARY KEY (id),
    CONSTRAINT budget_uses_kind_check
        CHECK (kind IN ('referrals', 'rankings', 'confidential_sites'))
)""",
    "CREATE INDEX budget_uses_account_idx ON budget_uses (account_id, kind, at)",
    "CREATE INDEX budget_uses_at_idx ON budget_uses (at)",
    """CREATE TABLE budget_raises (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    raised_by uuid NOT NULL,
    as_what text NOT NULL,
    reason text NOT NULL,
    at timestamptz DEFAULT clock_timestamp() NOT NULL,
    until timestamptz NOT NULL,
    CONSTRAINT budget_raises_pkey PRIMARY KEY (id),
    CONSTRAINT budget_raises_as_what_check
        CHECK (as_what IN ('oneself', 'colleague', 'administrator')),
    CONSTRAINT budget_raises_oneself_check CHECK ((as_what = 'oneself') = (raised_by = account_id))
)""",
    "CREATE INDEX budget_raises_account_idx ON budget_raises (account_id, until)",
    "CREATE INDEX budget_raises_desk_idx ON budget_raises (provider_id, at)",
    """CREATE TABLE budget_alarms (
    id bigint GENERATED ALWAYS AS IDENTITY,
    provider_id uuid NOT NULL,
    holds integer NOT NULL,
    at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT budget_alarms_pkey PRIMARY KEY (id)
)""",
    "CREATE INDEX budget_alarms_provider_idx ON budget_alarms (provider_id, at)",
    "ALTER TABLE sessions ADD COLUMN proved_at timestamptz",
    "ALTER TABLE sessions ALTER COLUMN proved_at SET DEFAULT clock_timestamp()",
)
DOWN = (
    "ALTER TABLE sessions DROP COLUMN proved_at",
    "DROP TABLE budget_alarms, budget_raises, budget_uses",
    "ALTER TABLE holds DROP COLUMN account_id",
)
TRIGGERS = (
    "DROP TRIGGER spend_hold ON holds",
    "DROP TRIGGER spend_referral ON referrals",
)


def upgrade() -> None:
    """Make the tables; the functions and rules are in `migrations/sql/budgets.sql`."""
    for statement in UP:
        op.execute(statement)
    sql.apply("budgets", "accounts", "holds", "referrals", "operations")


def downgrade() -> None:
    """Drop them, and the triggers that spend budgets."""
    for statement in (*TRIGGERS, *DOWN):
        op.execute(statement)
