"""What a place is, said with one press; and taken back within a moment, unless somebody took the place meanwhile."""

from datetime import datetime, timedelta
from uuid import UUID

from fastapi import APIRouter, Response

from app.api.ids import parse
from app.api.places import PlaceChange
from app.deps import CallerIn, PartsIn, Tx
from app.errors import Invalid
from app.seal import Keyring
from app.services import places
from app.store.places import State
from app.web.menu import N_
from app.web.page import PageIn, _
from app.web.places.answers import said
from app.web.places.forms import FormIn, required

router = APIRouter(include_in_schema=False)

UNDO_S = 10
"""How long the button is there."""
GRACE_S = 20
"""How much later what it sends still counts: a slow line must not break the promise."""
SCOPE = "undo"
SEPARATOR = "\x1f"
NOW = {
    "free": N_("%(place)s is free now."),
    "occupied": N_("%(place)s is occupied now."),
    "out_of_service": N_("%(place)s is out of service now."),
}


@router.post("/places/place/{id}/status")
async def declare(id: str, page: PageIn, tx: Tx, caller: CallerIn, parts: PartsIn, form: FormIn) -> Response:
    """Say that a place is free, occupied or out of service."""
    status = form.one("status")
    wanted = required(PlaceChange, {"status": status, "reason": form.one("reason"), "until": form.moment("until")})
    place = await places.read(tx, caller, parse(id), keyring=parts.keyring, lock=True)
    before, state = place.row.state, wanted.state()
    changed = await places.change(tx, caller, place, changes={}, state=state)
    sentence = _(NOW[changed.row.state.status]) % {"place": place.label}
    undo = {
        "path": f"/places/place/{place.row.id}/undo",
        "token": _token(parts.keyring, place.row.id, before, changed.row.state, at=tx.at),
        "until": tx.at + timedelta(seconds=UNDO_S),
    }
    return said(page, sentence, undo=undo if before != changed.row.state else None)


@router.post("/places/place/{id}/undo")
async def undo(id: str, page: PageIn, tx: Tx, caller: CallerIn, parts: PartsIn, form: FormIn) -> Response:
    """Put back what a place was, unless somebody has taken or changed it since."""
    read = parts.keyring.read_token(form.one("token") or "", scope=SCOPE)
    if read is None:
        raise Invalid
    place_id, at, *states = read.decode().split(SEPARATOR)
    if place_id != id:
        raise Invalid
    before, after = _state(states[:3]), _state(states[3:])
    place = await places.read(tx, caller, parse(id), keyring=parts.keyring, lock=True)
    if place.row.claimed:
        return said(page, _("Somebody has reserved this place meanwhile: it cannot be put back."), wrong=True)
    if place.row.state != after:
        return said(page, _("Somebody has changed this place meanwhile: it was not put back."), wrong=True)
    if tx.at - datetime.fromisoformat(at) > timedelta(seconds=UNDO_S + GRACE_S):
        return said(page, _("That was too long ago. Change the place itself."), wrong=True)
    await places.change(tx, caller, place, changes={}, state=before)
    return said(page, _("%(place)s is as it was.") % {"place": place.label})


def _token(keyring: Keyring, place_id: UUID, before: State, after: State, *, at: datetime) -> str:
    parts = (str(place_id), at.isoformat(), *_parts(before), *_parts(after))
    return keyring.token(SEPARATOR.join(parts).encode(), scope=SCOPE)


def _parts(state: State) -> tuple[str, str, str]:
    return state.status, state.reason or "", state.until.isoformat() if state.until else ""


def _state(parts: list[str]) -> State:
    status, reason, until = parts
    return State(status, reason or None, datetime.fromisoformat(until) if until else None)
