"""The unprivileged role and its grants, the way in (`enter`), append-only tables, first heads and timers."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

APPEND_ONLY = ("leaves", "openings", "access_log", "registers")
READ_ONLY = ("regions", "municipalities", "clearances", "weights", "policies", "alembic_version")
CHANGING = [
    "providers",
    "provider_regions",
    "sites",
    "site_secrets",
    "place_groups",
    "places",
    "place_secrets",
    "referrals",
    "referral_secrets",
    "rankings",
    "holds",
    "stays",
    "placements",
    "claims",
    "shares",
    "answers",
    "installation_keys",
    "outbox",
    "heads",
    "timers",
    "availability_steps",
]

ROLE = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'plek_app') THEN
    CREATE ROLE plek_app NOLOGIN;
  END IF;
  -- Since PostgreSQL 16 whoever makes a role may not by itself take it on.
  IF NOT pg_has_role(current_user, 'plek_app', 'MEMBER') THEN
    EXECUTE format('GRANT plek_app TO %I', current_user);
  END IF;
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO plek_app', current_schema());
END $$
"""

# The first statement of every transaction: it says who is asking, and takes on exactly that identity until the end.
# It alone may read tokens by their hash. The clock is read here once, so that a service can reckon with it.
ENTER = """
CREATE FUNCTION enter(token_hash bytea) RETURNS TABLE (
  account_id uuid, token_id uuid, roles text[], provider_id uuid, region text, at timestamptz,
  register_version bigint, reference_version bigint
) LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  SELECT a.id, t.id, a.roles, a.provider_id, a.region INTO account_id, token_id, roles, provider_id, region
  FROM tokens t JOIN accounts a ON a.id = t.account_id
  WHERE t.hash = token_hash AND t.revoked_at IS NULL AND t.expires_at > clock_timestamp() AND a.disabled_at IS NULL;
  PERFORM set_config('plek.account', coalesce(account_id::text, ''), true),
          set_config('plek.provider', coalesce(provider_id::text, ''), true),
          set_config('plek.region', coalesce(enter.region, ''), true),
          set_config('plek.roles', coalesce(array_to_string(enter.roles, ' '), ''), true),
          set_config('lock_timeout', '5s', true);
  SELECT max(value) FILTER (WHERE name = 'register'), max(value) FILTER (WHERE name = 'reference')
  INTO register_version, reference_version FROM heads WHERE name IN ('register', 'reference');
  at := clock_timestamp();
  RETURN NEXT;
END $$
"""

# Behind the head row: no leaf has an index but the one that was just given out, so there can be no gap.
NEXT_LEAF = """
CREATE FUNCTION next_leaf() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.index IS DISTINCT FROM (SELECT value - 1 FROM heads WHERE name = 'ledger') THEN
    RAISE EXCEPTION 'a leaf has the index that the head gave out' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
"""

REFUSE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% only ever grows', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


def upgrade() -> None:
    """Grant, guard and begin."""
    op.execute(ROLE)
    for table in READ_ONLY:
        op.execute(f"GRANT SELECT ON {table} TO plek_app")
    for table in APPEND_ONLY:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO plek_app")
    for table in CHANGING:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO plek_app")
    op.execute(ENTER)
    op.execute("REVOKE ALL ON FUNCTION enter(bytea) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION enter(bytea) TO plek_app")
    op.execute(REFUSE)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(NEXT_LEAF)
    op.execute("CREATE TRIGGER without_gaps BEFORE INSERT ON leaves FOR EACH ROW EXECUTE FUNCTION next_leaf()")
    op.execute("INSERT INTO heads (name, value) VALUES ('ledger', 0), ('outbox', 0), ('register', 0), ('reference', 0)")
    op.execute(
        "INSERT INTO timers (name, due_at, leased_until)"
        " SELECT name, '-infinity', '-infinity' FROM unnest(ARRAY['sweep', 'step', 'prune']) AS name"
    )


def downgrade() -> None:
    """Take the guards away again; the role stays, as other databases of the server may use it."""
    op.execute("DELETE FROM timers")
    op.execute("DELETE FROM heads")
    for table in APPEND_ONLY:
        op.execute(f"DROP TRIGGER only_grows ON {table}")
    op.execute("DROP FUNCTION refuse_change()")
    op.execute("DROP TRIGGER without_gaps ON leaves")
    op.execute("DROP FUNCTION next_leaf()")
    op.execute("DROP FUNCTION enter(bytea)")
    for table in (*READ_ONLY, *APPEND_ONLY, *CHANGING):
        op.execute(f"REVOKE ALL ON {table} FROM plek_app")
