"""What a hold reads once its tables have grown: a few rows, each found by an index.

A connection keeps the plan of a statement for as long as it lives, also one that was made while a
table had hardly a row: so the acts are done before the tables grow, and again on the same
connections.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from app.database import outbox
from app.database.transaction import RELAY
from tests.casework import Desk, desk, fresh
from tests.country import Country

ON_BOTH = True

MANY = 2_000
MOST = 150
"""Rows of a table that one household's way may read."""
GROWN = (
    """
    INSERT INTO referrals (id, provider_id, reference, status, urgency, reason, origin)
    SELECT gen_random_uuid(), provider_id, 'past-' || n, 'ended', urgency, reason, origin
    FROM (SELECT * FROM referrals LIMIT 1) AS one, generate_series(1, :many) AS n
    """,
    """
    INSERT INTO rankings (id, referral_id, provider_id, referral_version, register_version, as_of,
                          policy_hash, register_hash, rules_version, digest, sealed)
    SELECT gen_random_uuid(), referral_id, provider_id, referral_version, register_version, as_of,
           policy_hash, register_hash, rules_version, digest, sealed
    FROM (SELECT * FROM rankings LIMIT 1) AS one, generate_series(1, :many) AS n
    """,
    """
    INSERT INTO holds (id, referral_id, provider_id, receiver_id, place_id, site_id, kind,
                       ranking_id, rank, status, expires_at, renewals_left, resolved_at)
    SELECT gen_random_uuid(), r.id, one.provider_id, one.receiver_id, place_id, site_id, kind,
           ranking_id, rank, 'released', expires_at, 0, clock_timestamp()
    FROM (SELECT * FROM holds LIMIT 1) AS one, referrals AS r WHERE r.status = 'ended'
    """,
    """
    INSERT INTO tokens (id, account_id, hash, expires_at)
    SELECT gen_random_uuid(), account_id, decode(md5(n::text), 'hex'), expires_at
    FROM (SELECT * FROM tokens LIMIT 1) AS one, generate_series(1, :many) AS n
    """,
    """
    INSERT INTO answers (account_id, route, key, fingerprint, status, sealed)
    SELECT account_id, route, 'past-' || n, fingerprint, status, sealed
    FROM (SELECT * FROM answers LIMIT 1) AS one, generate_series(1, :many) AS n
    """,
    """
    INSERT INTO outbox (position, kind, subject) SELECT -n, 'hold', '' FROM generate_series(1, :many) AS n
    """,
    """
    INSERT INTO access_log (action, outcome, account_id, roles, provider_id, object_type,
                            referral_ids)
    SELECT action, outcome, account_id, roles, provider_id, object_type, referral_ids
    FROM (SELECT * FROM access_log LIMIT 1) AS one, generate_series(1, :many) AS n
    """,
)
READ = """
SELECT relname, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) AS rows
FROM pg_stat_user_tables
"""


async def read_so_far(country: Country) -> Mapping[str, int]:
    """Return how many rows of each table have been read, by all connections."""
    for database in (country.owner, country.parts.database):
        for connection in database._pool.idle:
            await connection.execute("SELECT pg_stat_force_next_flush()")
    return {row.relname: row.rows for row in await country.rows(READ)}


async def find_a_place(country: Country, where: Desk, wanted: Mapping[str, Any]) -> None:
    """Hold a place, look at it, and give it back; number what others hear of that."""
    hold = await where.intake.post("/holds", dict(wanted), key=fresh())
    path = f"/holds/{hold['id']}"
    await where.receiver.get(path)
    await where.intake.post(f"{path}/renewals", key=fresh(), expect=200)
    await where.receiver.post(f"{path}/acceptance", {"by": "person"}, key=fresh(), expect=200)
    await where.intake.get("/holds?limit=1")
    await where.intake.post(f"{path}/release", {"reason": "found_elsewhere"}, expect=200)
    async with country.parts.database.transaction(actor=RELAY) as tx:
        await outbox.number(tx)


@pytest.mark.fresh
async def test_the_way_of_a_hold_reads_no_table_from_end_to_end_however_old_its_plans(
    country: Country,
) -> None:
    where = await desk(country, places=2)
    for _ in range(2):
        await find_a_place(country, where, await where.wish())
    for statement in GROWN:
        await country.rows(statement, **({"many": MANY} if ":many" in statement else {}))
    wanted = await where.wish()
    before = await read_so_far(country)

    await find_a_place(country, where, wanted)

    after = await read_so_far(country)
    read = {table: rows - before[table] for table, rows in after.items()}
    assert {table: rows for table, rows in read.items() if rows > MOST} == {}
