"""Addresses for those on their way alone, and notices to a desk."""

from alembic import op

from migrations import sql

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

# Nothing is released yet: no access log is so long that these would hold anybody up.
UP = (
    """-- squawk-ignore require-concurrent-index-deletion
    DROP INDEX access_log_reveals_idx""",
    """-- squawk-ignore require-concurrent-index-creation
    CREATE INDEX access_log_reveals_idx ON access_log (object_id, id)
    WHERE action IN ('reveal', 'give_back')""",
    """-- squawk-ignore require-concurrent-index-deletion
    DROP INDEX access_log_break_glass_idx""",
    """-- squawk-ignore require-concurrent-index-creation
    CREATE INDEX access_log_desk_idx ON access_log (provider_id, id)
    WHERE action IN ('break_glass', 'take_over', 'raise')""",
)
DOWN = (
    "DROP INDEX access_log_desk_idx",
    """CREATE INDEX access_log_break_glass_idx ON access_log (provider_id, id)
    WHERE action = 'break_glass'""",
    "DROP INDEX access_log_reveals_idx",
    "CREATE INDEX access_log_reveals_idx ON access_log (object_id, id) WHERE action = 'reveal'",
)


def upgrade() -> None:
    """Index what a desk and a site's owner are told of; rules are in `registry.sql`."""
    for statement in UP:
        op.execute(statement)
    sql.apply("registry", "access_log", "budgets")


def downgrade() -> None:
    """Index what they were told of before."""
    for statement in DOWN:
        op.execute(statement)
