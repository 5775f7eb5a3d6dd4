"""Signing in: credentials, invitations, recovery codes and sessions; administrators keep the accounts.

A session is a token with a row beside it. The application still has no rights on tokens: it opens, keeps and ends
sessions through the functions here, which make no other tokens and end no others. docs/adr/0021-signing-in.md has the
reasons.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# As 0008 has it: in sub-selects, so that they are worked out once a statement and not once a row.
ACCOUNT = "(SELECT my_account())"
WORKER = "(SELECT acting()) = 'worker'"
SIGNING = "(SELECT acting()) = 'signing'"
ADMINISTRATOR = "(SELECT i_am('administrator'))"
OWN = f"account_id = {ACCOUNT}"

# For each table: who may SELECT, INSERT, UPDATE and DELETE rows, in the form of 0008.
RULES: dict[str, dict[str, str]] = {
    "accounts": {
        "SELECT": f"id = {ACCOUNT} OR {ADMINISTRATOR} OR {SIGNING}",
        "INSERT": ADMINISTRATOR,
        # Nobody gives themselves a role, or takes it from the last one who could give it back.
        "UPDATE": f"{ADMINISTRATOR} AND id <> {ACCOUNT}",
    },
    "credentials": {
        "SELECT": f"{OWN} OR {SIGNING} OR {ADMINISTRATOR}",
        "INSERT": f"{ADMINISTRATOR} AND password IS NULL",
        # An administrator can take a password away, and cannot choose one for somebody else.
        "UPDATE": f"{SIGNING} OR {ADMINISTRATOR} TO {SIGNING} OR ({ADMINISTRATOR} AND password IS NULL)",
    },
    "recovery_codes": {
        "SELECT": f"{OWN} OR {SIGNING} OR {ADMINISTRATOR}",
        "INSERT": SIGNING,
        "DELETE": f"{SIGNING} OR {ADMINISTRATOR}",
    },
    "invitations": {
        "SELECT": f"{SIGNING} OR {ADMINISTRATOR} OR {WORKER}",
        "INSERT": ADMINISTRATOR,
        "UPDATE": f"{SIGNING} OR {ADMINISTRATOR}",
        "DELETE": WORKER,
    },
    # Looked at and changed by the functions alone, as tokens are.
    "sessions": {},
}
OF_THE_OWNER = ("sessions",)
GRANTS = (
    "SELECT, INSERT, UPDATE (roles, provider_id, region, name, disabled_at) ON accounts",
    "SELECT, INSERT, UPDATE (password, second_factor, used_step, enrolled_at) ON credentials",
    "SELECT, INSERT, DELETE ON recovery_codes",
    "SELECT, INSERT, UPDATE (used_at), DELETE ON invitations",
)
LOGGED = f"account_id IS NOT DISTINCT FROM {ACCOUNT}"

OPEN = """
CREATE FUNCTION open_session(
  of_account uuid, hashed bytea, idle interval, longest interval, on_device text, admits_demo boolean
) RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  new_id uuid := gen_random_uuid();
  until timestamptz := clock_timestamp() + longest;
BEGIN
  IF acting() <> 'signing' THEN
    RAISE insufficient_privilege;
  END IF;
  -- Locked, so that whoever is just being disabled does not come in beside it.
  PERFORM FROM accounts AS a
  WHERE a.id = of_account AND a.disabled_at IS NULL AND (admits_demo OR NOT a.demo) FOR SHARE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  INSERT INTO tokens (id, account_id, hash, expires_at)
  VALUES (new_id, of_account, hashed, least(until, clock_timestamp() + idle));
  INSERT INTO sessions (token_id, account_id, ends_at, device) VALUES (new_id, of_account, until, on_device);
  RETURN new_id;
END $$
"""
# A row is written once in half a minute at most, however many requests there are.
KEEP = """
CREATE FUNCTION keep_session(hashed bytea, idle interval) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
  WITH seen AS (
    UPDATE sessions AS s SET seen_at = clock_timestamp() FROM tokens AS t
    WHERE t.hash = hashed AND s.token_id = t.id AND s.account_id = my_account() AND t.revoked_at IS NULL
      AND t.expires_at > clock_timestamp() AND s.seen_at < clock_timestamp() - interval '30 seconds'
    RETURNING s.token_id, s.ends_at
  )
  UPDATE tokens AS t SET expires_at = least(seen.ends_at, clock_timestamp() + idle) FROM seen WHERE t.id = seen.token_id
$$
"""
LISTED = """
CREATE FUNCTION sessions_of(of_account uuid) RETURNS TABLE (
  id uuid, created_at timestamptz, seen_at timestamptz, expires_at timestamptz, ends_at timestamptz, device text
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
  SELECT s.token_id, s.created_at, s.seen_at, t.expires_at, s.ends_at, s.device
  FROM sessions AS s JOIN tokens AS t ON t.id = s.token_id
  WHERE s.account_id = of_account AND (s.account_id = my_account() OR i_am('administrator'))
    AND t.revoked_at IS NULL AND t.expires_at > clock_timestamp()
  ORDER BY s.seen_at DESC, s.token_id
$$
"""
END = """
CREATE FUNCTION end_sessions(of_account uuid, only_this uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  ended integer;
BEGIN
  UPDATE tokens AS t SET revoked_at = clock_timestamp() FROM sessions AS s
  WHERE s.token_id = t.id AND s.account_id = of_account AND (only_this IS NULL OR s.token_id = only_this)
    AND (s.account_id = my_account() OR i_am('administrator') OR acting() = 'signing')
    AND t.revoked_at IS NULL AND t.expires_at > clock_timestamp();
  GET DIAGNOSTICS ended = ROW_COUNT;
  RETURN ended;
END $$
"""
PRUNE = """
CREATE FUNCTION prune_sessions(kept interval) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  gone integer;
BEGIN
  DELETE FROM tokens AS t USING sessions AS s
  WHERE acting() = 'worker' AND s.token_id = t.id
    AND least(t.expires_at, coalesce(t.revoked_at, 'infinity')) < clock_timestamp() - kept;
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $$
"""
FUNCTIONS = (
    "open_session(uuid, bytea, interval, interval, text, boolean)",
    "keep_session(bytea, interval)",
    "sessions_of(uuid)",
    "end_sessions(uuid, uuid)",
    "prune_sessions(interval)",
)


def _tables() -> None:
    op.create_table(
        "credentials",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name_key", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("second_factor", sa.LargeBinary(), nullable=True),
        sa.Column("used_step", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(password IS NULL) = (second_factor IS NULL) AND (password IS NULL) = (enrolled_at IS NULL)",
            name=op.f("credentials_enrolled_check"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("credentials_account_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("credentials_pkey")),
        sa.UniqueConstraint("name_key", name=op.f("credentials_name_key_key")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("recovery_codes_account_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "hash", name=op.f("recovery_codes_pkey")),
    )
    op.create_table(
        "invitations",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        _stamp("created_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("invitations_account_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("invitations_pkey")),
    )
    op.create_index(op.f("invitations_account_id_idx"), "invitations", ["account_id"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("token_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        _stamp("created_at"),
        _stamp("seen_at"),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name=op.f("sessions_token_id_fkey"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("sessions_account_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_id", name=op.f("sessions_pkey")),
    )
    op.create_index(op.f("sessions_account_id_idx"), "sessions", ["account_id"], unique=False)


def _stamp(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False)


def upgrade() -> None:
    """Make the tables, their walls, and the functions by which sessions are opened, kept and ended."""
    _tables()
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO plek_app")
    for function in (OPEN, KEEP, LISTED, END, PRUNE):
        op.execute(function)
    for name in FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO plek_app")
    for table, rules in RULES.items():
        if table != "accounts":
            op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
            operators = "true" if table in OF_THE_OWNER else "(SELECT acting()) = 'operator'"
            op.execute(f"CREATE POLICY operator ON {table} TO CURRENT_USER USING ({operators})")
        for command, rule in rules.items():
            op.execute(_policy(table, command, rule))
    # Whoever signs in is nobody yet when that is written down.
    _log_rule(f"{LOGGED} OR {SIGNING}")


def _policy(table: str, command: str, rule: str) -> str:
    using, _, new = rule.partition(" TO ")
    conditions = f"WITH CHECK ({using})" if command == "INSERT" else f"USING ({using})"
    if new:
        conditions += f" WITH CHECK ({new})"
    return f'CREATE POLICY "{command.lower()}" ON {table} FOR {command} {conditions}'


def _log_rule(rule: str) -> None:
    op.execute('DROP POLICY "insert" ON access_log')
    op.execute(f'CREATE POLICY "insert" ON access_log FOR INSERT WITH CHECK ({rule})')


def downgrade() -> None:
    """Take them away, and with them every token that was a session."""
    _log_rule(LOGGED)
    for command in RULES["accounts"]:
        op.execute(f'DROP POLICY "{command.lower()}" ON accounts')
    op.execute("REVOKE ALL ON accounts FROM plek_app")
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}")
    op.execute("DELETE FROM tokens USING sessions WHERE sessions.token_id = tokens.id")
    for table in ("sessions", "invitations", "recovery_codes", "credentials"):
        op.drop_table(table)
