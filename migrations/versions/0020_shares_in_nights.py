"""How regions stand is reckoned from the ledger, in nights: what was counted in stays is forgotten."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# The worker's next step reckons it anew, from the openings; until then nobody is ahead and nobody behind.
FORGET = "UPDATE shares SET given = 0, quota = 0, deficit = 0, shown_on = NULL"


def upgrade() -> None:
    """Forget the sums in millionths of a stay."""
    op.execute(FORGET)


def downgrade() -> None:
    """Forget the sums in millionths of a night; stays are counted from here on."""
    op.execute(FORGET)
