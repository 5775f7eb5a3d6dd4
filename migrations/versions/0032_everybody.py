"""Acts for everybody are right, whatever a shield hides from who acts."""

from migrations import sql

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Free a place, and ask where a household went on to, with the database's own eyes."""
    sql.apply("placements", "ledger")


def downgrade() -> None:
    """Leave all of it: functions and rules are always those of the files."""
