"""The monitor: counts while a quarter lasts, its release, and what auditors need to look decisions up."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# As 0008 has them.
PROVIDER = "(SELECT my_provider())"
STAFF = f"{PROVIDER} IS NOT NULL"
WORKER = "(SELECT acting()) = 'worker'"
AUDITOR = "(SELECT i_am('auditor'))"
ADMINISTRATOR = "(SELECT i_am('administrator'))"
COORDINATOR = "(SELECT i_am('coordinator'))"
REGION = "(SELECT my_region())"
MINE = f"provider_id = {PROVIDER}"

# A coordinator sees the regions in which the own provider has places; no region stands for the country.
OWN_REGION = (
    "EXISTS (SELECT FROM provider_regions AS r WHERE r.region = monitor_releases.region"
    f" AND r.provider_id = {PROVIDER})"
)
RULES: dict[str, dict[str, str]] = {
    "monitor_days": {"SELECT": WORKER, "INSERT": WORKER, "DELETE": WORKER},
    "household_counts": {"SELECT": f"{MINE} OR {WORKER}", "INSERT": MINE, "UPDATE": MINE, "DELETE": WORKER},
    "monitor_releases": {
        "SELECT": f"{AUDITOR} OR {ADMINISTRATOR} OR {WORKER} OR ({COORDINATOR} AND {OWN_REGION})",
        "INSERT": WORKER,
    },
    "monitor_staleness": {
        "SELECT": f"{ADMINISTRATOR} OR {WORKER} OR ({AUDITOR} AND region = {REGION}) OR ({COORDINATOR} AND {MINE})",
        "INSERT": WORKER,
    },
}
# What stands in a telephone book is public: names, switchboards, and in which regions an organisation works.
PUBLIC = ("providers", "provider_regions")
SOMEBODY = "(SELECT acting()) <> ''"
OF_PLACEMENT = "EXISTS (SELECT FROM placements AS p WHERE p.id = placement_id)"
PERIODS_BEFORE = f"{STAFF} AND {OF_PLACEMENT}"

INDEXES = (
    ("placements_arrived_idx", "placements", "arrived_at", None),
    ("placements_departed_idx", "placements", "departed_at", "arrived_at IS NOT NULL"),
    ("placements_stay_id_idx", "placements", "stay_id", None),
    ("placements_origin_idx", "placements", "origin_region, arrived_at, id", "arrived_at IS NOT NULL"),
    ("placements_receiving_idx", "placements", "receiving, arrived_at, id", "arrived_at IS NOT NULL"),
    ("holds_resolved_idx", "holds", "resolved_at", "resolved_at IS NOT NULL"),
    ("alternatives_started_idx", "alternatives", "started_at", None),
    ("blocker_periods_since_idx", "blocker_periods", "since", None),
)


def upgrade() -> None:
    """Make the tables, their walls, the timer, and the indexes by which a quarter is counted."""
    op.create_table(
        "monitor_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("places", "in_use", "out_of_service", "sites", "stale", "unknown")
        ),
        sa.CheckConstraint(
            "in_use + out_of_service <= places AND stale + unknown <= sites", name=op.f("monitor_days_parts_check")
        ),
        sa.PrimaryKeyConstraint("day", "provider_id", "region", name=op.f("monitor_days_pkey")),
    )
    op.create_table(
        "household_counts",
        sa.Column("quarter", sa.Date(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("quarter", "provider_id", "region", name=op.f("household_counts_pkey")),
    )
    op.create_table(
        "monitor_releases",
        sa.Column("quarter", sa.Date(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        _made_at(),
        sa.Column("figures", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("quarter", "region", name=op.f("monitor_releases_pkey")),
    )
    op.create_table(
        "monitor_staleness",
        sa.Column("quarter", sa.Date(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("days", "stale_permille", "unknown_permille")),
        _made_at(),
        sa.CheckConstraint("stale_permille + unknown_permille <= 1000", name=op.f("monitor_staleness_parts_check")),
        sa.PrimaryKeyConstraint("quarter", "provider_id", "region", name=op.f("monitor_staleness_pkey")),
    )
    for table, rules in RULES.items():
        _wall(table, rules)
    op.execute(f'ALTER POLICY "select" ON blocker_periods USING (({PERIODS_BEFORE}) OR {WORKER})')
    for table in PUBLIC:
        op.execute(f'ALTER POLICY "select" ON {table} USING (true)')
    op.execute("INSERT INTO timers (name, due_at, leased_until) VALUES ('monitor', '-infinity', '-infinity')")
    for name, table, columns, where in INDEXES:
        condition = f" WHERE {where}" if where else ""
        op.execute(
            "-- squawk-ignore require-concurrent-index-creation\n"
            f"CREATE INDEX {name} ON {table} USING btree ({columns}){condition}"
        )


def _made_at() -> sa.Column[object]:
    now = sa.text("clock_timestamp()")
    return sa.Column("made_at", sa.DateTime(timezone=True), server_default=now, nullable=False)


def _wall(table: str, rules: dict[str, str]) -> None:
    """Give the application what it needs of a table, each caller their rows."""
    op.execute(f"GRANT {', '.join(rules)} ON {table} TO plek_app")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY operator ON {table} TO CURRENT_USER USING ((SELECT acting()) = 'operator')")
    for command, rule in rules.items():
        condition = "WITH CHECK" if command == "INSERT" else "USING"
        op.execute(f'CREATE POLICY "{command.lower()}" ON {table} FOR {command} {condition} ({rule})')


def downgrade() -> None:
    """Take them away."""
    for name, _table, _columns, _where in INDEXES:
        op.execute(f"DROP INDEX {name}")
    op.execute("DELETE FROM timers WHERE name = 'monitor'")
    op.execute(f'ALTER POLICY "select" ON blocker_periods USING ({PERIODS_BEFORE})')
    for table in PUBLIC:
        op.execute(f'ALTER POLICY "select" ON {table} USING ({SOMEBODY})')
    for table in reversed(RULES):
        op.drop_table(table)
