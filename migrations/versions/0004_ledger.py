"""The ledger and the running shares."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "leaves",
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("placement_id", sa.Uuid(), nullable=True),
        sa.Column(
            "written_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("type IN ('arrival', 'departure', 'correction')", name=op.f("leaves_type_check")),
        sa.CheckConstraint("index >= 0", name=op.f("leaves_index_check")),
        sa.PrimaryKeyConstraint("index", name=op.f("leaves_pkey")),
    )
    op.create_table(
        "openings",
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("origin_region", sa.Text(), nullable=False),
        sa.Column("receiving_region", sa.Text(), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["index"], ["leaves.index"], name=op.f("openings_index_fkey")),
        sa.ForeignKeyConstraint(["origin_region"], ["regions.code"], name=op.f("openings_origin_region_fkey")),
        sa.ForeignKeyConstraint(["receiving_region"], ["regions.code"], name=op.f("openings_receiving_region_fkey")),
        sa.PrimaryKeyConstraint("index", name=op.f("openings_pkey")),
    )
    op.create_table(
        "shares",
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("given", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("quota", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["region"], ["regions.code"], name=op.f("shares_region_fkey")),
        sa.PrimaryKeyConstraint("region", name=op.f("shares_pkey")),
    )
    op.create_index(
        "leaves_once_key",
        "leaves",
        ["placement_id", "type"],
        unique=True,
        postgresql_where=sa.text("type IN ('arrival', 'departure')"),
    )
    op.create_index(op.f("openings_origin_region_idx"), "openings", ["origin_region"], unique=False)
    op.create_index(op.f("openings_receiving_region_idx"), "openings", ["receiving_region"], unique=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("shares")
    op.drop_table("openings")
    op.drop_table("leaves")
