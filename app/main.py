"""The place where the parts of the service are joined."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI
from starlette._utils import get_route_path
from starlette.types import Receive, Scope, Send

from app import worker
from app.api import dues, events, health, ledger, policies, reference, webhooks
from app.api.accounts import access_log, account_changes, budgets, looks, reviews, vouchings
from app.api.kit import description, problems
from app.api.kit.access import ROUTES
from app.api.kit.application import Application
from app.api.kit.bodies import read_body
from app.api.kit.middleware import Edge
from app.api.placing import agreements, holds, placements, swap_searches, swaps
from app.api.ranking import obstacles, peaks, rankings
from app.api.referrals import (
    alternatives,
    break_glass,
    contacts,
    referrals,
    shields,
    takeovers,
    waiting_list,
)
from app.api.registry import availability, hsds, places, sites
from app.api.shares import caps, decisions, fair_shares, monitor
from app.config import VERSION, Settings, program, read_settings
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
    takeovers.router,
    waiting_list.router,
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
    dues.router,
    reviews.router,
    budgets.router,
    account_changes.router,
    vouchings.router,
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
    """Make the parts of one process, which are not connected to anything yet."""
    # A key from the data folder's file may be joined there by a newer one while this process lives.
    keyring = Keyring.parse(
        key, source=None if settings.key else KeyFile(settings.data_dir / KEY_FILE).read_if_changed
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


API = "/v1"


class Service(Application):
    """The whole service: its own routes for health and metrics, the rest mounted beside them."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(openapi_url=None, docs_url=None, redoc_url=None, lifespan=_lifespan)
        self.state.parts = parts
        problems.answer_problems(self)
        self.include_router(health.router)
        self._api, self._pages = api(parts), pages(parts)
        self.mount(API, self._api)
        self.mount("", self._pages)
        self._edge = Edge(self._hand_over, version=VERSION)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one exchange, or the lifespan."""
        serve = self._edge if scope["type"] == "http" else super().__call__
        await serve(scope, receive, send)

    async def _hand_over(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = get_route_path(scope)
        if path.startswith(f"{API}/"):
            root = scope.get("root_path", "")
            scope.setdefault("app_root_path", root)
            scope["root_path"] = root + API
            await self._api(scope, receive, send)
        elif self.has(scope["method"], path):
            await super().__call__(scope, receive, send)
        else:
            await self._pages(scope, receive, send)


def create_app(parts: Parts) -> Service:
    """Return the whole service: the API under /v1, the pages, health and metrics."""
    return Service(parts)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    parts: Parts = app.state.parts
    try:
        async with worker.work_during_block(parts):
            yield
    except Exception as error:
        # What the server logs of it is the text of a traceback, and that is cut to its first line.
        log.exception("failed", kind=type(error).__name__)
        raise
    await parts.link.close()
    await parts.database.close()


def api(parts: Parts) -> FastAPI:
    """Return the JSON API.

    A route without a row in the table of access stops the service from starting.
    """
    app = Application(
        reader=read_body,
        title="Plek",
        version=VERSION,
        description=description.SUMMARY,
        contact=description.CONTACT,
        license_info=description.LICENCE,
        openapi_tags=description.TAGS,
        servers=[{"url": "/v1"}],
        generate_unique_id_function=description.operation_id,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        responses=description.PROBLEMS,
        redirect_slashes=False,
    )
    app.state.parts = parts
    app.state.routes = ROUTES
    problems.answer_problems(app)
    for router in ROUTERS:
        app.include_router(router)
    app.webhooks.include_router(webhooks.messages)
    description.publish(app)
    if without := description.routes(app) ^ ROUTES.keys():
        message = f"Routes and rules of access do not match: {sorted(without)}"
        raise OperatorError(message)
    return app


def from_environment() -> FastAPI:
    """Return the service as the environment describes it.

    It is for a process that another one has started.
    """
    settings = read_settings()
    if settings.database_url is None or settings.redis_url is None or settings.key is None:
        message = f"Set DATABASE_URL, REDIS_URL and PLEK_KEY, or use `{program()} serve`."
        raise OperatorError(message)
    parts = join(
        settings, database_url=settings.database_url, redis_url=settings.redis_url, key=settings.key
    )
    return create_app(parts)
