"""The start page, and the choice of a language."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.demo import people
from app.deps import PartsIn, bearer_transaction, token_hash
from app.errors import Missing, Unavailable
from app.health import state_of
from app.reference import load
from app.web.language import LANGUAGE_COOKIE
from app.web.menu import home_of
from app.web.page import AnyPage

router = APIRouter(include_in_schema=False)

A_YEAR_S = 365 * 86_400


@router.get("/")
async def start(request: Request, page: AnyPage, parts: PartsIn) -> Response:
    """Show the way in and the state of the service, or send a signed-in person to their work."""
    if (home := await _home(request)) is not None:
        return page.go(home)
    return page.show(
        "start.html",
        state=await state_of(parts.database, parts.link, data_dir=parts.settings.data_dir),
        people=people.roles() if parts.settings.demo else (),
    )


@router.get("/language/{language}")
async def choose_language(
    page: AnyPage, language: str, back: Annotated[str, Query(max_length=200)] = "/"
) -> Response:
    """Keep the language that the reader chose, and lead back to the page they came from."""
    if language not in load().country.languages:
        raise Missing
    # Lead only to a page of ours: a path that begins with two slashes would be another host.
    answer = page.go(back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/")
    answer.set_cookie(
        LANGUAGE_COOKIE, language, max_age=A_YEAR_S, secure=True, httponly=True, samesite="lax"
    )
    return answer


async def _home(request: Request) -> str | None:
    if not token_hash(request):
        return None
    try:
        async with bearer_transaction(request) as tx:
            return None if tx.identity is None else home_of(tx.identity.roles)
    except Unavailable:  # the start page says so itself
        return None
