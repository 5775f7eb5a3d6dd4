"""Choosing the language of the pages."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.errors import Missing
from app.reference import load
from app.web.page import LANGUAGE_COOKIE, AnyPage

router = APIRouter(include_in_schema=False)

A_YEAR_S = 365 * 86_400


@router.get("/language/{language}")
async def choose(
    page: AnyPage, language: str, back: Annotated[str, Query(max_length=200)] = "/"
) -> Response:
    """Keep the reader's choice, and go back to the page that they came from."""
    if language not in load().country.languages:
        raise Missing
    # Only to a page of ours: a path that begins with two slashes would be another host.
    answer = page.go(back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/")
    answer.set_cookie(
        LANGUAGE_COOKIE, language, max_age=A_YEAR_S, secure=True, httponly=True, samesite="lax"
    )
    return answer
