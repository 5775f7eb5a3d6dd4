"""The ledger as a tree: leaves in clear, the hashes of complete subtrees, and signed checkpoints."""

# ruff: noqa: S608 - every statement is made of the constants here

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

APPEND_ONLY = ("subtrees", "checkpoints")
CLEAR = "'quarter_total', 'weights', 'policy', 'cap'"

# As 0008 has them.
PROVIDER = "(SELECT my_provider())"
WORKER = "(SELECT acting()) = 'worker'"
CONTROL = "(SELECT i_am('auditor') OR i_am('administrator'))"
REGION = "(SELECT my_region())"
# As 0012 has them.
RECEIVED = f"EXISTS (SELECT FROM placements AS p WHERE p.id = placement_id AND p.receiver_id = {PROVIDER})"
LEFT_FOR_US = (
    "EXISTS (SELECT FROM placements AS p WHERE p.began_id = placement_id"
    f" AND p.receiver_id = {PROVIDER} AND p.status = 'underway')"
)
OPEN_BY_NOW = f"""
((SELECT i_am('auditor')) AND {REGION} IN (origin_region, receiving_region) AND (opens_at <= clock_timestamp()
 OR EXISTS (SELECT FROM leaves AS l JOIN leaves AS e ON e.placement_id = l.placement_id AND e.type = 'departure'
            WHERE l.index = openings.index)))"""
OPENING_RECEIVED = (
    "EXISTS (SELECT FROM leaves AS l JOIN placements AS p ON p.id = l.placement_id"
    f" WHERE l.index = openings.index AND p.receiver_id = {PROVIDER})"
)
OPENING_LEFT_FOR_US = (
    "EXISTS (SELECT FROM leaves AS l JOIN placements AS p ON p.began_id = l.placement_id"
    f" WHERE l.index = openings.index AND p.receiver_id = {PROVIDER} AND p.status = 'underway')"
)

# What is in clear: the worker adds up quarters, administrators publish policies, auditors set caps; the operator, who
# loads weights, has a rule of their own.
IN_CLEAR = (
    f" OR (placement_id IS NULL AND (({WORKER} AND type IN ('quarter_total', 'correction'))"
    " OR ((SELECT i_am('administrator')) AND type = 'policy')"
    " OR ((SELECT i_am('auditor')) AND type IN ('cap', 'correction'))))"
)
POLICIES = (
    ("leaves", "insert", "WITH CHECK", f"{RECEIVED} OR {LEFT_FOR_US}", IN_CLEAR),
    # The worker adds up what the openings say.
    ("openings", "select", "USING", f"{OPEN_BY_NOW} OR {OPENING_RECEIVED} OR {OPENING_LEFT_FOR_US}", f" OR {WORKER}"),
)
"""Table, command, where the rule stands, the rule as it was, and what is added to it."""

# A tree that grows in the open tells when somebody arrived: until the next midnight a checkpoint, and the hashes under
# it, are for those who control.
UNDER_ONE = "((index + 1) << level::integer) <= (SELECT max(size) FROM checkpoints)"
RULES = {
    "checkpoints": {
        "select": f"FOR SELECT USING ({WORKER} OR {CONTROL} OR public_from <= clock_timestamp())",
        "insert": f"FOR INSERT WITH CHECK ({WORKER})",
    },
    "subtrees": {
        "select": f"FOR SELECT USING ({WORKER} OR {UNDER_ONE})",
        "insert": f"FOR INSERT WITH CHECK ({WORKER})",
    },
}


def upgrade() -> None:
    """Let leaves say more, and make the tables of the tree."""
    # More kinds are allowed and none forbidden: every row that there is still fits.
    op.execute("-- squawk-ignore ban-drop-constraint\nALTER TABLE leaves DROP CONSTRAINT leaves_type_check")
    for name, condition in (
        ("leaves_type_check", f"type IN ('arrival', 'departure', 'correction', {CLEAR})"),
        (
            "leaves_about_check",
            f"CASE WHEN type = 'correction' THEN true ELSE (type IN ({CLEAR})) = (placement_id IS NULL) END",
        ),
    ):
        op.execute(
            "-- squawk-ignore constraint-missing-not-valid\n"
            f"ALTER TABLE leaves ADD CONSTRAINT {name} CHECK ({condition})"
        )
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX leaves_placement_id_idx ON leaves USING btree (placement_id)"
    )
    _make_tables()
    for table in APPEND_ONLY:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO plek_app")
        op.execute(
            f"CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY operator ON {table} TO CURRENT_USER USING ((SELECT acting()) = 'operator')")
        for name, rule in RULES[table].items():
            op.execute(f'CREATE POLICY "{name}" ON {table} {rule}')
    for table, command, where, before, more in POLICIES:
        op.execute(f'ALTER POLICY "{command}" ON {table} {where} ({before}{more})')
    op.execute("INSERT INTO heads (name, value) VALUES ('checkpoint', 0)")
    op.execute("INSERT INTO timers (name, due_at, leased_until) VALUES ('checkpoints', '-infinity', '-infinity')")


def _make_tables() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("public_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.CheckConstraint("size >= 0", name=op.f("checkpoints_size_check")),
        sa.CheckConstraint("octet_length(root) = 32", name=op.f("checkpoints_root_check")),
        sa.PrimaryKeyConstraint("size", name=op.f("checkpoints_pkey")),
    )
    op.create_index("checkpoints_public_idx", "checkpoints", ["public_from", "size"])
    op.create_table(
        "subtrees",
        sa.Column("level", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("octet_length(hash) = 32", name=op.f("subtrees_hash_check")),
        sa.PrimaryKeyConstraint("level", "index", name=op.f("subtrees_pkey")),
    )


def downgrade() -> None:
    """Take the tree away; what leaves say in clear goes with it, and so nothing else may have been written after it."""
    op.execute("DELETE FROM timers WHERE name = 'checkpoints'")
    op.execute("DELETE FROM heads WHERE name = 'checkpoint'")
    for table, command, where, before, _more in POLICIES:
        op.execute(f'ALTER POLICY "{command}" ON {table} {where} ({before})')
    for table in reversed(APPEND_ONLY):
        op.execute(f"REVOKE ALL ON {table} FROM plek_app")
    op.drop_table("subtrees")
    op.drop_table("checkpoints")
    op.execute("DROP INDEX leaves_placement_id_idx")
    for name in ("leaves_about_check", "leaves_type_check"):
        op.execute(f"ALTER TABLE leaves DROP CONSTRAINT {name}")
    op.execute(
        "ALTER TABLE leaves ADD CONSTRAINT leaves_type_check"
        " CHECK (type IN ('arrival', 'departure', 'correction')) NOT VALID"
    )
