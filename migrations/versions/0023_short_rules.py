"""Rules for rows that ask functions: they say what they said, and a statement's plan no longer holds all of it.

A rule that asks another table brings that table's rules into the plan, and theirs in turn: the statement that takes a
hold had a plan of 1,100 lines, set up and taken down each time, of which nearly nothing ever ran. What a function asks
is planned once a connection, where it is first called, and is asked with the rights of whoever asks.
docs/adr/0026-short-rules.md has the reasons.
"""

import re

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

REFERRAL = ("of_referral",)
TYPES = {"of_origin": "text"}
"""Of those parameters that are not ids."""

# As 0008 and 0013 have them. What lives does so by the transaction's beginning, as rows may be changed by these rules.
CHECKS: dict[str, tuple[tuple[str, ...], str]] = {
    # Whether a referral has no named colleagues, or the caller is one of them.
    "unshielded": (
        REFERRAL,
        """(SELECT coalesce(bool_or(s.account_id = my_account() AND (s.until IS NULL OR s.until > now())), true)
            FROM shields AS s WHERE s.referral_id = of_referral)""",
    ),
    # Whether a hold or a placement of a referral lives with the caller's provider.
    "coming_here": (
        REFERRAL,
        """(EXISTS (SELECT FROM holds AS h WHERE h.referral_id = of_referral AND h.receiver_id = my_provider()
                    AND h.resolved_at IS NULL AND h.expires_at > now())
            OR EXISTS (SELECT FROM placements AS p WHERE p.referral_id = of_referral
                       AND p.receiver_id = my_provider() AND p.status IN ('underway', 'arrived')))""",
    ),
    # Whether the caller's provider is asked to take a referral in, in a swap that lives.
    "swapping_here": (
        REFERRAL,
        """EXISTS (SELECT FROM swap_legs AS l JOIN swaps AS w ON w.id = l.swap_id
                   WHERE l.referral_id = of_referral AND l.live AND l.receiving_id = my_provider()
                     AND (w.status <> 'proposed' OR w.expires_at > now()))""",
    ),
    # Whether a referral began in the auditor's region, or was placed there.
    "of_my_region": (
        (*REFERRAL, "of_origin"),
        """(EXISTS (SELECT FROM municipalities AS m WHERE m.code = of_origin AND m.region = my_region())
            OR EXISTS (SELECT FROM placements AS p WHERE p.referral_id = of_referral AND p.receiving = my_region()))""",
    ),
    # Whether what makes a place not free concerns the caller's provider, or the place is its own.
    "claim_concerns_us": (
        ("of_hold", "of_placement", "of_place"),
        """(EXISTS (SELECT FROM holds AS h WHERE h.id = of_hold AND my_provider() IN (h.provider_id, h.receiver_id))
            OR EXISTS (SELECT FROM placements AS p
                       WHERE p.id = of_placement AND my_provider() IN (p.provider_id, p.receiver_id))
            OR EXISTS (SELECT FROM places AS p WHERE p.id = of_place AND p.provider_id = my_provider()))""",
    ),
}

# Bare calls: an initial plan costs a statement more than these cost the few rows that an index finds. Whoever is told
# by their role alone comes first in a rule, as each row asks from left to right; and who has no provider asks nothing.
STAFF = "my_provider() IS NOT NULL"
WORKER = "acting() = 'worker'"
EXCHANGE = "acting() = 'exchange'"
AUDITOR = "i_am('auditor')"
CASE_STAFF = "(i_am('intake_worker') OR i_am('coordinator'))"
MINE = "provider_id = my_provider()"


def own(table: str, referral: str = "referral_id") -> str:
    """Whether a row is of one of the caller's provider's referrals, and the caller may see that."""
    return f"({STAFF} AND {table}.{MINE} AND unshielded({table}.{referral}))"


def received(table: str) -> str:
    """Whether a row is of a case that came from elsewhere: at home a shield holds wherever the place is."""
    return f"({table}.receiver_id = my_provider() AND {table}.provider_id <> my_provider())"


def asked_for(referral: str) -> str:
    """Whether the caller's provider is to take a referral in: held, placed or proposed."""
    return f"({STAFF} AND (coming_here({referral}) OR swapping_here({referral})))"


OF_REGION = f"({AUDITOR} AND of_my_region(referrals.id, referrals.origin))"
ITS_REFERRAL = "SELECT FROM referrals AS r WHERE r.id = referral_secrets.referral_id"
RANKED_FOR_US = f"""
({STAFF} AND EXISTS (SELECT FROM placements AS p JOIN holds AS h ON h.id = p.hold_id
 WHERE p.referral_id = rankings.referral_id AND h.ranking_id = rankings.id AND p.receiver_id = my_provider()
   AND p.status IN ('underway', 'arrived')))"""
ANSWERED_FOR = f"({CASE_STAFF} AND responsible_id = my_provider() AND provider_id <> my_provider())"
OWN_ALTERNATIVE = f"({CASE_STAFF} AND {own('alternatives')})"
OTHERS_LEG = "(provider_id <> my_provider() AND (my_provider() = leaving_id OR my_provider() = receiving_id))"
OF_LEG = f"{WORKER} OR {EXCHANGE} OR {own('swap_legs')} OR {OTHERS_LEG}"

# As 0008 to 0013 and 0021 have them, table by table.
RULES: dict[str, dict[str, str]] = {
    "referrals": {
        "SELECT": f"{WORKER} OR {own('referrals', 'id')} OR {OF_REGION} OR {asked_for('referrals.id')}",
        "UPDATE": f"{WORKER} OR {own('referrals', 'id')} OR ({STAFF} AND coming_here(referrals.id))",
    },
    "referral_secrets": {
        "SELECT": f"({CASE_STAFF} AND ({own('referral_secrets')} OR {asked_for('referral_secrets.referral_id')}))"
        f" OR ({AUDITOR} AND EXISTS ({ITS_REFERRAL}))"
        f" OR ({WORKER} AND EXISTS ({ITS_REFERRAL} AND r.status IN ('ended', 'withdrawn')))",
        "UPDATE": own("referral_secrets"),
    },
    "rankings": {
        "SELECT": f"{own('rankings')} OR {RANKED_FOR_US}"
        f" OR ({AUDITOR} AND EXISTS (SELECT FROM referrals AS r WHERE r.id = rankings.referral_id))",
        "INSERT": MINE,
    },
    "holds": {
        "SELECT": f"{WORKER} OR {own('holds')} OR {received('holds')}"
        f" OR ({AUDITOR} AND EXISTS (SELECT FROM placements AS p WHERE p.hold_id = holds.id))",
        "INSERT": MINE,
        "UPDATE": f"{WORKER} OR {own('holds')} OR {received('holds')}",
    },
    "placements": {
        "SELECT": f"{WORKER} OR ({AUDITOR} AND my_region() IN (origin_region, receiving))"
        f" OR {own('placements')} OR {received('placements')}",
        "INSERT": MINE,
        "UPDATE": f"{WORKER} OR {own('placements')} OR {received('placements')}",
    },
    "stays": {
        "SELECT": f"{own('stays')} OR EXISTS (SELECT FROM placements AS p WHERE p.stay_id = stays.id)",
        "INSERT": MINE,
    },
    "claims": {
        "UPDATE": f"{WORKER} OR ({STAFF} AND (claimed_until <= clock_timestamp()"
        " OR claim_concerns_us(claims.hold_id, claims.placement_id, claims.place_id)))",
    },
    "answers": {
        "SELECT": f"{WORKER} OR (account_id = my_account() AND unshielded(answers.referral_id)"
        " AND NOT EXISTS (SELECT FROM unnest(answers.referral_ids) AS r (id) WHERE NOT unshielded(r.id)))",
        "INSERT": "account_id = my_account()",
    },
    "contacts": {
        "SELECT": f"{WORKER} OR ({CASE_STAFF} AND {own('contacts')})",
        "INSERT": f"{CASE_STAFF} AND {own('contacts')}",
    },
    "alternatives": {
        "SELECT": f"{WORKER} OR {OWN_ALTERNATIVE} OR {ANSWERED_FOR}",
        "INSERT": OWN_ALTERNATIVE,
        "UPDATE": f"{OWN_ALTERNATIVE} OR {ANSWERED_FOR}",
    },
    "move_agreements": {
        "SELECT": f"{WORKER} OR {EXCHANGE} OR {own('move_agreements')} OR {received('move_agreements')}",
    },
    "swap_searches": {"SELECT": own("swap_searches")},
    "swap_legs": {"SELECT": OF_LEG, "UPDATE": OF_LEG},
    "outbox": {"INSERT": f"{STAFF} OR {WORKER}"},
    "access_log": {"INSERT": "account_id IS NOT DISTINCT FROM my_account() OR acting() = 'signing'"},
}
# What 0013 has in policies of its own stands in the rules for SELECT, after what is quicker to tell.
FOLDED = (
    ("referrals", "swapping_here(referrals.id)"),
    ("referral_secrets", f"{CASE_STAFF} AND swapping_here(referral_secrets.referral_id)"),
)


def upgrade() -> None:
    """Make the functions, and let the rules ask them."""
    for name, (parameters, body) in CHECKS.items():
        taken = ", ".join(f"{parameter} {TYPES.get(parameter, 'uuid')}" for parameter in parameters)
        op.execute(
            f"CREATE FUNCTION {name}({taken}) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE"
            f" SET search_path FROM CURRENT AS $$ BEGIN RETURN {body}; END $$"
        )
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO plek_app")
    for table, rules in RULES.items():
        for command, rule in rules.items():
            _let(table, command, rule)
    for table, _rule in FOLDED:
        op.execute(f"DROP POLICY swap_select ON {table}")


def _let(table: str, command: str, rule: str) -> None:
    condition = "WITH CHECK" if command == "INSERT" else "USING"
    op.execute(f'ALTER POLICY "{command.lower()}" ON {table} {condition} ({rule})')


def _written_out(rule: str) -> str:
    """Return a rule with what is in the functions in place of their calls."""

    def body_of(call: re.Match[str]) -> str:
        parameters, body = CHECKS[call[1]]
        for parameter, argument in zip(parameters, call[2].split(", "), strict=True):
            body = re.sub(rf"\b{parameter}\b", argument, body)
        return body

    return re.sub(rf"\b({'|'.join(CHECKS)})\(([^()]*)\)", body_of, rule)


def downgrade() -> None:
    """Write out in the rules what the functions ask, which says the same, and drop them."""
    for table, rule in FOLDED:
        op.execute(f"CREATE POLICY swap_select ON {table} FOR SELECT USING ({_written_out(rule)})")
    for table, rules in RULES.items():
        for command, rule in rules.items():
            _let(table, command, _written_out(re.sub(r" OR swapping_here\([^()]*\)", "", rule)))
    for name in CHECKS:
        op.execute(f"DROP FUNCTION {name}")
