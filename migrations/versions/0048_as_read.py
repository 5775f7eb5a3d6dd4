"""Mend what a reading of functions found: who hears, who may, and what is read."""

from migrations import sql

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tell who loses an account, end codes with their account, and settle what was taken back."""
    sql.apply("notices", "account_changes", "budgets", "dues", "placements", "shares")


def downgrade() -> None:
    """Leave it: functions are always those of the files."""
