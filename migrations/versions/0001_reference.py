"""Reference data: the country, its distances, weights and policies."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "regions",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.CheckConstraint("population >= 0", name=op.f("regions_population_check")),
        sa.PrimaryKeyConstraint("code", name=op.f("regions_pkey")),
    )
    op.create_table(
        "municipalities",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("province", sa.Text(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("extent_km", sa.Integer(), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.CheckConstraint("extent_km > 0", name=op.f("municipalities_extent_check")),
        sa.CheckConstraint("population >= 0", name=op.f("municipalities_population_check")),
        sa.ForeignKeyConstraint(["region"], ["regions.code"], name=op.f("municipalities_region_fkey")),
        sa.PrimaryKeyConstraint("code", name=op.f("municipalities_pkey")),
    )
    op.create_table(
        "clearances",
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("km", sa.Integer(), nullable=False),
        sa.Column("centroid_km", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site"], ["municipalities.code"], name=op.f("clearances_site_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["zone"], ["municipalities.code"], name=op.f("clearances_zone_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("zone", "site", name=op.f("clearances_pkey")),
    )
    op.create_table(
        "weights",
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("weight >= 0", name=op.f("weights_weight_check")),
        sa.ForeignKeyConstraint(["region"], ["regions.code"], name=op.f("weights_region_fkey")),
        sa.PrimaryKeyConstraint("region", "valid_from", name=op.f("weights_pkey")),
    )
    op.create_table(
        "policies",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("policies_pkey")),
        sa.UniqueConstraint("version", name=op.f("policies_version_key")),
    )
    op.create_index(op.f("municipalities_region_idx"), "municipalities", ["region"], unique=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("policies")
    op.drop_table("weights")
    op.drop_table("clearances")
    op.drop_table("municipalities")
    op.drop_table("regions")
