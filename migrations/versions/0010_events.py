"""Events about those who wait, about what is due for them, and about dangers that changed."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BEFORE = "'availability', 'hold', 'placement', 'swap', 'access'"
NEW = "'waiting', 'reminder', 'alarm'"


def upgrade() -> None:
    """Let the outbox have them."""
    op.execute("-- squawk-ignore ban-drop-constraint\nALTER TABLE outbox DROP CONSTRAINT outbox_kind_check")
    op.execute(f"ALTER TABLE outbox ADD CONSTRAINT outbox_kind_check CHECK (kind IN ({BEFORE}, {NEW})) NOT VALID")


def downgrade() -> None:
    """Forget those that are there, a day's worth at most."""
    op.execute("DELETE FROM outbox WHERE kind IN ('waiting', 'reminder', 'alarm')")
    op.execute("ALTER TABLE outbox DROP CONSTRAINT outbox_kind_check")
    op.execute(f"ALTER TABLE outbox ADD CONSTRAINT outbox_kind_check CHECK (kind IN ({BEFORE}))")
