"""The application of pages, beside the API's, on the same acts, transactions and rules."""

from fastapi import FastAPI

from app.api.kit.application import Application
from app.api.kit.description import routes
from app.deps import Parts
from app.errors import OperatorError
from app.web import accounts, assets, dues, find, live, offline, places, policies, share, start
from app.web.access import PAGES
from app.web.country import country
from app.web.credential import credential_of, require_own_page
from app.web.refusals import answer_people

ROUTERS = (
    start.router,
    assets.router,
    live.router,
    dues.router,
    *find.ROUTERS,
    *places.ROUTERS,
    *share.ROUTERS,
    country.router,
    offline.router,
    *accounts.ROUTERS,
    policies.router,
)


def pages(parts: Parts) -> FastAPI:
    """Make the application of pages.

    Raise OperatorError if a route has no row in the table of pages, or a row no route.
    """
    assets.assets()
    app = Application(guard=require_own_page, openapi_url=None, docs_url=None, redoc_url=None)
    app.state.parts = parts
    app.state.routes = PAGES
    app.state.credential = credential_of
    answer_people(app)
    for router in ROUTERS:
        app.include_router(router)
    if without := routes(app) ^ PAGES.keys():
        message = f"Pages and rules of access do not match: {sorted(without)}"
        raise OperatorError(message)
    return app
