"""Referrals, rankings, holds, stays and placements."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "referrals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("(status = 'held') = (hold_id IS NOT NULL)", name=op.f("referrals_held_check")),
        sa.CheckConstraint(
            "reason IN ('safety', 'capacity', 'follow_on', 'return')", name=op.f("referrals_reason_check")
        ),
        sa.CheckConstraint(
            "status IN ('open', 'held', 'placed', 'ended', 'withdrawn')", name=op.f("referrals_status_check")
        ),
        sa.CheckConstraint("urgency IN ('acute', 'urgent', 'planned')", name=op.f("referrals_urgency_check")),
        sa.CheckConstraint("(hold_id IS NULL) = (held_until IS NULL)", name=op.f("referrals_held_until_check")),
        sa.ForeignKeyConstraint(["origin"], ["municipalities.code"], name=op.f("referrals_origin_fkey")),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name=op.f("referrals_provider_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("referrals_pkey")),
        sa.UniqueConstraint("hold_id", name=op.f("referrals_hold_id_key")),
        sa.UniqueConstraint("reference", name=op.f("referrals_reference_key")),
    )
    op.create_table(
        "referral_secrets",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name=op.f("referral_secrets_provider_id_fkey")),
        sa.ForeignKeyConstraint(
            ["referral_id"], ["referrals.id"], name=op.f("referral_secrets_referral_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("referral_id", name=op.f("referral_secrets_pkey")),
    )
    op.create_table(
        "rankings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("referral_version", sa.Integer(), nullable=False),
        sa.Column("register_version", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("policy_hash", sa.Text(), nullable=False),
        sa.Column("register_hash", sa.Text(), nullable=False),
        sa.Column("rules_version", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["referral_id"], ["referrals.id"], name=op.f("rankings_referral_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("rankings_pkey")),
    )
    op.create_table(
        "holds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("receiver_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ranking_id", sa.Uuid(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("override_reason", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("accepted_by", sa.Text(), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("renewals_left", sa.Integer(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status IN ('pending', 'accepted')) = (resolved_at IS NULL)", name=op.f("holds_resolved_check")
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'accepted', 'placed', 'declined', 'no_answer', 'released', 'expired')",
            name=op.f("holds_status_check"),
        ),
        sa.CheckConstraint("accepted_by IS NULL OR accepted_at IS NOT NULL", name=op.f("holds_accepted_by_check")),
        sa.CheckConstraint("renewals_left >= 0", name=op.f("holds_renewals_left_check")),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("holds_place_id_fkey")),
        sa.ForeignKeyConstraint(["ranking_id"], ["rankings.id"], name=op.f("holds_ranking_id_fkey")),
        sa.ForeignKeyConstraint(["referral_id"], ["referrals.id"], name=op.f("holds_referral_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("holds_pkey")),
    )
    op.create_table(
        "stays",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name=op.f("stays_provider_id_fkey")),
        sa.ForeignKeyConstraint(["referral_id"], ["referrals.id"], name=op.f("stays_referral_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("stays_pkey")),
    )
    op.create_table(
        "placements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("stay_id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("receiver_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="underway", nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("origin_region", sa.Text(), nullable=False),
        sa.Column("receiving", sa.Text(), nullable=False),
        sa.Column("cross_regional", sa.Boolean(), nullable=False),
        sa.Column("expected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("no_show_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("safety_checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("departed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("destination", sa.Text(), nullable=True),
        sa.Column("blockers", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("expected_departure", sa.Date(), nullable=True),
        sa.Column("ready_to_leave_since", sa.Date(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("(status = 'ended') = (departed_at IS NOT NULL)", name=op.f("placements_departed_check")),
        sa.CheckConstraint("(status = 'no_show') = (no_show_at IS NOT NULL)", name=op.f("placements_no_show_check")),
        sa.CheckConstraint(
            "(status IN ('arrived', 'ended')) = (arrived_at IS NOT NULL)", name=op.f("placements_arrived_check")
        ),
        sa.CheckConstraint(
            "status IN ('underway', 'arrived', 'no_show', 'ended')", name=op.f("placements_status_check")
        ),
        sa.CheckConstraint("departed_at >= arrived_at", name=op.f("placements_order_check")),
        sa.ForeignKeyConstraint(["hold_id"], ["holds.id"], name=op.f("placements_hold_id_fkey")),
        sa.ForeignKeyConstraint(["origin"], ["municipalities.code"], name=op.f("placements_origin_fkey")),
        sa.ForeignKeyConstraint(["origin_region"], ["regions.code"], name=op.f("placements_origin_region_fkey")),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("placements_place_id_fkey")),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name=op.f("placements_provider_id_fkey")),
        sa.ForeignKeyConstraint(["receiver_id"], ["providers.id"], name=op.f("placements_receiver_id_fkey")),
        sa.ForeignKeyConstraint(["receiving"], ["regions.code"], name=op.f("placements_receiving_fkey")),
        sa.ForeignKeyConstraint(["referral_id"], ["referrals.id"], name=op.f("placements_referral_id_fkey")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("placements_site_id_fkey")),
        sa.ForeignKeyConstraint(["stay_id"], ["stays.id"], name=op.f("placements_stay_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("placements_pkey")),
        sa.UniqueConstraint("hold_id", name=op.f("placements_hold_id_key")),
    )
    op.create_table(
        "claims",
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("placement_id", sa.Uuid(), nullable=True),
        sa.Column(
            "claimed_until",
            sa.DateTime(timezone=True),
            server_default=sa.text("'-infinity'::timestamptz"),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("expected_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("successor_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'out_of_service') = (reason IS NOT NULL) OR kind IS NULL", name=op.f("claims_reason_check")
        ),
        sa.CheckConstraint(
            "CASE WHEN kind IS NULL THEN claimed_until = '-infinity'::timestamptz"
            " AND hold_id IS NULL AND placement_id IS NULL"
            " WHEN kind = 'hold' THEN claimed_until < 'infinity'::timestamptz"
            " AND hold_id IS NOT NULL AND placement_id IS NULL"
            " WHEN kind = 'placement' THEN claimed_until = 'infinity'::timestamptz AND placement_id IS NOT NULL"
            " WHEN kind IN ('occupied', 'out_of_service') THEN claimed_until = 'infinity'::timestamptz"
            " AND hold_id IS NULL AND placement_id IS NULL ELSE false END",
            name=op.f("claims_kind_check"),
        ),
        sa.ForeignKeyConstraint(["hold_id"], ["holds.id"], name=op.f("claims_hold_id_fkey")),
        sa.ForeignKeyConstraint(
            ["place_id", "group_id"],
            ["places.id", "places.group_id"],
            name=op.f("claims_place_id_fkey"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(["placement_id"], ["placements.id"], name=op.f("claims_placement_id_fkey")),
        sa.ForeignKeyConstraint(["successor_id"], ["holds.id"], name=op.f("claims_successor_id_fkey")),
        sa.PrimaryKeyConstraint("place_id", name=op.f("claims_pkey")),
        sa.UniqueConstraint("hold_id", name=op.f("claims_hold_id_key")),
        sa.UniqueConstraint("placement_id", name=op.f("claims_placement_id_key")),
        sa.UniqueConstraint("successor_id", name=op.f("claims_successor_id_key")),
    )
    # Deferred: whoever takes a place marks the referral first, and takes that back when there is no place.
    op.create_foreign_key(
        "referrals_hold_id_fkey", "referrals", "holds", ["hold_id"], ["id"], deferrable=True, initially="DEFERRED"
    )
    op.create_index("referrals_provider_idx", "referrals", ["provider_id", "created_at", "id"], unique=False)
    op.create_index(op.f("referral_secrets_provider_id_idx"), "referral_secrets", ["provider_id"], unique=False)
    op.create_index(op.f("rankings_referral_id_idx"), "rankings", ["referral_id"], unique=False)
    op.create_index(
        "holds_declined_idx", "holds", ["referral_id"], unique=False, postgresql_where=sa.text("status = 'declined'")
    )
    op.create_index(
        "holds_live_place_key", "holds", ["place_id"], unique=True, postgresql_where=sa.text("resolved_at IS NULL")
    )
    op.create_index(
        "holds_live_referral_key",
        "holds",
        ["referral_id"],
        unique=True,
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_index("holds_receiver_idx", "holds", ["receiver_id", "created_at", "id"], unique=False)
    op.create_index("holds_sender_idx", "holds", ["provider_id", "created_at", "id"], unique=False)
    op.create_index(op.f("stays_referral_id_idx"), "stays", ["referral_id"], unique=False)
    op.create_index(op.f("placements_place_id_idx"), "placements", ["place_id"], unique=False)
    op.create_index("placements_receiver_idx", "placements", ["receiver_id", "created_at", "id"], unique=False)
    op.create_index(op.f("placements_referral_id_idx"), "placements", ["referral_id"], unique=False)
    op.create_index("placements_sender_idx", "placements", ["provider_id", "created_at", "id"], unique=False)
    op.create_index(
        "placements_stay_arrived_key",
        "placements",
        ["stay_id"],
        unique=True,
        postgresql_where=sa.text("status = 'arrived'"),
    )
    op.create_index(
        "placements_stay_underway_key",
        "placements",
        ["stay_id"],
        unique=True,
        postgresql_where=sa.text("status = 'underway'"),
    )
    op.create_index(op.f("claims_group_id_claimed_until_idx"), "claims", ["group_id", "claimed_until"], unique=False)
    op.create_index(
        "claims_lapsing_idx", "claims", ["claimed_until"], unique=False, postgresql_where=sa.text("kind = 'hold'")
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_constraint("referrals_hold_id_fkey", "referrals")
    op.drop_table("claims")
    op.drop_table("placements")
    op.drop_table("stays")
    op.drop_table("holds")
    op.drop_table("rankings")
    op.drop_table("referral_secrets")
    op.drop_table("referrals")
