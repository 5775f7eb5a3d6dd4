"""Webhooks on the wire: a provider's own, and the messages sent to them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Response
from pydantic import AfterValidator, Field, StringConstraints

from app.api.kit.lists import ListIn, moment_and_id
from app.api.kit.once import OnceIn
from app.api.kit.wire import Id, In, Out, aliases_from, parse_id
from app.deps import PartsIn, Tx
from app.models.deliveries import WEBHOOK_KINDS
from app.webhooks import webhooks
from app.webhooks.destinations import Destinations

router = APIRouter(tags=["Webhooks"])
messages = APIRouter(tags=["Webhooks"])
"""What is sent to them, for the description alone."""

Kind = Literal["hold", "placement", "swap", "availability"]
LONGEST_URL = 2000


def _once_each(kinds: list[Kind]) -> list[Kind]:
    if len(set(kinds)) < len(kinds):
        message = "must name each kind once"
        raise ValueError(message)
    return kinds


class WebhookWanted(In):
    """Where to send what, from now on."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_URL)] = Field(
        description="https, a public host, without user name and fragment.",
        examples=["https://hooks.example.org/plek"],
    )
    kinds: Annotated[
        list[Kind], Field(min_length=1, max_length=len(WEBHOOK_KINDS)), AfterValidator(_once_each)
    ] = Field(default=list(WEBHOOK_KINDS), description="The kinds of events.")


class WebhookOut(Out, alias_generator=aliases_from("row")):
    """An own webhook, and how it fares."""

    id: Id
    url: str
    kinds: list[str]
    created_at: datetime
    waiting: int = Field(description="How many events are still to be sent.")
    last_delivery_at: datetime | None = Field(description="When one was last received.")
    failing_since: datetime | None = Field(
        description="When a delivery failed, with none received since then."
    )
    disabled_at: datetime | None = Field(description="Since when nothing is sent any more.")
    disabled_because: str | None = Field(
        description="`gone`: the receiver answered 410; `failing`: nothing was received for five "
        "days."
    )


class WebhookMadeOut(WebhookOut):
    """A webhook that was just added, with its secret."""

    secret: str = Field(description="What signs the deliveries; shown this once.")


class WebhooksOut(Out):
    """A page of own webhooks, oldest first."""

    items: list[WebhookOut]
    next_cursor: str | None


@router.post(
    "/webhooks",
    status_code=201,
    response_model=WebhookMadeOut,
    summary="Add a webhook",
)
async def create_webhook(wanted: WebhookWanted, tx: Tx, parts: PartsIn, once: OnceIn) -> Response:
    """Have events of the own provider sent to a URL, signed; at most ten URLs a provider."""
    webhook, secret = await webhooks.add(
        tx, destinations=Destinations.of(parts.settings), url=wanted.url, kinds=wanted.kinds
    )
    return await once.keep(tx, WebhookMadeOut.of(webhook, secret=secret).reply(201))


@router.get("/webhooks", response_model=WebhooksOut, summary="Own webhooks")
async def list_webhooks(tx: Tx, page: ListIn) -> Response:
    """Return the own provider's webhooks, also those that colleagues added."""
    found = await webhooks.list_own(tx, limit=page.limit + 1, after=moment_and_id(page))
    shown = page.cut(found, place=lambda one: (one.row.created_at.isoformat(), str(one.row.id)))
    return WebhooksOut.of(shown).reply()


@router.delete("/webhooks/{id}", status_code=204, summary="Remove a webhook")
async def delete_webhook(
    id: str,
    tx: Tx,
) -> Response:
    """Send nothing more to an own webhook, and forget it; what is under way may still arrive."""
    await webhooks.remove(tx, parse_id(id))
    return Response(status_code=204)


class Subject(Out):
    """What an event is about."""

    id: str | None = Field(default=None, description="The id of the hold, placement or swap.")
    region: str | None = Field(default=None, description="For `availability`, the region's code.")


class WebhookMessage(Out):
    """What is sent: that something changed. What it is now is there to be read."""

    type: Kind
    timestamp: datetime = Field(description="When it changed.")
    data: Subject


TAKEN: dict[int | str, dict[str, Any]] = {
    "2XX": {
        "description": "Received. After anything else, a redirect as well, it is sent again for "
        "three days."
    },
    410: {"description": "Gone: the webhook is disabled."},
}


@messages.post(
    "event",
    operation_id="receiveEvent",
    summary="Something changed",
    status_code=204,
    responses=TAKEN,
)
async def receive_event(
    message: WebhookMessage,
    webhook_id: Annotated[
        str, Header(description="Names the message; the same each time it is sent.")
    ],
    webhook_timestamp: Annotated[
        int, Header(description="When it was sent, in seconds since 1970.")
    ],
    webhook_signature: Annotated[
        str,
        Header(
            description="`v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`, as Standard "
            "Webhooks has it."
        ),
    ],
) -> None:
    """Hear that something changed; ids only. At least once, in no promised order."""
