"""Let a colleague vouch for a session of an account that is locked out on duty."""

from alembic import op

from migrations import sql

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE tokens ADD COLUMN only_role text;
CREATE TABLE vouchings (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    vouched_by uuid NOT NULL,
    code_hash bytea NOT NULL,
    at timestamptz DEFAULT clock_timestamp() NOT NULL,
    code_until timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    used_at timestamptz,
    token_id uuid,
    CONSTRAINT vouchings_pkey PRIMARY KEY (id),
    CONSTRAINT vouchings_oneself_check CHECK (vouched_by <> account_id),
    CONSTRAINT vouchings_used_check CHECK (used_at IS NOT NULL OR token_id IS NULL),
    CONSTRAINT vouchings_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id),
    CONSTRAINT vouchings_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES providers(id),
    CONSTRAINT vouchings_vouched_by_fkey FOREIGN KEY (vouched_by) REFERENCES accounts(id),
    CONSTRAINT vouchings_token_id_fkey
        FOREIGN KEY (token_id) REFERENCES tokens(id) ON DELETE SET NULL
);
CREATE INDEX vouchings_account_id_idx ON vouchings (account_id, at);
CREATE INDEX vouchings_provider_id_idx ON vouchings (provider_id, at);
"""


def upgrade() -> None:
    """Make the table, and what opens a session by it."""
    for statement in sql.statements(TABLES):
        op.execute(statement)
    sql.apply("vouchings", "callers")


def downgrade() -> None:
    """Take the table away; sessions that were vouched for end."""
    op.execute("UPDATE tokens SET revoked_at = clock_timestamp() WHERE only_role IS NOT NULL")
    op.execute("DROP TABLE vouchings CASCADE")
    op.execute("ALTER TABLE tokens DROP COLUMN only_role")
