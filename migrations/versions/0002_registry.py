"""The register of places."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "providers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("providers_pkey")),
        sa.UniqueConstraint("slug", name=op.f("providers_slug_key")),
    )
    op.create_table(
        "provider_regions",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["providers.id"], name=op.f("provider_regions_provider_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["region"], ["regions.code"], name=op.f("provider_regions_region_fkey")),
        sa.PrimaryKeyConstraint("provider_id", "region", name=op.f("provider_regions_pkey")),
    )
    op.create_table(
        "sites",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("municipality", sa.Text(), nullable=False),
        sa.Column("address_secrecy", sa.Text(), nullable=False),
        sa.Column("supervision", sa.Text(), nullable=False),
        sa.Column("features", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("specialisms", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("exclusive_to", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("admission", sa.Text(), nullable=False),
        sa.Column("automatic_acceptance", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint(
            "NOT automatic_acceptance OR address_secrecy = 'known'",
            name=op.f("sites_confidential_never_automatic_check"),
        ),
        sa.CheckConstraint("address_secrecy IN ('confidential', 'known')", name=op.f("sites_address_secrecy_check")),
        sa.CheckConstraint("admission IN ('open', 'paused')", name=op.f("sites_admission_check")),
        sa.CheckConstraint("supervision IN ('24h', 'daytime', 'none')", name=op.f("sites_supervision_check")),
        sa.ForeignKeyConstraint(["municipality"], ["municipalities.code"], name=op.f("sites_municipality_fkey")),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name=op.f("sites_provider_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("sites_pkey")),
    )
    op.create_table(
        "site_secrets",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name=op.f("site_secrets_provider_id_fkey")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("site_secrets_site_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("site_id", name=op.f("site_secrets_pkey")),
    )
    op.create_table(
        "place_groups",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("bed_spaces", sa.Integer(), nullable=False),
        sa.Column("sharing", sa.Text(), nullable=False),
        sa.Column("genders", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("sons_up_to_age", sa.Integer(), nullable=False),
        sa.Column("features", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("places", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('crisis', 'regular', 'emergency', 'move_on', 'alternative')", name=op.f("place_groups_kind_check")
        ),
        sa.CheckConstraint(
            "sharing IN ('own_unit', 'shared_facilities', 'shared_room')", name=op.f("place_groups_sharing_check")
        ),
        sa.CheckConstraint("bed_spaces BETWEEN 1 AND 50", name=op.f("place_groups_bed_spaces_check")),
        sa.CheckConstraint("cardinality(genders) > 0", name=op.f("place_groups_genders_check")),
        sa.CheckConstraint("places >= 0", name=op.f("place_groups_places_check")),
        sa.CheckConstraint("sons_up_to_age BETWEEN 0 AND 25", name=op.f("place_groups_sons_up_to_age_check")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("place_groups_site_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("place_groups_pkey")),
        sa.UniqueConstraint(
            "site_id",
            "kind",
            "bed_spaces",
            "sharing",
            "genders",
            "sons_up_to_age",
            "features",
            name=op.f("place_groups_site_id_kind_bed_spaces_sharing_genders_sons_up_to_age_features_key"),
        ),
    )
    op.create_table(
        "places",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["group_id"], ["place_groups.id"], name=op.f("places_group_id_fkey")),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name=op.f("places_provider_id_fkey")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("places_site_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("places_pkey")),
        sa.UniqueConstraint("id", "group_id", name=op.f("places_id_group_id_key")),
    )
    op.create_table(
        "place_secrets",
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["place_id"], ["places.id"], name=op.f("place_secrets_place_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name=op.f("place_secrets_provider_id_fkey")),
        sa.PrimaryKeyConstraint("place_id", name=op.f("place_secrets_pkey")),
    )
    op.create_table(
        "registers",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("registers_pkey")),
    )
    op.create_index(op.f("provider_regions_region_idx"), "provider_regions", ["region"], unique=False)
    op.create_index(op.f("sites_provider_id_idx"), "sites", ["provider_id"], unique=False)
    op.create_index(op.f("site_secrets_provider_id_idx"), "site_secrets", ["provider_id"], unique=False)
    op.create_index(op.f("places_group_id_idx"), "places", ["group_id"], unique=False)
    op.create_index(op.f("places_provider_id_idx"), "places", ["provider_id"], unique=False)
    op.create_index(op.f("places_site_id_idx"), "places", ["site_id"], unique=False)
    op.create_index(op.f("place_secrets_provider_id_idx"), "place_secrets", ["provider_id"], unique=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("registers")
    op.drop_table("place_secrets")
    op.drop_table("places")
    op.drop_table("place_groups")
    op.drop_table("site_secrets")
    op.drop_table("sites")
    op.drop_table("provider_regions")
    op.drop_table("providers")
