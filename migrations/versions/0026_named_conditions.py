"""Give conditions one name each, and functions a search path of their own."""

from alembic import op

from migrations import sql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

REVOKE_TEMPORARY = """DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_database
             WHERE datname = current_database() AND pg_has_role(datdba, 'USAGE')) THEN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
  END IF;
END $$"""
"""Only the owner of a database can; see docs/adr/0029-named-conditions.md."""


def upgrade() -> None:
    """Apply every file again, and keep the application from making tables for a session."""
    sql.apply(*sql.SUBJECTS)
    op.execute(REVOKE_TEMPORARY)


def downgrade() -> None:
    """Leave all of it: functions and rules are always those of the files."""
