"""Where the adding up of nights begins: which stays ran on when totals were made, and which leaves are in clear."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# As 0008 has it. Which leaves belong together is for nobody else: whoever sees that a stay runs could watch it end.
WORKER = "(SELECT acting()) = 'worker'"


def upgrade() -> None:
    """Make the table and its wall; totals that were made before have no row in it, and all is read once more."""
    op.create_table(
        "running_stays",
        sa.Column("leaves", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("arrivals", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("leaves", name=op.f("running_stays_pkey")),
    )
    op.execute("GRANT SELECT, INSERT ON running_stays TO plek_app")
    op.execute("ALTER TABLE running_stays ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE running_stays FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY operator ON running_stays TO CURRENT_USER USING ((SELECT acting()) = 'operator')")
    op.execute(f'CREATE POLICY "select" ON running_stays FOR SELECT USING ({WORKER})')
    op.execute(f'CREATE POLICY "insert" ON running_stays FOR INSERT WITH CHECK ({WORKER})')
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX leaves_in_clear_idx ON leaves USING btree (type, index) WHERE placement_id IS NULL"
    )


def downgrade() -> None:
    """Take both away; all openings are read again then."""
    op.execute("DROP INDEX leaves_in_clear_idx")
    op.drop_table("running_stays")
