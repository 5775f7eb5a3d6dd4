"""Let nobody alone make a site appear or move."""

from alembic import op

from migrations import sql

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

# What there was before stands, and from now on a site begins as a proposal. The checks and indexes
# are made in one go: nothing was released, so no installation has rows enough to wait for.
TABLES = """
ALTER TABLE sites
  ADD COLUMN status text DEFAULT 'approved' NOT NULL,
  ADD COLUMN approved_at timestamptz,
  ADD COLUMN recheck boolean DEFAULT false NOT NULL,
  -- squawk-ignore constraint-missing-not-valid
  ADD CONSTRAINT sites_status_check CHECK (status IN ('proposed', 'approved', 'rejected'));
ALTER TABLE sites ALTER COLUMN status SET DEFAULT 'proposed';
ALTER TABLE site_secrets ADD COLUMN renamed bytea, ADD COLUMN moved_to bytea;
INSERT INTO timers (name, due_at, leased_until)
  VALUES ('moved_sites', '-infinity', '-infinity');
CREATE TABLE site_proposals (
    id uuid NOT NULL,
    site_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    proposed_by uuid NOT NULL,
    proposed_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    municipality text,
    address_secrecy text,
    moved_to bytea,
    coordinator_id uuid,
    administrator_id uuid,
    outcome text,
    decided_at timestamptz,
    CONSTRAINT site_proposals_pkey PRIMARY KEY (id),
    CONSTRAINT site_proposals_outcome_check
        CHECK (outcome IN ('approved', 'rejected', 'replaced')),
    CONSTRAINT site_proposals_decided_check
        CHECK ((outcome IS NULL) = (decided_at IS NULL)),
    CONSTRAINT site_proposals_less_safe_check CHECK (address_secrecy = 'known'),
    CONSTRAINT site_proposals_persons_check CHECK (
        coordinator_id <> proposed_by AND administrator_id <> proposed_by
        AND coordinator_id <> administrator_id
    ),
    CONSTRAINT site_proposals_approved_check CHECK (
        outcome <> 'approved' OR coordinator_id IS NOT NULL OR administrator_id IS NOT NULL
    ),
    CONSTRAINT site_proposals_site_id_fkey
        FOREIGN KEY (site_id) REFERENCES sites(id) ON DELETE CASCADE,
    CONSTRAINT site_proposals_provider_id_fkey
        FOREIGN KEY (provider_id) REFERENCES providers(id),
    CONSTRAINT site_proposals_proposed_by_fkey
        FOREIGN KEY (proposed_by) REFERENCES accounts(id),
    CONSTRAINT site_proposals_municipality_fkey
        FOREIGN KEY (municipality) REFERENCES municipalities(code),
    CONSTRAINT site_proposals_coordinator_id_fkey
        FOREIGN KEY (coordinator_id) REFERENCES accounts(id),
    CONSTRAINT site_proposals_administrator_id_fkey
        FOREIGN KEY (administrator_id) REFERENCES accounts(id)
);
CREATE UNIQUE INDEX site_proposals_live_key ON site_proposals (site_id) WHERE outcome IS NULL;
CREATE INDEX site_proposals_provider_id_idx ON site_proposals (provider_id);
CREATE TABLE account_acts (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    account_id uuid NOT NULL,
    act text NOT NULL,
    by_account uuid,
    by_coordinator_of uuid,
    at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT account_acts_pkey PRIMARY KEY (id),
    CONSTRAINT account_acts_act_check CHECK (act IN ('made', 'role', 'invited', 'reset')),
    CONSTRAINT account_acts_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id),
    CONSTRAINT account_acts_by_account_fkey FOREIGN KEY (by_account) REFERENCES accounts(id),
    CONSTRAINT account_acts_by_coordinator_of_fkey
        FOREIGN KEY (by_coordinator_of) REFERENCES providers(id)
);
CREATE INDEX account_acts_account_id_idx ON account_acts (account_id);
ALTER TABLE access_log ADD COLUMN told_id uuid;
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX access_log_reveals_idx;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX access_log_sites_idx ON access_log (object_id, id)
  WHERE action IN ('reveal', 'give_back', 'propose', 'approve', 'reject');
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX access_log_told_idx ON access_log (told_id, id) WHERE told_id IS NOT NULL;
"""

# What claims a place until it is taken back is a kind of its own.
KINDS = """
-- squawk-ignore ban-drop-constraint
ALTER TABLE claims DROP CONSTRAINT claims_kind_check;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE claims ADD CONSTRAINT claims_kind_check CHECK (
    CASE
    WHEN kind IS NULL
    THEN claimed_until = '-infinity'::timestamptz AND hold_id IS NULL AND placement_id IS NULL
    WHEN kind = 'hold'
    THEN claimed_until < 'infinity'::timestamptz
        AND hold_id IS NOT NULL AND placement_id IS NULL
    WHEN kind = 'placement'
    THEN claimed_until = 'infinity'::timestamptz AND placement_id IS NOT NULL
    WHEN kind IN ({until_taken_back})
    THEN claimed_until = 'infinity'::timestamptz AND hold_id IS NULL AND placement_id IS NULL
    ELSE false
    END
);
"""

# Who invited whom was in the access log alone; what it knows counts from the first day.
KNOWN = """
INSERT INTO account_acts (account_id, act, by_account, by_coordinator_of, at)
SELECT l.object_id, CASE l.action WHEN 'invite' THEN 'invited' WHEN 'reset' THEN 'reset'
                                  ELSE 'role' END,
       l.account_id, CASE WHEN 'coordinator' = ANY (l.roles) THEN l.provider_id END, l.at
FROM access_log AS l
WHERE l.object_type = 'account' AND l.outcome = 'granted' AND l.account_id IS NOT NULL
  AND l.action IN ('invite', 'reset', 'change')
  AND EXISTS (SELECT FROM accounts AS a WHERE a.id = l.object_id)
  AND EXISTS (SELECT FROM accounts AS a WHERE a.id = l.account_id)
ORDER BY l.id
"""


CLOSED = """
UPDATE claims SET kind = 'out_of_service', reason = 'other' WHERE kind = 'proposed'
"""

BACK = """
DROP INDEX access_log_sites_idx;
DROP INDEX access_log_told_idx;
ALTER TABLE access_log DROP COLUMN told_id CASCADE;
CREATE INDEX access_log_reveals_idx ON access_log (object_id, id)
  WHERE action IN ('reveal', 'give_back');
DELETE FROM timers WHERE name = 'moved_sites';
DROP TABLE site_proposals;
DROP TABLE account_acts;
ALTER TABLE site_secrets DROP COLUMN renamed, DROP COLUMN moved_to;
ALTER TABLE sites DROP COLUMN status CASCADE, DROP COLUMN approved_at, DROP COLUMN recheck;
"""


def upgrade() -> None:
    """Make the tables, and what decides about them."""
    kinds = KINDS.format(until_taken_back="'occupied', 'out_of_service', 'proposed'")
    for statement in sql.statements(TABLES + kinds):
        op.execute(statement)
    op.execute(KNOWN)
    sql.apply(*sql.SUBJECTS)


def downgrade() -> None:
    """Take the tables and columns away; places that were never approved go out of service."""
    op.execute(CLOSED)
    kinds = KINDS.format(until_taken_back="'occupied', 'out_of_service'")
    for statement in sql.statements(kinds + BACK):
        op.execute(statement)
