"""Let who did not leave be where they live again, and an arrival be dated back."""

from migrations import sql

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give back a place that nobody else relies on, and say who had one meanwhile."""
    sql.apply("placements", "budgets")


def downgrade() -> None:
    """Leave all of it: functions and rules are always those of the files."""
