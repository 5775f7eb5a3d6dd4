"""Look for those who wait where a danger zone has ended since they were ranked."""

from alembic import op

from migrations import sql

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the timer, and let the worker see when a referral was ranked."""
    op.execute(
        """INSERT INTO timers (name, due_at, leased_until)
        VALUES ('zones', '-infinity', '-infinity')"""
    )
    sql.apply("rankings")


def downgrade() -> None:
    """Stop looking; functions and rules are always those of the files."""
    op.execute("DELETE FROM timers WHERE name = 'zones'")
