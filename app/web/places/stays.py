"""Households at own places: their holds, their stays, and the swaps that move them."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from app.allocation.ledger.openings import NOT_DEPARTED
from app.api.kit.disclosure import admit_apart
from app.api.kit.wire import parse_id
from app.api.placing.holds import ComingOut, DangerLookWanted, DeclineWanted, look_once
from app.api.placing.placements import (
    ArrivalWanted,
    CorrectionWanted,
    DepartureWanted,
    PlacementChange,
    PlacementOut,
)
from app.api.placing.swaps import ConsentWanted, RefusalWanted
from app.database.transaction import Transaction
from app.deps import REFERENCE, Tx
from app.errors import Invalid, Missing
from app.placing import agreements, corrections, holds, placements
from app.placing.corrections import CorrectionRequest
from app.placing.placements import DepartureReport, PlacementRow
from app.placing.swaps import proposals
from app.placing.swaps.proposals import Consent
from app.reference import load
from app.web.language import _
from app.web.page import Page, PageIn
from app.web.places import view
from app.web.places.answers import make_undo, say, show_sheet, version_of
from app.web.places.forms import Faults, FormIn, faults_of, parse, require, require_version

router = APIRouter(include_in_schema=False)


@router.post("/places/holds/{id}/acceptance")
async def accept_hold(id: str, page: PageIn, tx: Tx) -> Response:
    """Accept a hold."""
    await holds.accept_hold(tx, parse_id(id))
    return say(page, _("Accepted. The intake worker can see it, and confirms when they leave."))


@router.post("/places/holds/{id}/danger-look", dependencies=[Depends(admit_apart)])
async def look_at_danger(id: str, request: Request, form: FormIn) -> Response:
    """Show once where they flee from, before anybody accepts them.

    The access log has its entry before anything is read.
    """
    wanted = require(DangerLookWanted, {"reason": form.one("reason")})
    found = await look_once(request, parse_id(id), wanted.reason)
    reference = REFERENCE.get()
    return show_sheet(
        Page(request), "places/_danger_look.html", found=found, towns=reference.municipalities
    )


@router.post("/places/holds/{id}/decline")
async def decline_hold(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Decline a hold, with a reason."""
    wanted = require(DeclineWanted, {"reason": form.one("reason")})
    hold = await holds.decline_hold(tx, parse_id(id), reason=wanted.reason)
    return say(
        page,
        _("Declined. The place is free again, and the intake worker is shown the next offer."),
        undo=make_undo(f"/places/holds/{hold.id}/decline-withdrawal", at=tx.at),
    )


@router.post("/places/holds/{id}/decline-withdrawal")
async def withdraw_decline(id: str, page: PageIn, tx: Tx) -> Response:
    """Take a decline back: they may be sent here again."""
    await holds.withdraw_decline(tx, parse_id(id))
    return say(page, _("Taken back: the intake worker sees it, and may ask for a place here."))


@router.post("/places/stay/{id}/arrival")
async def record_arrival(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Record that a household has arrived, now or some hours ago."""
    wanted = require(ArrivalWanted, {"arrivedAt": form.moment("arrivedAt")})
    await placements.record_arrival(tx, parse_id(id), arrived_at=wanted.arrived_at)
    return say(page, _("They have arrived. Welcome to them."))


@router.post("/places/stay/{id}/no-show")
async def record_no_show(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Record that a household did not arrive or, from its sender, that it is safe."""
    safe = form.one("safe") is not None
    await placements.record_no_show(tx, parse_id(id), safety_checked=safe)
    if safe:
        return say(page, _("Good. The place is free again, and a new place can be looked for."))
    return say(page, _("Noted. The place is kept until their own desk knows that they are safe."))


@router.get("/places/stay/{id}")
async def show_stay(id: str, page: PageIn, tx: Tx) -> Response:
    """Show a stay: what delays its end, and the form that ends it."""
    row = await _read_received(tx, id)
    values: Mapping[str, Any] = PlacementOut.of(row).model_dump(by_alias=True, mode="json")
    return await _sheet(page, tx, row, values=values | {"current": list(row.blocked_since)})


@router.post("/places/stay/{id}")
async def note_plans(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Note the plans for a departure."""
    row = await _read_received(tx, id, lock=True)
    require_version(form, version_of(PlacementOut.of(row)))
    body: dict[str, Any] = {
        "expectedDeparture": form.one("expectedDeparture"),
        "readyToLeaveSince": form.one("readyToLeaveSince"),
        "blockers": form.many("current"),
    }
    if PlacementOut.of(row).return_agreement != "not_needed":
        body["returnBy"] = form.one("returnBy")
    wanted, faults = parse(PlacementChange, body)
    if wanted is None:
        return await _sheet(page, tx, row, values=form.values, faults=faults)
    try:
        await placements.note_plans(tx, row.id, changes=wanted.model_dump(exclude_unset=True))
    except Invalid as refusal:
        return await _sheet(page, tx, row, values=form.values, faults=faults_of(refusal))
    return say(page, _("Noted."))


@router.post("/places/stay/{id}/departure")
async def record_departure(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Record the end of a stay: the place is free again."""
    row = await _read_received(tx, id, lock=True)
    body = {
        "destination": form.one("destination"),
        "blockers": form.many("blockers"),
        "departedAt": form.moment("departedAt"),
    }
    wanted, faults = parse(DepartureWanted, body)
    if wanted is None:
        return await _sheet(page, tx, row, values=form.values, faults=faults)
    leaving = DepartureReport(wanted.destination, tuple(wanted.blockers), wanted.departed_at)
    try:
        await placements.record_departure(tx, row.id, leaving=leaving)
    except Invalid as refusal:
        faults = faults_of(refusal)
        return await _sheet(page, tx, row, values=form.values, faults=faults)
    return say(
        page,
        _("They have left. The place is free again."),
        undo=make_undo(f"/places/stay/{row.id}/not-departed", at=tx.at),
    )


@router.post("/places/stay/{id}/not-departed")
async def take_back_departure(id: str, page: PageIn, tx: Tx) -> Response:
    """Take a departure back: they live there again, unless another has the place."""
    await corrections.correct_placement(tx, parse_id(id), CorrectionRequest(NOT_DEPARTED, None))
    return say(page, _("They live there, as before. The ledger has what was wrong, and this."))


@router.post("/places/stay/{id}/correction")
async def correct_arrival(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Correct an arrival that was recorded by mistake, or on a wrong day."""
    row = await _read_received(tx, id)
    body = {"code": form.one("code"), "at": form.moment("at")}
    wanted, faults = parse(CorrectionWanted, body)
    if wanted is not None:
        try:
            await corrections.correct_placement(
                tx, row.id, CorrectionRequest(wanted.code, wanted.at)
            )
        except Invalid as refusal:
            faults = faults_of(refusal)
        else:
            return say(
                page,
                _(
                    "Corrected. What was recorded before stays in the ledger, with what "
                    "corrects it."
                ),
            )
    return await _sheet(page, tx, row, values=form.values, faults=faults)


@router.post("/places/stay/{id}/agreement")
async def set_move_agreement(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Note that a household agrees to move for a swap, or would rather stay."""
    if form.one("would") is None:
        await agreements.withdraw_move_agreement(tx, parse_id(id))
        return say(page, _("Noted: they would rather stay."))
    await agreements.agree_to_move(tx, parse_id(id))
    return say(page, _("Noted: they would move if that helps somebody."))


@router.post("/places/swaps/{id}/consent")
async def consent_to_swap(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Consent to one side of one leg of a swap."""
    wanted = require(ConsentWanted, {"legId": form.one("leg"), "as": form.one("as")})
    given = Consent(parse_id(wanted.leg_id), wanted.as_)
    shown = await proposals.consent_to_leg(tx, parse_id(id), given)
    if shown.swap.status == "reserved":
        return say(page, _("Everybody said yes: all the places of this swap are reserved."))
    return say(page, _("Your yes is noted. The swap waits for the others."))


@router.post("/places/swaps/{id}/refusal")
async def refuse_swap(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Refuse a swap, with a reason."""
    wanted = require(RefusalWanted, {"reason": form.one("reason")})
    await proposals.refuse_swap(tx, parse_id(id), reason=wanted.reason)
    return say(page, _("You said no. The swap ends for all, and nobody moves."))


async def _read_received(tx: Transaction, id: str, *, lock: bool = False) -> PlacementRow:
    """Return a placement that the caller's provider received."""
    row = await placements.read(tx, parse_id(id), lock=lock)
    if row.receiver_id != tx.caller.provider:
        raise Missing
    return row


async def _sheet(
    page: Page,
    tx: Transaction,
    row: PlacementRow,
    *,
    values: Mapping[str, Any],
    faults: Faults | None = None,
) -> Response:
    try:
        agreed = await agreements.read_move_agreement(tx, row.id)
    except Missing:
        agreed = None
    shown, reference = PlacementOut.of(row), await tx.snapshots.reference(tx)
    who = (await placements.households_received(tx, [row])).get(row.id)
    return show_sheet(
        page,
        "places/_stay.html",
        status=400 if faults else 200,
        stay=shown,
        name=(await view.read_own(tx)).name(row.place_id, row.site_id),
        sender=(await tx.snapshots.providers(tx))[str(row.provider_id)].name,
        town=reference.municipalities[row.origin].name,
        who=None if who is None else ComingOut.of(who),
        reference=reference,
        today=load().country.day_of(tx.at),
        agreed=agreed,
        values=values,
        faults=faults or {},
        version=version_of(shown),
    )
