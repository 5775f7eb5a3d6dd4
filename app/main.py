"""Where the parts of the service are joined, and nowhere else."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version

import structlog
from fastapi import FastAPI

from app import worker
from app.api import events, health, ledger, policies, reference, webhooks
from app.api.accounts import access_log, looks
from app.api.kit import description, problems
from app.api.kit.access import ACCESS, LOOKS
from app.api.kit.bodies import Bodies
from app.api.kit.middleware import Edge
from app.api.placing import agreements, holds, placements, swap_searches, swaps
from app.api.ranking import obstacles, peaks, rankings
from app.api.referrals import alternatives, break_glass, contacts, referrals, shields, waiting
from app.api.registry import availability, hsds, places, sites
from app.api.shares import caps, decisions, fair_shares, monitor
from app.config import Settings, program, read_settings
from app.database.transaction import Database
from app.deps import Parts
from app.errors import OperatorError
from app.events.allowance import Allowance
from app.events.bus import Bus
from app.events.link import Link
from app.reference import load
from app.seal import KEY_FILE, KeyFile, Keyring
from app.web.pages import pages

log = structlog.get_logger()

ROUTERS = (
    reference.router,
    policies.router,
    availability.router,
    sites.router,
    places.router,
    referrals.router,
    shields.router,
    break_glass.router,
    contacts.router,
    waiting.router,
    alternatives.router,
    rankings.router,
    obstacles.router,
    peaks.router,
    holds.router,
    placements.router,
    agreements.router,
    swap_searches.router,
    swaps.router,
    looks.router,
    access_log.router,
    ledger.router,
    monitor.router,
    decisions.router,
    hsds.router,
    fair_shares.router,
    caps.router,
    events.router,
    webhooks.router,
)


def join(settings: Settings, *, database_url: str, redis_url: str, key: str) -> Parts:
    """Make the parts of one process; nothing is connected to yet."""
    # A key from the data folder's file may be joined there by a newer one while this process lives.
    keyring = Keyring.parse(
        key, source=None if settings.key else KeyFile(settings.data_dir / KEY_FILE).news
    )
    database = Database(settings, url=database_url, keyring=keyring)
    link = Link(redis_url, prefix=f"plek:{keyring.name}:")
    return Parts(
        settings=settings,
        database=database,
        keyring=keyring,
        files=load(),
        link=link,
        bus=Bus(database, link),
        allowance=Allowance(link, per_minute=settings.rate_limit),
    )


def create_app(parts: Parts) -> FastAPI:
    """Return the whole service: the API under /v1, the pages, health and metrics beside it."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=_lifespan)
    app.state.parts = parts
    problems.answer_problems(app)
    app.include_router(health.router)
    app.mount("/v1", api(parts))
    app.mount("", pages(parts))
    app.add_middleware(Edge, version=version("plek"))
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    parts: Parts = app.state.parts
    try:
        async with worker.running(parts):
            yield
    except Exception as error:
        # What the server logs of it is the text of a traceback, and that is cut to its first line.
        log.exception("failed", kind=type(error).__name__)
        raise
    await parts.link.close()
    await parts.database.close()


def api(parts: Parts) -> FastAPI:
    """Return the JSON API; a route without a rule of access stops the service from starting."""
    app = FastAPI(
        title="Plek",
        version=version("plek"),
        description=description.SUMMARY,
        contact=description.CONTACT,
        license_info=description.LICENCE,
        openapi_tags=description.TAGS,
        servers=[{"url": "/v1"}],
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        responses=description.PROBLEMS,
        redirect_slashes=False,
    )
    app.state.parts = parts
    app.state.access = ACCESS
    app.state.looks = LOOKS
    problems.answer_problems(app)
    for router in ROUTERS:
        app.include_router(router)
    app.webhooks.include_router(webhooks.messages)
    description.publish(app)
    app.add_middleware(Bodies)
    if without := description.routes(app) ^ ACCESS.keys():
        message = f"Routes and rules of access do not match: {sorted(without)}"
        raise OperatorError(message)
    return app


def from_environment() -> FastAPI:
    """Return the service as the environment describes it: for processes that another one has started."""
    settings = read_settings()
    if settings.database_url is None or settings.redis_url is None or settings.key is None:
        message = f"Set DATABASE_URL, REDIS_URL and PLEK_KEY, or use `{program()} serve`."
        raise OperatorError(message)
    parts = join(
        settings, database_url=settings.database_url, redis_url=settings.redis_url, key=settings.key
    )
    return create_app(parts)
