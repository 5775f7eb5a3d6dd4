"""The start page: the way in, whether the service is well, and where its description is."""

from fastapi import APIRouter, Response

from app.deps import PartsIn
from app.services.health import state_of
from app.web.page import AnyPage

router = APIRouter(include_in_schema=False)


@router.get("/")
async def start(page: AnyPage, parts: PartsIn) -> Response:
    """Show the state of the service."""
    return page.show("start.html", state=await state_of(parts.database, parts.link))
