"""Take a hold in one call, and look holds up by their indexes under any plan."""

from migrations import sql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the functions that every request asks, and the name of the owner's rules."""
    sql.apply(*sql.SUBJECTS)


def downgrade() -> None:
    """Leave all of it: functions and rules are always those of the files."""
