"""Tell everyone concerned of a change of an account that opens no provider."""

from migrations import sql

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Write to a provider that loses an account's help, and to the owner of one at none."""
    sql.apply("account_changes", "notices", "vouchings", "placements")


def downgrade() -> None:
    """Leave it: functions are always those of the files."""
