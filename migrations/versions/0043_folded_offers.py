"""Hold a place of any of the groups that an offer stands for."""

from alembic import op

from migrations import sql

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let the function's new form take the place of the old one."""
    # No release has called the old form: nothing that runs waits for it.
    op.execute(
        """-- squawk-ignore ban-drop-function
        DROP FUNCTION IF EXISTS take_hold"""
    )
    sql.apply("rankings", "holds")


def downgrade() -> None:
    """Leave it: functions are always those of the files."""
