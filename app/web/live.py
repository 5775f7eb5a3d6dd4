"""What changes while a page is open.

The API's stream of events, for whoever is signed in.
"""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from app.api.events import stream_events
from app.deps import PartsIn

router = APIRouter(include_in_schema=False)

BEAT = b"event: beat\ndata: {}\n\n"
"""A sign of life that a page can hear; of a comment its browser tells it nothing."""


@router.get("/live")
async def live(
    request: Request,
    parts: PartsIn,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
    after: Annotated[str | None, Query(max_length=20)] = None,
) -> Response:
    """Follow what concerns the caller's provider.

    From where a lost stream broke off, or the page was made.
    """
    return await stream_events(request, parts, last_event_id or after, beat=BEAT)
