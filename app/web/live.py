"""The event stream of an open page: the API's stream, for the account of the browser.

It stands alone because it is the one route of the pages that answers with no page.
"""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from app.api.events import stream_events
from app.deps import PartsIn

router = APIRouter(include_in_schema=False)

BEAT = b"event: beat\ndata: {}\n\n"
"""A sign of life as an event, because a browser hides comments of a stream from its page."""


@router.get("/live")
async def live(
    request: Request,
    parts: PartsIn,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
    after: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    """Follow the events of the caller's provider.

    The stream begins where a lost one broke off, or when the page was made.
    """
    return await stream_events(request, parts, last_event_id or after, beat=BEAT)
