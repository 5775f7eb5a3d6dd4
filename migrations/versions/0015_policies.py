"""Policies that administrators publish: no two begin at the same moment, and the latest rankings are found by index."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# Everybody works by the policy, so everybody may read it; the account that publishes one says so in `enter`.
ADMINISTRATOR = "(SELECT i_am('administrator'))"


def upgrade() -> None:
    """Let administrators add policies, and nobody change one."""
    op.execute(
        "-- squawk-ignore disallowed-unique-constraint, constraint-missing-not-valid\n"
        "ALTER TABLE policies ADD CONSTRAINT policies_valid_from_key UNIQUE (valid_from)"
    )
    op.execute("GRANT INSERT ON policies TO plek_app")
    op.execute("ALTER TABLE policies ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE policies FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY operator ON policies TO CURRENT_USER USING ((SELECT acting()) = 'operator')")
    op.execute('CREATE POLICY "select" ON policies FOR SELECT USING (true)')
    op.execute(f'CREATE POLICY "insert" ON policies FOR INSERT WITH CHECK ({ADMINISTRATOR})')
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX rankings_as_of_idx ON rankings USING btree (as_of, id)"
    )


def downgrade() -> None:
    """Only the owner adds policies again."""
    op.execute("DROP INDEX rankings_as_of_idx")
    for name in ("operator", "select", "insert"):
        op.execute(f'DROP POLICY "{name}" ON policies')
    op.execute("ALTER TABLE policies NO FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE policies DISABLE ROW LEVEL SECURITY")
    op.execute("REVOKE INSERT ON policies FROM plek_app")
    op.execute("ALTER TABLE policies DROP CONSTRAINT policies_valid_from_key")
