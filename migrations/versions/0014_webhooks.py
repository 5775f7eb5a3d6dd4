"""Webhooks and what is to be sent to them."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

WORKER = "(SELECT acting()) = 'worker'"
RELAY = "(SELECT acting()) = 'relay'"
OWNERS = "(SELECT i_am('coordinator') OR i_am('client_system'))"
OWN = f"(provider_id = (SELECT my_provider()) AND {OWNERS})"
# As 0008 has it: who may SELECT, INSERT, UPDATE and DELETE rows.
RULES = {
    "webhooks": {
        "SELECT": f"{OWN} OR {WORKER} OR {RELAY}",
        "INSERT": OWN,
        "UPDATE": WORKER,
        "DELETE": OWN,
    },
    "webhook_deliveries": {
        # Which webhooks there are for its owners is a question of their own rule.
        "SELECT": f"{WORKER} OR ({OWNERS} AND EXISTS (SELECT FROM webhooks AS w WHERE w.id = webhook_id))",
        "INSERT": RELAY,
        "UPDATE": WORKER,
        "DELETE": WORKER,
    },
}


def upgrade() -> None:
    """Create the tables and their rules."""
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("kinds", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("last_delivery_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_because", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "cardinality(kinds) > 0 AND kinds <@ ARRAY['hold', 'placement', 'swap', 'availability']",
            name=op.f("webhooks_kinds_check"),
        ),
        sa.CheckConstraint("(disabled_at IS NULL) = (disabled_because IS NULL)", name=op.f("webhooks_disabled_check")),
        sa.CheckConstraint("disabled_because IN ('gone', 'failing')", name=op.f("webhooks_disabled_because_check")),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name=op.f("webhooks_provider_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("webhooks_pkey")),
    )
    op.create_index(op.f("webhooks_provider_id_idx"), "webhooks", ["provider_id"], unique=False)
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name=op.f("webhook_deliveries_ended_check")),
        sa.CheckConstraint("outcome IN ('delivered', 'given_up')", name=op.f("webhook_deliveries_outcome_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("webhook_deliveries_pkey")),
        sa.UniqueConstraint("webhook_id", "position", name=op.f("webhook_deliveries_webhook_id_position_key")),
    )
    op.create_index(
        "webhook_deliveries_waiting_idx",
        "webhook_deliveries",
        ["webhook_id", "next_at"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "webhook_deliveries_ended_idx",
        "webhook_deliveries",
        ["ended_at"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    )
    _divide()


def _divide() -> None:
    for table, rules in RULES.items():
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO plek_app")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY operator ON {table} TO CURRENT_USER USING ((SELECT acting()) = 'operator')")
        for command, rule in rules.items():
            condition = f"WITH CHECK ({rule})" if command == "INSERT" else f"USING ({rule})"
            op.execute(f'CREATE POLICY "{command.lower()}" ON {table} FOR {command} {condition}')


def downgrade() -> None:
    """Drop them."""
    for table in reversed(RULES):
        op.execute(f"REVOKE ALL ON {table} FROM plek_app")
        op.drop_table(table)
