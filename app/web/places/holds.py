"""Who wants to come: accepted or declined with one press."""

from fastapi import APIRouter, Response

from app.api.kit.wire import parse_id
from app.api.placing.holds import DeclineWanted
from app.deps import Tx
from app.placing import holds
from app.web.language import _
from app.web.page import PageIn
from app.web.places.answers import said
from app.web.places.forms import FormIn, required

router = APIRouter(include_in_schema=False)


@router.post("/places/holds/{id}/acceptance")
async def accept(id: str, page: PageIn, tx: Tx) -> Response:
    """Accept who is coming."""
    await holds.accept_hold(tx, parse_id(id))
    return said(page, _("Accepted. The intake worker can see it, and confirms when they leave."))


@router.post("/places/holds/{id}/decline")
async def decline(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Decline who is coming, with a reason."""
    wanted = required(DeclineWanted, {"reason": form.one("reason")})
    await holds.decline_hold(tx, parse_id(id), reason=wanted.reason)
    return said(
        page, _("Declined. The place is free again, and the intake worker is shown the next offer.")
    )
