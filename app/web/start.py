"""The start page: the way in, whether the service is well, and where its description is."""

from fastapi import APIRouter, Request, Response

from app.demo import people
from app.deps import PartsIn, entered, token_hash
from app.errors import Unavailable
from app.health import state_of
from app.web.menu import home_of
from app.web.page import AnyPage

router = APIRouter(include_in_schema=False)


@router.get("/")
async def start(request: Request, page: AnyPage, parts: PartsIn) -> Response:
    """Show the way in and the state of the service; whoever is signed in goes on to their work."""
    if (home := await _home(request)) is not None:
        return page.go(home)
    return page.show(
        "start.html",
        state=await state_of(parts.database, parts.link),
        people=people.roles() if parts.settings.demo else (),
    )


async def _home(request: Request) -> str | None:
    if not token_hash(request):
        return None
    try:
        async with entered(request) as tx:
            return None if tx.identity is None else home_of(tx.identity.roles)
    except Unavailable:  # the page itself says so
        return None
