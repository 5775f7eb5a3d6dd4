"""The status of a place: declared with one press, and undone within a moment.

Nothing is undone once the place has been taken or changed meanwhile.
"""

from datetime import datetime, timedelta
from uuid import UUID

from fastapi import APIRouter, Response

from app.api.kit.wire import parse_id
from app.api.registry.places import PlaceChange
from app.database.transaction import Transaction
from app.deps import PartsIn, Tx
from app.errors import Invalid
from app.registry import places
from app.registry.places import PlaceState
from app.seal import Keyring
from app.web.language import _
from app.web.page import Page, PageIn
from app.web.places.answers import UNDO_S, make_undo, say
from app.web.places.forms import FormIn, require
from app.words import N_

router = APIRouter(include_in_schema=False)

GRACE_S = 20
"""The time after that in which a request to undo still counts, for slow lines."""
SCOPE = "undo"
SEPARATOR = "\x1f"
NOW = {
    "free": N_("%(place)s is free now."),
    "occupied": N_("%(place)s is occupied now."),
    "out_of_service": N_("%(place)s is out of service now."),
}


@router.post("/places/place/{id}/free")
async def declare_free(id: str, page: PageIn, tx: Tx) -> Response:
    """Declare a place free."""
    return await _declare(page, tx, id, PlaceChange(status="free"))


@router.post("/places/place/{id}/occupied")
async def declare_occupied(id: str, page: PageIn, tx: Tx) -> Response:
    """Declare a place occupied by a household that came without Plek."""
    return await _declare(page, tx, id, PlaceChange(status="occupied"))


@router.post("/places/place/{id}/out-of-service")
async def declare_out_of_service(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Declare a place out of service, with a reason and, if known, the end."""
    body = {"status": "out_of_service", "reason": form.one("reason"), "until": form.moment("until")}
    return await _declare(page, tx, id, require(PlaceChange, body))


@router.post("/places/place/{id}/undo")
async def undo(id: str, page: PageIn, tx: Tx, parts: PartsIn, form: FormIn) -> Response:
    """Restore the status of a place, unless it was taken or changed since."""
    read = parts.keyring.read_token(form.one("token") or "", scope=SCOPE)
    if read is None:
        raise Invalid
    place_id, at, *states = read.decode().split(SEPARATOR)
    if place_id != id:
        raise Invalid
    before, after = _state(states[:3]), _state(states[3:])
    place = await places.read(tx, parse_id(id), lock=True)
    if place.row.claimed:
        return say(
            page,
            _("Somebody has reserved this place meanwhile: it cannot be put back."),
            wrong=True,
        )
    if place.row.state != after:
        return say(
            page, _("Somebody has changed this place meanwhile: it was not put back."), wrong=True
        )
    if tx.at - datetime.fromisoformat(at) > timedelta(seconds=UNDO_S + GRACE_S):
        return say(page, _("That was too long ago. Change the place itself."), wrong=True)
    await places.change(tx, place, changes={}, state=before)
    return say(page, _("%(place)s is as it was.") % {"place": place.label})


async def _declare(
    page: Page,
    tx: Transaction,
    id: str,
    wanted: PlaceChange,
) -> Response:
    place = await places.read(tx, parse_id(id), lock=True)
    before = place.row.state
    after = (await places.change(tx, place, changes={}, state=wanted.state())).row.state
    sentence = _(NOW[after.status]) % {"place": place.label}
    if before == after:
        return say(page, sentence)
    token = _token(tx.keyring, place.row.id, before, after, at=tx.at)
    undo = make_undo(f"/places/place/{place.row.id}/undo", at=tx.at, token=token)
    return say(page, sentence, undo=undo)


def _token(
    keyring: Keyring, place_id: UUID, before: PlaceState, after: PlaceState, *, at: datetime
) -> str:
    parts = (str(place_id), at.isoformat(), *_parts(before), *_parts(after))
    return keyring.token(SEPARATOR.join(parts).encode(), scope=SCOPE)


def _parts(state: PlaceState) -> tuple[str, str, str]:
    return state.status, state.reason or "", state.until.isoformat() if state.until else ""


def _state(parts: list[str]) -> PlaceState:
    status, reason, until = parts
    return PlaceState(status, reason or None, datetime.fromisoformat(until) if until else None)
