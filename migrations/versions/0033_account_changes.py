"""Let an administrator's act on a provider's account wait, and colleagues vouch."""

from alembic import op

from migrations import sql

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE account_acts
  ADD COLUMN provider_id uuid,
  -- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid
  ADD CONSTRAINT account_acts_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES providers(id);
-- squawk-ignore ban-drop-constraint
ALTER TABLE account_acts DROP CONSTRAINT account_acts_act_check;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE account_acts ADD CONSTRAINT account_acts_act_check
  CHECK (act IN ('made', 'role', 'invited', 'reset', 'entered'));
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX account_acts_entered_idx ON account_acts (provider_id, account_id)
  WHERE act = 'entered';
CREATE TABLE account_changes (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    provider_id uuid,
    act text NOT NULL,
    by_account uuid,
    roles text[],
    to_provider uuid,
    region text,
    asked_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    effective_at timestamptz NOT NULL,
    outcome text,
    refused_by uuid,
    decided_at timestamptz,
    CONSTRAINT account_changes_pkey PRIMARY KEY (id),
    CONSTRAINT account_changes_act_check CHECK (act IN ('invite', 'reset', 'change', 'enable')),
    CONSTRAINT account_changes_outcome_check
        CHECK (outcome IN ('effective', 'refused', 'replaced')),
    CONSTRAINT account_changes_decided_check CHECK ((outcome IS NULL) = (decided_at IS NULL)),
    CONSTRAINT account_changes_refused_check
        CHECK ((refused_by IS NOT NULL) = (outcome IS NOT DISTINCT FROM 'refused')),
    CONSTRAINT account_changes_wanted_check CHECK ((act = 'change') = (roles IS NOT NULL)),
    CONSTRAINT account_changes_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id),
    CONSTRAINT account_changes_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES providers(id),
    CONSTRAINT account_changes_by_account_fkey FOREIGN KEY (by_account) REFERENCES accounts(id),
    CONSTRAINT account_changes_to_provider_fkey FOREIGN KEY (to_provider) REFERENCES providers(id),
    CONSTRAINT account_changes_region_fkey FOREIGN KEY (region) REFERENCES regions(code),
    CONSTRAINT account_changes_refused_by_fkey FOREIGN KEY (refused_by) REFERENCES accounts(id)
);
CREATE UNIQUE INDEX account_changes_live_key ON account_changes (account_id, act)
  WHERE outcome IS NULL;
CREATE INDEX account_changes_due_idx ON account_changes (effective_at) WHERE outcome IS NULL;
CREATE INDEX account_changes_provider_idx ON account_changes (provider_id, asked_at);
ALTER TABLE invitations
  ADD COLUMN change_id uuid,
  ADD COLUMN opened_at timestamptz,
  -- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid
  ADD CONSTRAINT invitations_change_id_fkey
    FOREIGN KEY (change_id) REFERENCES account_changes(id);
UPDATE invitations SET opened_at = created_at;
INSERT INTO timers (name, due_at, leased_until)
  VALUES ('account_changes', '-infinity', '-infinity');
"""

# Who ever had a way in has been there.
KNOWN = """
INSERT INTO account_acts (account_id, act, provider_id)
SELECT a.id, 'entered', a.provider_id FROM accounts AS a
WHERE a.provider_id IS NOT NULL AND a.roles && ARRAY['intake_worker', 'coordinator']
  AND (EXISTS (SELECT FROM tokens AS t WHERE t.account_id = a.id)
       OR EXISTS (SELECT FROM credentials AS c
                  WHERE c.account_id = a.id AND c.enrolled_at IS NOT NULL))
"""

BACK = """
DELETE FROM timers WHERE name = 'account_changes';
DROP TRIGGER note_entered ON tokens;
UPDATE invitations SET used_at = clock_timestamp() WHERE opened_at IS NULL AND used_at IS NULL;
ALTER TABLE invitations DROP COLUMN change_id, DROP COLUMN opened_at;
DROP TABLE account_changes CASCADE;
DROP INDEX account_acts_entered_idx;
ALTER TABLE account_acts DISABLE TRIGGER only_grows;
DELETE FROM account_acts WHERE act = 'entered';
ALTER TABLE account_acts ENABLE TRIGGER only_grows;
ALTER TABLE account_acts DROP COLUMN provider_id CASCADE;
ALTER TABLE account_acts DROP CONSTRAINT account_acts_act_check;
ALTER TABLE account_acts ADD CONSTRAINT account_acts_act_check
  CHECK (act IN ('made', 'role', 'invited', 'reset'));
"""


def upgrade() -> None:
    """Make the tables, and what decides about them."""
    for statement in sql.statements(TABLES):
        op.execute(statement)
    op.execute(KNOWN)
    sql.apply("account_changes", "accounts", "proposals")


def downgrade() -> None:
    """Take the tables away; what still waits never takes effect, and its links end."""
    for statement in sql.statements(BACK):
        op.execute(statement)
