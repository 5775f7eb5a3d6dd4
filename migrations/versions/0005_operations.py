"""Accounts, repeats, the access log, the outbox, heads and timers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("roles", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "provider_id IS NOT NULL OR NOT roles && ARRAY['intake_worker', 'coordinator', 'client_system']",
            name=op.f("accounts_provider_check"),
        ),
        sa.CheckConstraint("region IS NOT NULL OR NOT 'auditor' = ANY (roles)", name=op.f("accounts_region_check")),
        sa.CheckConstraint(
            "roles <@ ARRAY['intake_worker', 'coordinator', 'auditor', 'administrator', 'client_system']"
            " AND cardinality(roles) > 0",
            name=op.f("accounts_roles_check"),
        ),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name=op.f("accounts_provider_id_fkey")),
        sa.ForeignKeyConstraint(["region"], ["regions.code"], name=op.f("accounts_region_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("accounts_pkey")),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("tokens_account_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("tokens_pkey")),
        sa.UniqueConstraint("hash", name=op.f("tokens_hash_key")),
    )
    op.create_table(
        "answers",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "route", "key", name=op.f("answers_pkey")),
    )
    op.create_table(
        "access_log",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("roles", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=True),
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=True),
        sa.Column("referral_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("access_log_pkey")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("audience", postgresql.ARRAY(sa.UUID()), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.CheckConstraint("kind IN ('availability', 'hold', 'placement', 'swap')", name=op.f("outbox_kind_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("outbox_pkey")),
        sa.UniqueConstraint("position", name=op.f("outbox_position_key")),
    )
    op.create_table(
        "installation_keys",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("installation_keys_pkey")),
    )
    op.create_table(
        "heads",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("heads_pkey")),
    )
    op.create_table(
        "timers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("timers_pkey")),
    )
    op.create_table(
        "availability_steps",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("free", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("occupied", sa.Integer(), nullable=False),
        sa.Column("out_of_service", sa.Integer(), nullable=False),
        sa.Column("oldest_confirmation", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unconfirmed", sa.Boolean(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["providers.id"], name=op.f("availability_steps_provider_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["region"], ["regions.code"], name=op.f("availability_steps_region_fkey")),
        sa.PrimaryKeyConstraint("provider_id", "region", "kind", name=op.f("availability_steps_pkey")),
    )
    op.create_index(op.f("tokens_account_id_idx"), "tokens", ["account_id"], unique=False)
    op.create_index(op.f("answers_made_at_idx"), "answers", ["made_at"], unique=False)
    op.create_index(op.f("access_log_account_id_at_idx"), "access_log", ["account_id", "at"], unique=False)
    op.create_index(op.f("access_log_object_id_idx"), "access_log", ["object_id"], unique=False)
    op.create_index(op.f("outbox_at_idx"), "outbox", ["at"], unique=False)
    op.create_index(
        "outbox_unnumbered_idx", "outbox", ["id"], unique=False, postgresql_where=sa.text("position IS NULL")
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("availability_steps")
    op.drop_table("timers")
    op.drop_table("heads")
    op.drop_table("installation_keys")
    op.drop_table("outbox")
    op.drop_table("access_log")
    op.drop_table("answers")
    op.drop_table("tokens")
    op.drop_table("accounts")
