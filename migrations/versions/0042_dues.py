"""Make everything that has to be done by a moment a due."""

from alembic import op

from app.reference import load
from migrations import sql

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

# The checks and indexes are made in one go, and columns go at once: nothing was released, so no
# installation has rows enough to wait for, nor a process of an older release.
TABLES = """
CREATE TABLE dues (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    kind text NOT NULL,
    subject_id uuid NOT NULL,
    referral_id uuid,
    provider_id uuid,
    not_by uuid,
    due_at timestamptz NOT NULL,
    opened_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    rings_at timestamptz,
    rung_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT dues_pkey PRIMARY KEY (id),
    CONSTRAINT dues_kind_check CHECK (kind IN (
        'hold_to_answer', 'expected_arrival', 'no_show_unchecked', 'swap_consent',
        'alternative_check', 'alternative_nights', 'safety_plan', 'contact', 'planned_return',
        'site_to_confirm', 'site_to_approve'
    ))
);
CREATE UNIQUE INDEX dues_live_key ON dues (subject_id, kind, provider_id, referral_id)
  NULLS NOT DISTINCT WHERE ended_at IS NULL;
CREATE INDEX dues_provider_idx ON dues (provider_id, due_at, id) WHERE ended_at IS NULL;
CREATE INDEX dues_ringing_idx ON dues (rings_at)
  WHERE ended_at IS NULL AND rings_at IS NOT NULL;
CREATE INDEX dues_ended_idx ON dues (ended_at) WHERE ended_at IS NOT NULL;
CREATE TABLE due_sights (
    due_id uuid NOT NULL,
    account_id uuid NOT NULL,
    seen_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    taken_until timestamptz,
    CONSTRAINT due_sights_pkey PRIMARY KEY (due_id, account_id),
    CONSTRAINT due_sights_due_id_fkey
        FOREIGN KEY (due_id) REFERENCES dues(id) ON DELETE CASCADE
);
DELETE FROM timers WHERE name IN ('reminders', 'returns', 'arrival_alarms');
INSERT INTO timers (name, due_at, leased_until) VALUES ('dues', '-infinity', '-infinity');
"""

# A plan that was made before is not asked for again; nobody who was told of a day is told twice.
COLUMNS = """
ALTER TABLE referrals ADD COLUMN has_safety_plan boolean DEFAULT true NOT NULL;
ALTER TABLE referrals ALTER COLUMN has_safety_plan SET DEFAULT false;
ALTER TABLE alternatives ADD COLUMN nights_over_at timestamptz;
UPDATE alternatives SET nights_over_at = until::timestamp AT TIME ZONE '{zone}';
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE alternatives ADD CONSTRAINT alternatives_nights_over_check
  CHECK ((until IS NULL) = (nights_over_at IS NULL));
ALTER TABLE placements ADD COLUMN return_at timestamptz;
UPDATE placements SET return_at = return_by::timestamp AT TIME ZONE '{zone}';
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE placements ADD CONSTRAINT placements_return_check
  CHECK ((return_by IS NULL) = (return_at IS NULL));
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX placements_awaited_idx;
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX placements_returns_idx;
-- squawk-ignore ban-drop-column
ALTER TABLE placements DROP COLUMN alarmed_at;
-- squawk-ignore ban-drop-column
ALTER TABLE placements DROP COLUMN missed_since;
-- squawk-ignore ban-drop-column
ALTER TABLE placements DROP COLUMN return_reminded_at;
-- squawk-ignore ban-drop-table
DROP TABLE reminders;
"""

# What the rows ask for that are there already, as the triggers have it from now on.
OPENED = """
INSERT INTO dues (kind, subject_id, referral_id, provider_id, due_at, rings_at)
SELECT DISTINCT kind, subject, referral_id, provider, due_at, due_at
FROM (
  SELECT 'hold_to_answer' AS kind, id AS subject, referral_id, expires_at AS due_at,
         ARRAY[receiver_id] AS providers
  FROM holds WHERE status = 'pending'
  UNION ALL
  SELECT 'expected_arrival', id, referral_id,
         coalesce(expected_at, created_at) + interval '2 hours', ARRAY[provider_id, receiver_id]
  FROM placements WHERE status = 'underway'
  UNION ALL
  SELECT 'no_show_unchecked', id, referral_id, no_show_at + interval '2 hours',
         ARRAY[provider_id, receiver_id]
  FROM placements WHERE status = 'no_show' AND safety_checked_at IS NULL
  UNION ALL
  SELECT 'planned_return', id, referral_id, return_at, ARRAY[provider_id, receiver_id]
  FROM placements WHERE status = 'arrived' AND return_at IS NOT NULL
  UNION ALL
  SELECT 'alternative_check', id, referral_id, next_check_at, ARRAY[provider_id, responsible_id]
  FROM alternatives WHERE ended_at IS NULL
  UNION ALL
  SELECT 'alternative_nights', id, referral_id, nights_over_at,
         ARRAY[provider_id, responsible_id]
  FROM alternatives WHERE ended_at IS NULL AND nights_over_at IS NOT NULL
  UNION ALL
  SELECT 'contact', r.id, r.id, c.due_at, ARRAY[r.provider_id]
  FROM referrals AS r CROSS JOIN LATERAL (
    SELECT due_at FROM contacts WHERE referral_id = r.id ORDER BY at DESC, id DESC LIMIT 1) AS c
  WHERE r.status IN ('open', 'held') AND c.due_at IS NOT NULL
  UNION ALL
  SELECT 'site_to_confirm', id, NULL,
         coalesce(confirmed_at + interval '24 hours', approved_at, created_at),
         ARRAY[provider_id]
  FROM sites WHERE status = 'approved'
) AS asked CROSS JOIN LATERAL unnest(providers) AS provider
"""

BACK = """
CREATE TABLE reminders (
    referral_id uuid NOT NULL,
    what text NOT NULL,
    due_at timestamptz NOT NULL,
    told_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT reminders_pkey PRIMARY KEY (referral_id, what, due_at),
    CONSTRAINT reminders_what_check CHECK (
        what IN ('contact', 'safety_plan', 'alternative_check', 'alternative_nights')
    ),
    CONSTRAINT reminders_referral_id_fkey
        FOREIGN KEY (referral_id) REFERENCES referrals(id) ON DELETE CASCADE
);
"""
ALTERED_BACK = """
ALTER TABLE placements DROP CONSTRAINT placements_return_check, DROP COLUMN return_at,
  ADD COLUMN alarmed_at timestamptz, ADD COLUMN missed_since timestamptz,
  ADD COLUMN return_reminded_at timestamptz;
CREATE INDEX placements_awaited_idx ON placements (coalesce(no_show_at, expected_at, created_at))
  WHERE status = 'underway' OR (status = 'no_show' AND safety_checked_at IS NULL);
CREATE INDEX placements_returns_idx ON placements (return_by)
  WHERE status = 'arrived' AND return_reminded_at IS NULL;
ALTER TABLE alternatives DROP CONSTRAINT alternatives_nights_over_check,
  DROP COLUMN nights_over_at;
ALTER TABLE referrals DROP COLUMN has_safety_plan;
INSERT INTO timers (name, due_at, leased_until) VALUES
  ('reminders', '-infinity', '-infinity'), ('returns', '-infinity', '-infinity'),
  ('arrival_alarms', '-infinity', '-infinity');
DELETE FROM timers WHERE name = 'dues';
DROP TABLE due_sights, dues;
"""

KINDS = """
-- squawk-ignore ban-drop-constraint
ALTER TABLE outbox DROP CONSTRAINT outbox_kind_check;
{renamed}
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE outbox ADD CONSTRAINT outbox_kind_check CHECK (kind IN (
    'availability', 'hold', 'placement', 'swap', 'access', 'waiting', '{kind}', 'alarm'
));
"""
TRIGGERS = {
    "open_dues": ("holds", "placements", "alternatives", "referrals", "sites"),
    "keep_dues": (
        "holds",
        "placements",
        "swap_legs",
        "alternatives",
        "referrals",
        "contacts",
        "sites",
        "site_proposals",
    ),
}


def upgrade() -> None:
    """Make the tables, and the dues that the rows ask for that are there already."""
    renamed = "UPDATE outbox SET kind = 'due' WHERE kind = 'reminder';"
    kinds = KINDS.format(renamed=renamed, kind="due")
    columns = COLUMNS.format(zone=load().country.time_zone)
    for statement in sql.statements(TABLES + columns + kinds):
        op.execute(statement)
    op.execute(OPENED)
    sql.apply(*sql.SUBJECTS)


def downgrade() -> None:
    """Take dues away, and with them who has seen which."""
    for name, tables in TRIGGERS.items():
        for table in tables:
            op.execute(f"DROP TRIGGER {name} ON {table}")
    renamed = "UPDATE outbox SET kind = 'reminder' WHERE kind = 'due';"
    kinds = KINDS.format(renamed=renamed, kind="reminder")
    for statement in sql.statements(BACK + ALTERED_BACK + kinds):
        op.execute(statement)
