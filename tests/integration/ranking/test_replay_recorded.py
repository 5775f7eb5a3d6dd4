"""Rankings recorded by any version of the rules replay identically from a database."""

import hashlib
import zlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from app.allocation.policy.documents import canonical_json, content_hash
from app.allocation.policy.policy import policy_hash
from app.allocation.ranking.versions import VERSIONS
from app.config import Settings
from app.database.transaction import Database, Transaction
from app.ranking import rankings
from app.seal import Keyring, new_key
from tests.conftest import Server, at, clone, plain
from tests.unit.allocation.cases import NOON
from tests.unit.allocation.ranking.replay_corpus import Recorded, recorded

PROVIDER, ACCOUNT, TOKEN = UUID(int=1), UUID(int=2), hashlib.sha256(b"token").digest()

COUNTRY = """
INSERT INTO regions VALUES ('A', 'Alpha', 52, 5, 1000);
INSERT INTO municipalities VALUES ('a1', 'Aa', 'Alpha', 52, 5, 5, 1000, 'A');
INSERT INTO providers (id, slug, name, phone)
VALUES ('{provider}', 'haven', 'Stichting Haven', '000-555 01 01');
INSERT INTO accounts (id, roles, provider_id)
VALUES ('{account}', '{{intake_worker}}', '{provider}');
INSERT INTO tokens (id, account_id, hash, expires_at)
VALUES (gen_random_uuid(), '{account}', '\\x{token}', clock_timestamp() + interval '1 day');
"""
POLICY = "INSERT INTO policies VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"
REGISTER = "INSERT INTO registers (hash, content) VALUES ($1, $2) ON CONFLICT DO NOTHING"
REFERRAL = """INSERT INTO referrals (id, provider_id, reference, urgency, reason, origin)
VALUES ($1::uuid, $2, ($1::uuid)::text, 'acute', 'safety', 'a1')"""
SECRET = (
    "INSERT INTO referral_secrets (referral_id, provider_id, key, sealed) VALUES ($1, $2, $3, $4)"
)
RANKING = """INSERT INTO rankings (id, referral_id, provider_id, referral_version, register_version,
                      as_of, policy_hash,
register_hash, rules_version, digest, sealed) VALUES ($1, $2, $3, 1, 1, $4, $5, $6, $9, $7, $8)"""


async def fill(
    url: str, corpus: Sequence[Recorded], keyring: Keyring, *, version: str
) -> dict[UUID, bool]:
    """Record rankings by a version of the rules.

    Return by id whether each should replay.
    """
    connection: Any = await asyncpg.connect(plain(url))
    await connection.execute(
        "SET plek.actor = 'operator'"
    )  # the owner too sees no rows but as that
    await connection.execute(COUNTRY.format(provider=PROVIDER, account=ACCOUNT, token=TOKEN.hex()))
    known: dict[UUID, bool] = {}
    for number, one in enumerate(corpus):
        begins = NOON + timedelta(days=number)
        cited = policy_hash(one.policy_document), content_hash(one.register_content)
        document = canonical_json(one.policy_document).decode()
        await connection.execute(POLICY, cited[0], one.policy.version, begins, document)
        await connection.execute(REGISTER, cited[1], zlib.compress(one.register_content))
        referral_id, id_ = uuid4(), uuid4()
        key, wrapped = keyring.new_data_key(row=str(referral_id))
        await connection.execute(REFERRAL, referral_id, PROVIDER)
        await connection.execute(
            SECRET, referral_id, PROVIDER, wrapped, key.seal(b"{}", row=str(referral_id))
        )
        sealed = key.seal(one.inputs, row=str(id_))
        known[id_] = number > 0
        digest = one.digest if known[id_] else "sha256:0"
        await connection.execute(
            RANKING, id_, referral_id, PROVIDER, NOON, *cited, digest, sealed, version
        )
    await connection.close()
    return known


@pytest.mark.parametrize("version", sorted(VERSIONS))
async def test_rankings_of_every_version_replay_identically_from_the_database(
    embedded: Server, version: str
) -> None:
    keyring = Keyring.parse(new_key())
    # One under each policy: the first stated nothing that policies have come to say since.
    by_policy = {
        one.policy.version: one for one in recorded(version) if one.policy.bands[-1] == "freshness"
    }
    corpus = [next(iter(by_policy.values())), *by_policy.values()]
    async with clone(embedded) as name:
        known = await fill(at(embedded.owner_url, name), corpus, keyring, version=version)

        database = Database(Settings(), url=at(embedded.app_url, name), keyring=keyring)
        async with database.transaction(TOKEN) as tx:
            assert await replayed(tx, list(known)) == list(known.values())
        await database.close()


async def replayed(
    tx: Transaction,
    ids: Sequence[UUID],
) -> list[bool]:
    """Replay rankings as their intake worker does.

    Return which of them are identical.
    """
    return [(await rankings.replay_ranking(tx, id_))[1] for id_ in ids]
