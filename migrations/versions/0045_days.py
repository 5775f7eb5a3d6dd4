"""Let the days of one household's placements lie in order, at whatever provider."""

from migrations import sql

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the functions that bound a placement's days by those around it."""
    sql.apply("registry", "shares", "alternatives", "placements")


def downgrade() -> None:
    """Leave all of it: functions and rules are always those of the files."""
