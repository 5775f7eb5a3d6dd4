"""Row-level security: who may see and change which rows of a provider or a client; without a rule, nobody.

The rules lean on what `enter` says of the caller. They stand behind the application's own conditions: a query that
forgets one finds nothing foreign. docs/adr/0008-row-level-security.md has the reasons.
"""

# ruff: noqa: S608 - every statement is made of the constants here

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# In sub-selects, so that they are worked out once a statement and not once a row.
PROVIDER = "(SELECT my_provider())"
ACCOUNT = "(SELECT my_account())"
STAFF = f"{PROVIDER} IS NOT NULL"
WORKER = "(SELECT acting()) = 'worker'"
RELAY = "(SELECT acting()) = 'relay'"
SOMEBODY = "(SELECT acting()) <> ''"
AUDITOR = "(SELECT i_am('auditor'))"
CONTROL = "(SELECT i_am('auditor') OR i_am('administrator'))"
CASE_STAFF = "(SELECT i_am('intake_worker') OR i_am('coordinator'))"
REGION = "(SELECT my_region())"
# What may be changed while it lives is so for the whole of a transaction that began in time: a clock that runs on
# between looking at the old row and at the new one would refuse halfway. The claim decides by the clock who was late.
BEGUN = "now()"


def mine(column: str = "provider_id") -> str:
    """Whether a row is the caller's provider's."""
    return f"{column} = {PROVIDER}"


def unshielded(referral: str) -> str:
    """Whether a referral has no named colleagues, or the caller is one of them."""
    return (
        f"(SELECT coalesce(bool_or(s.account_id = my_account() AND (s.until IS NULL OR s.until > {BEGUN})),"
        f" true) FROM shields AS s WHERE s.referral_id = {referral})"
    )


def coming(referral: str) -> str:
    """Whether a hold or a placement of a referral lives with the caller's provider."""
    return (
        f"(EXISTS (SELECT FROM holds AS h WHERE h.referral_id = {referral} AND h.receiver_id = {PROVIDER}"
        f" AND h.resolved_at IS NULL AND h.expires_at > {BEGUN})"
        f" OR EXISTS (SELECT FROM placements AS p WHERE p.referral_id = {referral} AND p.receiver_id = {PROVIDER}"
        " AND p.status IN ('underway', 'arrived')))"
    )


def own_of_case(table: str) -> str:
    """Whether a row is of one of the caller's provider's referrals, and the caller may see that."""
    return f"({mine()} AND {unshielded(f'{table}.referral_id')})"


def received(table: str) -> str:
    """Whether a row is of a case that came from elsewhere: at home a shield holds wherever the place is."""
    return f"({mine('receiver_id')} AND {table}.provider_id <> {PROVIDER})"


# A person must have accepted, and the claim must live.
ACCEPTED_THERE = f"""
(EXISTS (SELECT FROM holds AS h JOIN claims AS c ON c.hold_id = h.id
         WHERE h.site_id = site_secrets.site_id AND h.provider_id = {PROVIDER} AND h.status = 'accepted'
           AND h.accepted_by = 'person' AND c.claimed_until > clock_timestamp())
 OR EXISTS (SELECT FROM placements AS p JOIN holds AS h ON h.id = p.hold_id
            WHERE p.site_id = site_secrets.site_id AND p.provider_id = {PROVIDER}
              AND p.status IN ('underway', 'arrived') AND h.accepted_by = 'person'))"""

# What is free, or has run out, may be taken by anyone on staff; what is taken may be changed by those concerned.
CLAIMABLE = f"""
({STAFF} AND (claimed_until <= clock_timestamp()
 OR EXISTS (SELECT FROM holds AS h WHERE h.id = claims.hold_id AND {PROVIDER} IN (h.provider_id, h.receiver_id))
 OR EXISTS (SELECT FROM placements AS p
            WHERE p.id = claims.placement_id AND {PROVIDER} IN (p.provider_id, p.receiver_id))
 OR EXISTS (SELECT FROM places AS p WHERE p.id = claims.place_id AND {mine("p.provider_id")})))"""

OWN_CASE = f"({mine()} AND {unshielded('referrals.id')})"
IN_REGION = f"""
({AUDITOR} AND (EXISTS (SELECT FROM municipalities AS m WHERE m.code = referrals.origin AND m.region = {REGION})
 OR EXISTS (SELECT FROM placements AS p WHERE p.referral_id = referrals.id AND p.receiving = {REGION})))"""
OF_REFERRAL_IN_REGION = f"({AUDITOR} AND EXISTS (SELECT FROM referrals AS r WHERE r.id = referral_id))"
RANKED_FOR_US = f"""
EXISTS (SELECT FROM placements AS p JOIN holds AS h ON h.id = p.hold_id
        WHERE p.referral_id = rankings.referral_id AND h.ranking_id = rankings.id AND p.receiver_id = {PROVIDER}
          AND p.status IN ('underway', 'arrived'))"""
OPEN_BY_NOW = f"""
({AUDITOR} AND {REGION} IN (origin_region, receiving_region) AND (opens_at <= clock_timestamp()
 OR EXISTS (SELECT FROM leaves AS l JOIN leaves AS e ON e.placement_id = l.placement_id AND e.type = 'departure'
            WHERE l.index = openings.index)))"""
OWN_SITE = f"EXISTS (SELECT FROM sites AS s WHERE s.id = site_id AND {mine('s.provider_id')})"
OWN_PLACE = f"EXISTS (SELECT FROM places AS p WHERE p.id = place_id AND {mine('p.provider_id')})"
RECEIVED = f"EXISTS (SELECT FROM placements AS p WHERE p.id = placement_id AND {mine('p.receiver_id')})"

# Who names the colleagues of a referral: any who can see it while it has none, then one of them. If none of them works
# there any more, whoever broke the glass. `colleagues()` says who does.
NAMED = "SELECT FROM shields AS s WHERE s.referral_id = shields.referral_id AND s.until IS NULL"
MAY_NAME = f"""
(EXISTS (SELECT FROM referrals AS r WHERE r.id = shields.referral_id AND r.provider_id = my_provider())
 AND (EXISTS ({NAMED} AND s.account_id = my_account())
      OR NOT EXISTS ({NAMED} AND s.account_id IN (SELECT c.account_id FROM colleagues() AS c))))"""
# Only where somebody is named: a glass that is broken must not be what shields a referral.
OWN_GLASS = "(account_id = my_account() AND until IS NOT NULL)"
BREAKS_GLASS = f"({OWN_GLASS} AND EXISTS ({NAMED} AND s.provider_id = my_provider()))"

# For each table: who may SELECT, INSERT, UPDATE and DELETE rows. An UPDATE's new row needs its own condition only where
# that differs ("a TO b"). What is not named is refused.
RULES: dict[str, dict[str, str]] = {
    "providers": {"SELECT": SOMEBODY},
    "provider_regions": {"SELECT": SOMEBODY, "INSERT": mine()},
    "sites": {"SELECT": f"{STAFF} OR {WORKER}", "INSERT": mine(), "UPDATE": mine()},
    "site_secrets": {"SELECT": f"{mine()} OR {ACCEPTED_THERE}", "INSERT": mine(), "UPDATE": mine()},
    "place_groups": {"SELECT": f"{STAFF} OR {WORKER}", "INSERT": OWN_SITE, "UPDATE": OWN_SITE},
    "places": {"SELECT": f"{STAFF} OR {WORKER}", "INSERT": mine(), "UPDATE": mine()},
    "place_secrets": {"SELECT": mine(), "INSERT": mine(), "UPDATE": mine()},
    "claims": {
        "SELECT": f"{STAFF} OR {WORKER}",
        "INSERT": OWN_PLACE,
        "UPDATE": f"{CLAIMABLE} OR {WORKER} TO {STAFF} OR {WORKER}",
    },
    "registers": {"SELECT": f"{STAFF} OR {AUDITOR}", "INSERT": STAFF},
    "shields": {
        # Bare function calls: other tables' rules read this one, and PostgreSQL takes sub-selects there for a circle.
        "SELECT": "provider_id = my_provider() OR acting() = 'worker'",
        "INSERT": f"provider_id = my_provider() AND ((until IS NULL AND {MAY_NAME}) OR {BREAKS_GLASS})",
        "UPDATE": f"provider_id = my_provider() AND ({MAY_NAME} OR {OWN_GLASS})"
        f" TO provider_id = my_provider() AND ((until IS NULL AND {MAY_NAME}) OR {OWN_GLASS})",
        "DELETE": f"(provider_id = my_provider() AND {MAY_NAME}) OR acting() = 'worker'",
    },
    "referrals": {
        "SELECT": f"{OWN_CASE} OR {coming('referrals.id')} OR {IN_REGION} OR {WORKER}",
        "INSERT": mine(),
        "UPDATE": f"{OWN_CASE} OR {coming('referrals.id')} OR {WORKER}",
    },
    "referral_secrets": {
        "SELECT": f"({CASE_STAFF} AND ({own_of_case('referral_secrets')} OR {coming('referral_secrets.referral_id')}))"
        f" OR {OF_REFERRAL_IN_REGION}"
        f" OR ({WORKER} AND EXISTS (SELECT FROM referrals AS r WHERE r.id = referral_id"
        " AND r.status IN ('ended', 'withdrawn')))",
        "INSERT": mine(),
        "UPDATE": own_of_case("referral_secrets"),
        "DELETE": WORKER,
    },
    "rankings": {
        "SELECT": f"{own_of_case('rankings')} OR {RANKED_FOR_US} OR {OF_REFERRAL_IN_REGION}",
        "INSERT": mine(),
    },
    "holds": {
        "SELECT": f"{own_of_case('holds')} OR {received('holds')} OR {WORKER}"
        f" OR ({AUDITOR} AND EXISTS (SELECT FROM placements AS p WHERE p.hold_id = holds.id))",
        "INSERT": mine(),
        "UPDATE": f"{own_of_case('holds')} OR {received('holds')} OR {WORKER}",
    },
    "stays": {
        "SELECT": f"{own_of_case('stays')} OR EXISTS (SELECT FROM placements AS p WHERE p.stay_id = stays.id)",
        "INSERT": mine(),
    },
    "placements": {
        "SELECT": f"{own_of_case('placements')} OR {received('placements')} OR {WORKER}"
        f" OR ({AUDITOR} AND {REGION} IN (origin_region, receiving))",
        "INSERT": mine(),
        "UPDATE": f"{own_of_case('placements')} OR {received('placements')}",
    },
    "leaves": {"SELECT": f"{CONTROL} OR {RECEIVED} OR {WORKER}", "INSERT": RECEIVED},
    "openings": {
        "SELECT": f"{OPEN_BY_NOW} OR EXISTS (SELECT FROM leaves AS l JOIN placements AS p ON p.id = l.placement_id"
        f" WHERE l.index = openings.index AND {mine('p.receiver_id')})",
        "INSERT": "EXISTS (SELECT FROM leaves AS l JOIN placements AS p ON p.id = l.placement_id"
        f" WHERE l.index = openings.index AND {mine('p.receiver_id')})",
    },
    "erasures": {"SELECT": WORKER, "INSERT": WORKER},
    "answers": {
        # Whoever may no longer see a referral gets no answer again that has it.
        "SELECT": f"(account_id = {ACCOUNT} AND {unshielded('answers.referral_id')}) OR {WORKER}",
        "INSERT": f"account_id = {ACCOUNT}",
        "UPDATE": WORKER,
        "DELETE": WORKER,
    },
    "access_log": {
        "SELECT": f"account_id = {ACCOUNT} OR (SELECT i_am('administrator'))"
        f" OR (action = 'break_glass' AND (SELECT i_am('coordinator')) AND {mine()}) OR ({CASE_STAFF} AND ("
        f"(object_type = 'site' AND EXISTS (SELECT FROM sites AS s WHERE s.id = object_id AND {mine('s.provider_id')}))"
        " OR EXISTS (SELECT FROM referrals AS r WHERE r.id = ANY (access_log.referral_ids)"
        f" AND {mine('r.provider_id')})))",
        "INSERT": f"account_id IS NOT DISTINCT FROM {ACCOUNT}",
    },
    "outbox": {
        "SELECT": f"{RELAY} OR {WORKER} OR ({STAFF} AND (audience IS NULL OR {PROVIDER} = ANY (audience)))",
        "INSERT": f"{STAFF} OR {WORKER}",
        "UPDATE": RELAY,
        "DELETE": WORKER,
    },
    "availability_steps": {"SELECT": SOMEBODY, "INSERT": WORKER, "UPDATE": WORKER, "DELETE": WORKER},
    # The application has no rights on these at all; `enter` looks tokens up as the owner.
    "accounts": {},
    "tokens": {},
}
OF_THE_OWNER = ("accounts", "tokens")

WHO = """
CREATE FUNCTION acting() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT coalesce(current_setting('plek.actor', true), '') $$;
CREATE FUNCTION my_account() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('plek.account', true), '')::uuid $$;
CREATE FUNCTION my_provider() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('plek.provider', true), '')::uuid $$;
CREATE FUNCTION my_region() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('plek.region', true), '') $$;
CREATE FUNCTION i_am(role text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT role = ANY (string_to_array(current_setting('plek.roles', true), ' ')) $$
"""

# The first statement of every transaction: it says who is asking, and takes on exactly that identity until the end.
# `as_actor` is what the process is when no token says who it is: worker, relay, operator, or nobody.
ENTER = """
CREATE FUNCTION enter(token_hash bytea, as_actor text, admits_demo boolean) RETURNS TABLE (
  account_id uuid, token_id uuid, roles text[], provider_id uuid, region text, at timestamptz,
  register_version bigint, reference_version bigint
) LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  SELECT a.id, t.id, a.roles, a.provider_id, a.region INTO account_id, token_id, roles, provider_id, region
  FROM tokens t JOIN accounts a ON a.id = t.account_id
  WHERE t.hash = token_hash AND t.revoked_at IS NULL AND t.expires_at > clock_timestamp() AND a.disabled_at IS NULL
    AND (admits_demo OR NOT a.demo);
  PERFORM set_config('plek.actor', CASE WHEN account_id IS NULL THEN as_actor ELSE 'account' END, true),
          set_config('plek.account', coalesce(account_id::text, ''), true),
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

# Whoever takes a place may find holds on it that ran out, of providers whose rows are not theirs to see. To note that
# they ran out is nobody's privilege: it is done here as the sweeper would do it, and tells no more than their status.
NOTE_LAPSED = """
CREATE FUNCTION note_lapsed(of_referral uuid, of_place uuid) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE before text := acting();
BEGIN
  PERFORM set_config('plek.actor', 'worker', true);
  RETURN QUERY
  WITH lapsed AS (
    UPDATE holds SET status = CASE status WHEN 'pending' THEN 'no_answer' ELSE 'expired' END,
                     resolved_at = clock_timestamp()
    WHERE resolved_at IS NULL AND expires_at <= clock_timestamp()
      AND (referral_id = of_referral OR place_id = of_place)
    RETURNING id, provider_id, receiver_id, status
  ), told AS (
    INSERT INTO outbox (kind, subject, audience) SELECT 'hold', id::text, ARRAY[provider_id, receiver_id] FROM lapsed
  ), opened AS (
    -- Not the one that is being held anew; and none that somebody is busy with: it counts as open already.
    UPDATE referrals SET status = 'open', hold_id = NULL, held_until = NULL, updated_at = clock_timestamp()
    WHERE id IN (SELECT r.id FROM referrals AS r JOIN lapsed ON lapsed.id = r.hold_id
                 WHERE r.id IS DISTINCT FROM of_referral FOR UPDATE OF r SKIP LOCKED)
  )
  SELECT status FROM lapsed;
  PERFORM set_config('plek.actor', before, true);
END $$
"""

# Who works for the caller's provider: for those who shield a referral and name who may see it.
COLLEAGUES = """
CREATE FUNCTION colleagues() RETURNS TABLE (account_id uuid, name text, roles text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
  SELECT id, name, roles FROM accounts WHERE provider_id = my_provider() AND disabled_at IS NULL ORDER BY name, id
$$
"""
FUNCTIONS = ("enter(bytea, text, boolean)", "note_lapsed(uuid, uuid)", "colleagues()")
# As 0006 has it.
ENTER_BEFORE = """
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


def upgrade() -> None:
    """Say who is asking, divide the rows, and grant what is new."""
    op.execute("ALTER TABLE outbox VALIDATE CONSTRAINT outbox_kind_check")
    for statement in WHO.split(";\n"):
        op.execute(statement)
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON shields TO plek_app")
    op.execute("GRANT SELECT, INSERT ON erasures TO plek_app")
    # Processes of the release before would see nothing from here on: it says too little of who they are.
    op.execute("-- squawk-ignore ban-drop-function\nDROP FUNCTION enter(bytea)")
    for function in (ENTER, NOTE_LAPSED, COLLEAGUES):
        op.execute(function)
    for name in FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO plek_app")
    for table, rules in RULES.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY operator ON {table} TO CURRENT_USER USING ({_operators(table)})")
        for command, rule in rules.items():
            op.execute(_policy(table, command, rule))


def _operators(table: str) -> str:
    if table in OF_THE_OWNER:
        return "true"
    # As in its rules: no sub-select there.
    return "acting() = 'operator'" if table == "shields" else "(SELECT acting()) = 'operator'"


def _policy(table: str, command: str, rule: str) -> str:
    using, _, new = rule.partition(" TO ")
    conditions = f"WITH CHECK ({using})" if command == "INSERT" else f"USING ({using})"
    if new:
        conditions += f" WITH CHECK ({new})"
    return f'CREATE POLICY "{command.lower()}" ON {table} FOR {command} {conditions}'


def downgrade() -> None:
    """Take the walls down."""
    for table, rules in RULES.items():
        for name in ("operator", *(command.lower() for command in rules)):
            op.execute(f'DROP POLICY "{name}" ON {table}')
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}")
    for name in ("acting()", "my_account()", "my_provider()", "my_region()", "i_am(text)"):
        op.execute(f"DROP FUNCTION {name}")
    for table in ("shields", "erasures"):
        op.execute(f"REVOKE ALL ON {table} FROM plek_app")
    op.execute(ENTER_BEFORE)
    op.execute("REVOKE ALL ON FUNCTION enter(bytea) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION enter(bytea) TO plek_app")
