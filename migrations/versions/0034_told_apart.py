"""Let no two sites of a provider, and no two places of a site, be called the same."""

from alembic import op

from migrations import sql

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

# Nothing is released yet: no register is so long that these would hold anybody up. What was named
# before has no hash: no migration has the key for one.
UP = (
    "ALTER TABLE site_secrets ADD COLUMN name_hash bytea",
    """-- squawk-ignore constraint-missing-not-valid, disallowed-unique-constraint
    ALTER TABLE site_secrets ADD CONSTRAINT site_secrets_name_hash_key UNIQUE (name_hash)""",
    "ALTER TABLE place_secrets ADD COLUMN label_hash bytea",
    """-- squawk-ignore constraint-missing-not-valid, disallowed-unique-constraint
    ALTER TABLE place_secrets ADD CONSTRAINT place_secrets_label_hash_key UNIQUE (label_hash)""",
)


def upgrade() -> None:
    """Add what names and labels are told apart by."""
    for statement in UP:
        op.execute(statement)
    sql.apply("registry", "proposals")


def downgrade() -> None:
    """Let several be called the same again."""
    op.execute("ALTER TABLE place_secrets DROP COLUMN label_hash")
    op.execute("ALTER TABLE site_secrets DROP COLUMN name_hash")
