"""A hold by hand: `POST /v1/holds` as a good engineer would write it in an afternoon.

FastAPI, asyncpg and one statement. It looks up the token and sets the tenant, guards referral and
ranking, claims one free place that nobody else has locked, notes what ran out on it, and leaves the
hold, the sealed answer for repeats, two rows of the outbox and the access log. What it does not
have: rules for rows, a policy that changes, swaps, erasure, limits, strict headers, a log.
"""

import hashlib
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import asyncpg
import uvicorn
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import FastAPI, Header, Request, Response
from pydantic import BaseModel, Field

from app import clock

DATABASE_VARIABLE = "BYHAND_DATABASE_URL"
PORT_VARIABLE = "BYHAND_PORT"
TABLES = (Path(__file__).parent / "byhand.sql").read_text(encoding="utf-8")
SETTINGS = {"plan_cache_mode": "force_generic_plan", "jit": "off"}
POOL = 10
KEPT = timedelta(minutes=15)

TAKE = """
WITH referral AS (
  UPDATE referrals SET status = 'held', hold_id = $1, held_until = $2, updated_at = clock_timestamp()
  FROM rankings AS r, place_groups AS g, sites AS s
  WHERE referrals.id = $3 AND referrals.provider_id = $4
    AND (referrals.status = 'open'
         OR (referrals.status = 'held' AND referrals.held_until <= clock_timestamp()))
    AND r.id = $5 AND r.referral_id = referrals.id AND r.referral_version = referrals.version
    AND r.as_of > clock_timestamp() - interval '15 minutes'
    AND g.id = $6 AND s.id = g.site_id AND s.revision <= r.register_version
    AND NOT EXISTS (SELECT FROM holds AS h WHERE h.referral_id = referrals.id
                    AND h.site_id = s.id AND h.status = 'declined')
    AND referrals.reason = 'safety'
  RETURNING referrals.id, s.id AS site_id, s.region
), claim AS (
  UPDATE claims SET hold_id = $1, claimed_until = $2, since = clock_timestamp()
  WHERE place_id = (
    SELECT place_id FROM claims
    WHERE group_id = $6 AND claimed_until <= (SELECT clock_timestamp())
      AND EXISTS (SELECT FROM referral)
    ORDER BY claimed_until LIMIT 1 FOR UPDATE SKIP LOCKED)
  RETURNING place_id
), lapsed AS (
  UPDATE holds SET status = 'expired', resolved_at = clock_timestamp()
  FROM claim
  WHERE holds.place_id = claim.place_id AND resolved_at IS NULL AND expires_at <= clock_timestamp()
  RETURNING holds.id
), hold AS (
  INSERT INTO holds (id, referral_id, provider_id, receiver_id, place_id, site_id, ranking_id, rank,
                     status, expires_at, renewals_left)
  SELECT $1, $3, $4, $7, claim.place_id, referral.site_id, $5, 1, 'accepted', $2, 2
  FROM claim, referral WHERE (SELECT count(*) FROM lapsed) >= 0
), answer AS (
  INSERT INTO answers (account_id, route, key, fingerprint, status, sealed)
  SELECT $8, '/holds', $9, $10, 201, $11 FROM claim ON CONFLICT DO NOTHING RETURNING key
), told AS (
  INSERT INTO outbox (kind, subject, audience)
  SELECT 'hold', $1::uuid::text, ARRAY[$4, $7]::uuid[] FROM claim
  UNION ALL SELECT 'availability', referral.region, ARRAY[$7]::uuid[] FROM claim, referral
), logged AS (
  INSERT INTO access_log (action, account_id, provider_id, object_id, source, request_id,
                          referral_id)
  SELECT 'hold', $8, $4, $1, $12, $13, $3 FROM claim
)
SELECT (SELECT count(*) FROM claim) AS claims, (SELECT count(*) FROM answer) AS answers
"""


class Wanted(BaseModel):
    """The offer to hold, and the ranking that has it."""

    referral_id: Annotated[UUID, Field(alias="referralId")]
    ranking_id: Annotated[UUID, Field(alias="rankingId")]
    offer_id: Annotated[str, Field(alias="offerId", max_length=200)]
    """The group of places, and whose they are."""
    override_reason: Annotated[
        Literal["client_preference", "other"] | None, Field(alias="overrideReason")
    ] = None


class Held(BaseModel):
    """A place kept for a referral."""

    id: UUID
    status: str
    referralId: UUID  # noqa: N815 - as it is sent
    providerId: UUID  # noqa: N815 - as above
    createdAt: datetime  # noqa: N815 - as above
    expiresAt: datetime  # noqa: N815 - as above
    renewalsLeft: int  # noqa: N815 - as above


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """Open the pool."""
    async with asyncpg.create_pool(
        os.environ[DATABASE_VARIABLE], min_size=POOL, max_size=POOL, server_settings=SETTINGS
    ) as pool:
        app.state.pool = pool
        yield


hand = FastAPI(lifespan=lifespan)
seal = AESGCM(os.urandom(32))


@hand.get("/hello")
async def hello() -> dict[str, str]:
    """Say hello: the server is there."""
    return {"hello": "world"}


@hand.post("/holds", status_code=201)
async def hold(
    wanted: Wanted, request: Request, idempotency_key: Annotated[str, Header()]
) -> Response:
    """Hold a place of the offer."""
    token = hashlib.sha256(request.headers["authorization"][7:].encode()).digest()
    group, _, receiver = wanted.offer_id.partition(".")
    held = answer(wanted, UUID(receiver))
    body = held.model_dump_json().encode()
    async with hand.state.pool.acquire() as connection, connection.transaction():
        who: Any = await connection.fetchrow("SELECT * FROM enter($1)", token)
        if who is None:
            return Response(status_code=401)
        if "intake_worker" not in who["granted"]:
            return Response(status_code=403)
        won: Any = await connection.fetchrow(
            TAKE,
            held.id,
            held.expiresAt,
            held.referralId,
            who["provider"],
            wanted.ranking_id,
            UUID(group),
            held.providerId,
            who["account"],
            idempotency_key,
            hashlib.sha256(await request.body()).digest(),
            sealed(body, held.id),
            request.client.host if request.client else None,
            uuid4().hex,
        )
    if not won["claims"] or not won["answers"]:
        return Response(status_code=409)
    tag = hashlib.sha256(body).hexdigest()[:32]
    return Response(body, 201, {"ETag": f'"{tag}"'}, "application/json")


def answer(wanted: Wanted, receiver: UUID) -> Held:
    """Return the hold as it will be."""
    at = clock.now()
    return Held(
        id=uuid4(),
        status="accepted",
        referralId=wanted.referral_id,
        providerId=receiver,
        createdAt=at,
        expiresAt=at + KEPT,
        renewalsLeft=2,
    )


def sealed(body: bytes, hold_id: UUID) -> bytes:
    """Return an answer as it is kept for repeats."""
    nonce = os.urandom(12)
    return nonce + seal.encrypt(nonce, body, hold_id.bytes)


if __name__ == "__main__":
    uvicorn.run(
        hand,
        port=int(os.environ[PORT_VARIABLE]),
        access_log=False,
        log_config=None,
        server_header=False,
    )
