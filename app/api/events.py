"""Server-sent events: what changed for a provider, by id, as it changes."""

import asyncio
import json
import re
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import StreamingResponse

from app.api.kit.disclosure import admit_apart, own_transaction
from app.database import access_log
from app.database.caller import Role
from app.deps import Parts, PartsIn, token_hash
from app.errors import Fault, Invalid, Refusal
from app.events.stream import Event, Item, Reset, Start
from app.seal import Keyring

if TYPE_CHECKING:
    from starlette.types import Send

router = APIRouter(tags=["Events"])

RECHECK_S = 15.0
"""How long a stream goes on before its token is checked again.

The answer is 14 s old at most, which makes 30 s in all.
"""
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
SOONEST_MS, SPREAD_MS = 1000, 4000
"""When clients come back after a loss; spread, so that they do not come all at once."""
POSITION_BYTES = 8
SEALED = re.compile(r"[A-Za-z0-9_-]{32}", re.ASCII)
PLAIN = re.compile(r"[0-9]{1,20}", re.ASCII)
"""A position as older releases gave it, which pages that are still open bring back once."""
NOT_KEPT = -1
"""Before everything that was ever numbered: a stream from there begins with `reset`."""
STILL_HERE = b": still here\n\n"
"""What a client of the API hears when there has been nothing else for a while: a comment."""
COORDINATORS_ALONE = frozenset({"access"})
"""What only they are told, as only they can read what it is about."""
DESCRIPTION = (
    'Kinds: `availability` (`data: {"region": code}`), `hold`, `placement` and `swap` '
    '(`data: {"id": id}`,\n'
    "as all that follow; of the first two also where what is known of who is coming has "
    "changed); of a referral `waiting`\n"
    "(something that came free would do for it); of an alternative `waiting` (it began, was "
    "looked after or ended), and\n"
    "`alarm` (they are not well, not reached, or have lost it); of an own vacancy `waiting` "
    "(a household waits for it); of a\n"
    "hold or a placement `alarm` (a danger that changed reaches it, or is over); of a due of "
    "the own organisation `due` (it\n"
    "rang, and rings again each so many hours, as the policy says, until a person acts; it was "
    "seen or taken on; or it is\n"
    "over, after it had rung); for coordinators alone `access` (the `eventId` of an access "
    "notice); and `reset` where events\n"
    "are no longer kept: read everything again. `id` is the position, opaque and for this "
    "account alone; `Last-Event-ID` resumes."
)


class EventStream(StreamingResponse):
    """A response that lasts until the client leaves, the process stops, or the token lapses."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncGenerator[bytes]) -> None:
        super().__init__(frames, headers=HEADERS)
        self._frames = frames

    async def stream_response(self, send: "Send") -> None:
        """Send, and take leave of the bus however it ends."""
        async with aclosing(self._frames):
            await super().stream_response(send)


@router.get(
    "/events",
    summary="What changes, as it changes",
    response_class=EventStream,
    responses={
        200: {
            "description": DESCRIPTION,
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    },
)
async def follow_events(
    request: Request,
    parts: PartsIn,
    last_event_id: Annotated[
        str | None,
        Header(alias="Last-Event-ID", description="The position of the last event seen."),
    ] = None,
) -> Response:
    """Follow what concerns the caller's provider."""
    return await stream_events(request, parts, last_event_id, beat=STILL_HERE)


async def stream_events(
    request: Request, parts: Parts, last_event_id: str | None, *, beat: bytes
) -> Response:
    """Return the stream of what concerns the caller's provider; `beat` keeps it alive."""
    hashed = token_hash(request)
    caller = await admit_apart(request)
    withheld = frozenset[str]() if caller.has(Role.COORDINATOR) else COORDINATORS_ALONE

    async def still_welcome() -> bool:
        identity = await parts.bus.bearers.of(hashed)
        # With other roles they may come back, and be told what those are told.
        return identity is not None and (identity.provider_id, identity.roles) == (
            caller.provider_id,
            caller.roles,
        )

    seal = partial(seal_position, parts.keyring, account_id=caller.account_id)
    after = _position(last_event_id, parts.keyring, account_id=caller.account_id)
    async with own_transaction(request) as tx:
        await access_log.add(tx, caller.entry("follow", "events", None))
    items = parts.bus.subscribe(caller.provider, after=after)
    # The first item before the response: what keeps a stream from beginning can still be told as a
    # problem.
    first = await anext(items)
    return EventStream(
        _frames(
            items,
            first=first,
            still_welcome=still_welcome,
            withheld=withheld,
            frame=partial(_frame, beat=beat, seal=seal),
        )
    )


def seal_position(keyring: Keyring, position: int, *, account_id: UUID) -> str:
    """Return a position as an account may know it.

    The number itself would tell how much happens in the country, and between which two moments.
    """
    return keyring.token(position.to_bytes(POSITION_BYTES, "big"), scope=_scope(account_id))


def _position(last_event_id: str | None, keyring: Keyring, *, account_id: UUID) -> int | None:
    """Return the position that a client has come to, if it is one of this account.

    Nor is one that was sealed with a key that is gone, or not at all, as in older releases.
    """
    if not last_event_id:
        return None
    if not SEALED.fullmatch(last_event_id) and not PLAIN.fullmatch(last_event_id):
        raise Invalid(Fault("/headers/Last-Event-ID", "is not a position"))
    content = keyring.read_token(last_event_id, scope=_scope(account_id))
    return NOT_KEPT if content is None else int.from_bytes(content, "big")


def _scope(account_id: UUID) -> str:
    return f"event position {account_id}"


async def _frames(
    items: AsyncGenerator[Item],
    *,
    first: Item,
    still_welcome: Callable[[], Awaitable[bool]],
    withheld: frozenset[str],
    frame: Callable[[Item], bytes],
) -> AsyncGenerator[bytes]:
    clock = asyncio.get_running_loop().time
    asked = clock()
    async with aclosing(items):
        yield frame(first)
        try:
            async for item in items:
                if clock() - asked >= RECHECK_S:
                    if not await still_welcome():
                        return
                    asked = clock()
                if not (isinstance(item, Event) and item.kind in withheld):
                    yield frame(item)
        except Refusal:
            # The database is out of reach: the client comes back, is told so, and later misses
            # nothing.
            return


def _frame(item: Item, *, beat: bytes, seal: Callable[[int], str]) -> bytes:
    match item:
        case Event():
            return f"id: {seal(item.position)}\n".encode() + _render_event(item.kind, item.subject)
        case Start(position):
            # An id without data: the browser remembers it and shows nothing.
            return (
                f"retry: {SOONEST_MS + secrets.randbelow(SPREAD_MS)}\nid: {seal(position)}\n\n"
            ).encode()
        case Reset(position):
            return f"id: {seal(position)}\nevent: reset\ndata: {{}}\n\n".encode()
        case _:
            return beat


@lru_cache(maxsize=512)
def _render_event(kind: str, subject: str) -> bytes:
    """Return an event as it is sent, after its id; rendered once for all streams."""
    named = "region" if kind == "availability" else "id"
    data = json.dumps({named: subject}, separators=(",", ":"))
    return f"event: {kind}\ndata: {data}\n\n".encode()
