"""Health and metrics, for machines, beside the API."""

import asyncio
import ipaddress

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from app import logs, metrics
from app.database import pulse, timers
from app.database.caller import Role
from app.database.transaction import WORKER
from app.deps import Parts, PartsIn, source_of, token_hash
from app.embedded.folder import free_bytes
from app.embedded.restarts import read_restarts
from app.errors import Missing, Unavailable
from app.health import state_of

router = APIRouter(include_in_schema=False)

FRESH = {"Cache-Control": "no-store"}
STUCK = "This process does not recover by itself: start it again."
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")
"""Headers of a proxy: who speaks through one does not speak from this machine."""


@router.get("/health/live")
async def report_life(parts: PartsIn) -> Response:
    """Say that the process is of use, or will be once what it needs is there again.

    It fails for a process that only a restart can help.
    """
    if not await parts.vitals.recovers(parts.database):
        raise Unavailable(STUCK)
    return JSONResponse({"status": "alive"}, headers=FRESH)


@router.get("/health/ready")
async def report_readiness(parts: PartsIn) -> Response:
    """Say whether requests can be served.

    Degraded without Redis, with recurring work that nobody does, or on a full disk; without a
    database not.
    """
    state = await state_of(parts.database, parts.link, data_dir=parts.settings.data_dir)
    if state.database != "ok":
        raise Unavailable
    if state.migrations != "ok":
        raise Unavailable("The database has not been migrated to this version yet.")
    shown = {
        "status": state.status,
        "database": state.database,
        "redis": state.redis,
        "migrations": state.migrations,
        "timers": state.timers,
        "disk": state.disk,
    }
    return JSONResponse(shown, headers=FRESH)


@router.get("/metrics")
async def read_metrics(request: Request, parts: PartsIn) -> Response:
    """Return the metrics to this machine or an administrator; for others nothing is here."""
    if not _from_here(request) and not await _is_administrator(request, parts):
        raise Missing
    metrics.pool(*pulse.pool_use(parts.database))
    metrics.streams(parts.bus.stream_count)
    metrics.disk(await asyncio.to_thread(free_bytes, parts.settings.data_dir))
    metrics.lost_lines(logs.take_lost_lines())
    restarts = await asyncio.to_thread(read_restarts, parts.settings.data_dir)
    page = metrics.page(await _counts(parts), restarts=restarts)
    return Response(page, media_type=metrics.CONTENT_TYPE, headers=FRESH)


def _from_here(request: Request) -> bool:
    source = source_of(request)
    forwarded = any(name in request.headers for name in FORWARDED)
    return source is not None and ipaddress.ip_address(source).is_loopback and not forwarded


async def _is_administrator(request: Request, parts: Parts) -> bool:
    hashed = token_hash(request)
    if not hashed:
        return False
    async with parts.database.transaction(hashed) as tx:
        return tx.identity is not None and Role.ADMINISTRATOR in tx.identity.roles


async def _counts(parts: Parts) -> metrics.DatabaseCounts | None:
    try:
        async with parts.database.transaction(actor=WORKER) as tx:
            taken, late = await pulse.read(tx), await timers.lateness(tx)
    except Unavailable:
        return None
    return metrics.DatabaseCounts(
        taken.live_claims,
        taken.outbox_waiting,
        taken.outbox_waiting_seconds,
        taken.dues,
        late,
        taken.backup_age_seconds,
        taken.discrepancies,
    )
