"""Forbid deleting an installation's keys, and let its owner act as the application."""

from alembic import op

from migrations import sql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

TAKE_ON = """DO $$
DECLARE right_to_it text := CASE WHEN current_setting('server_version_num')::int >= 160000
                                 THEN 'SET' ELSE 'MEMBER' END;
BEGIN
  IF NOT pg_has_role(current_user, 'plek_app', right_to_it) THEN
    EXECUTE format('GRANT plek_app TO %I', current_user);
  END IF;
END $$"""
"""Since PostgreSQL 16 the maker of a role is a member of it who may not take it on."""


def upgrade() -> None:
    """Give the keys their trigger, and take from the application what it never needs."""
    op.execute(TAKE_ON)
    sql.apply("operations")


def downgrade() -> None:
    """Leave all of it: functions and rules are always those of the files."""
