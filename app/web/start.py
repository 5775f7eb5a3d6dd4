"""The start page: whether the service is well, and where its description is."""

from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.templating import Jinja2Templates

from app.deps import PartsIn
from app.services.health import state_of

router = APIRouter(include_in_schema=False)
templates = Jinja2Templates(directory=Path(__file__).parent / "templates")

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
}
"""What this page may load; every other header is the same for all answers and set by the edge."""


@router.get("/")
async def start(request: Request, parts: PartsIn) -> Response:
    """Show the state of the service."""
    state = await state_of(parts.database, parts.link)
    context = {"state": state, "version": version("plek"), "demo": parts.settings.demo}
    return templates.TemplateResponse(request, "start.html", context, headers=HEADERS)


@router.get("/start.css")
async def style() -> Response:
    """Return the style of the start page."""
    return Response((Path(__file__).parent / "static" / "start.css").read_text(), media_type="text/css")
