"""Let a decline be taken back, and a referral be closed for a reason and opened again."""

from alembic import op

from migrations import sql

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add why and when a referral was closed, and when a decline was taken back."""
    op.execute("ALTER TABLE referrals ADD COLUMN closed_because text")
    op.execute("ALTER TABLE referrals ADD COLUMN closed_at timestamptz")
    op.execute("ALTER TABLE holds ADD COLUMN decline_withdrawn_at timestamptz")
    sql.apply("budgets", "alternatives", "referrals", "holds")


def downgrade() -> None:
    """Forget it; a decline that was taken back bars its site again."""
    op.execute("DROP TRIGGER resume_alternative ON referrals")
    op.execute("ALTER TABLE holds DROP COLUMN decline_withdrawn_at")
    op.execute("ALTER TABLE referrals DROP COLUMN closed_at, DROP COLUMN closed_because")
