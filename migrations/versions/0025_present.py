"""Every table with its first rows, and the functions and rules for rows."""

from pathlib import Path

from alembic import op

from migrations import sql

# All migrations before the first release became this one. It keeps the id of the last of them, so
# that a database which they made is at head (docs/adr/0027-one-present.md).
revision = "0025"
down_revision = None
branch_labels = None
depends_on = None

TABLES = Path(__file__).with_name("0025_tables.sql")

ROLE = """DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'plek_app') THEN
    CREATE ROLE plek_app NOLOGIN;
  END IF;
  -- Since PostgreSQL 16 the maker of a role may not take it on without being told so.
  IF NOT pg_has_role(current_user, 'plek_app', 'MEMBER') THEN
    EXECUTE format('GRANT plek_app TO %I', current_user);
  END IF;
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO plek_app', current_schema());
END $$"""


def upgrade() -> None:
    """Make everything."""
    op.execute(ROLE)
    op.execute("GRANT SELECT ON alembic_version TO plek_app")
    sql.run(TABLES)
    sql.apply(*sql.SUBJECTS)


def downgrade() -> None:
    """Drop everything but the role, which other databases of the server may use."""
    sql.drop(TABLES)
    op.execute("REVOKE SELECT ON alembic_version FROM plek_app")
