"""Who comes, who lives here, and who leaves."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response

from app.api.kit.wire import parse_id
from app.api.placing.holds import ComingOut, DeclineWanted
from app.api.placing.placements import (
    CorrectionWanted,
    DepartureWanted,
    PlacementChange,
    PlacementOut,
)
from app.api.placing.swaps import ConsentWanted, RefusalWanted
from app.database.transaction import Transaction
from app.deps import Tx
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
from app.web.places.answers import said, sheet, version_of
from app.web.places.forms import Faults, FormIn, faults_of, read, required, unchanged

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


@router.post("/places/stay/{id}/arrival")
async def arrive(id: str, page: PageIn, tx: Tx) -> Response:
    """Record that a household has arrived."""
    await placements.record_arrival(tx, parse_id(id))
    return said(page, _("They have arrived. Welcome to them."))


@router.post("/places/stay/{id}/no-show")
async def no_show(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Record that a household did not come, or, by whoever sent it, that it is safe."""
    safe = form.one("safe") is not None
    await placements.record_no_show(tx, parse_id(id), safety_checked=safe)
    if safe:
        return said(page, _("Good. The place is free again, and a new place can be looked for."))
    return said(page, _("Noted. The place is kept until their own desk knows that they are safe."))


@router.get("/places/stay/{id}")
async def one(id: str, page: PageIn, tx: Tx) -> Response:
    """Show a stay: what delays its end, and the form with which it ends."""
    row = await _here(tx, id)
    values: Mapping[str, Any] = PlacementOut.of(row).model_dump(by_alias=True, mode="json")
    return await _sheet(page, tx, row, values=values | {"current": list(row.blocked_since)})


@router.post("/places/stay/{id}")
async def note(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Note what is known of a departure to come."""
    row = await _here(tx, id, lock=True)
    unchanged(form, version_of(PlacementOut.of(row)))
    body: dict[str, Any] = {
        "expectedDeparture": form.one("expectedDeparture"),
        "readyToLeaveSince": form.one("readyToLeaveSince"),
        "blockers": form.many("current"),
    }
    if PlacementOut.of(row).return_agreement != "not_needed":
        body["returnBy"] = form.one("returnBy")
    wanted, faults = read(PlacementChange, body)
    if wanted is None:
        return await _sheet(page, tx, row, values=form.values, faults=faults)
    await placements.note_plans(tx, row.id, changes=wanted.model_dump(exclude_unset=True))
    return said(page, _("Noted."))


@router.post("/places/stay/{id}/departure")
async def depart(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Record the end of a stay: the place is free again."""
    row = await _here(tx, id, lock=True)
    body = {
        "destination": form.one("destination"),
        "blockers": form.many("blockers"),
        "departedAt": form.moment("departedAt"),
    }
    wanted, faults = read(DepartureWanted, body)
    if wanted is None:
        return await _sheet(page, tx, row, values=form.values, faults=faults)
    leaving = DepartureReport(wanted.destination, tuple(wanted.blockers), wanted.departed_at)
    try:
        await placements.record_departure(tx, row.id, leaving=leaving)
    except Invalid as refusal:
        faults = faults_of(refusal)
        return await _sheet(page, tx, row, values=form.values, faults=faults)
    return said(page, _("They have left. The place is free again."))


@router.post("/places/stay/{id}/correction")
async def correct(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Correct an arrival that was recorded wrongly: nobody came, or on another day."""
    row = await _here(tx, id)
    body = {"code": form.one("code"), "at": form.moment("at")}
    wanted, faults = read(CorrectionWanted, body)
    if wanted is not None:
        try:
            await corrections.correct_placement(
                tx, row.id, CorrectionRequest(wanted.code, wanted.at)
            )
        except Invalid as refusal:
            faults = faults_of(refusal)
        else:
            return said(
                page,
                _(
                    "Corrected. What was recorded before stays in the ledger, with what "
                    "corrects it."
                ),
            )
    return await _sheet(page, tx, row, values=form.values, faults=faults)


@router.post("/places/stay/{id}/agreement")
async def agree(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Note that a household would move for a swap, or would rather stay."""
    if form.one("would") is None:
        await agreements.withdraw_move_agreement(tx, parse_id(id))
        return said(page, _("Noted: they would rather stay."))
    await agreements.agree_to_move(tx, parse_id(id))
    return said(page, _("Noted: they would move if that helps somebody."))


@router.post("/places/swaps/{id}/consent")
async def consent(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Say yes to one side of one leg."""
    wanted = required(ConsentWanted, {"legId": form.one("leg"), "as": form.one("as")})
    given = Consent(parse_id(wanted.leg_id), wanted.as_)
    shown = await proposals.consent_to_leg(tx, parse_id(id), given)
    if shown.swap.status == "reserved":
        return said(page, _("Everybody said yes: all the places of this swap are reserved."))
    return said(page, _("Your yes is noted. The swap waits for the others."))


@router.post("/places/swaps/{id}/refusal")
async def refuse(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Say no to a swap, with a reason."""
    wanted = required(RefusalWanted, {"reason": form.one("reason")})
    await proposals.refuse_swap(tx, parse_id(id), reason=wanted.reason)
    return said(page, _("You said no. The swap ends for all, and nobody moves."))


async def _here(tx: Transaction, id: str, *, lock: bool = False) -> PlacementRow:
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
    return sheet(
        page,
        "places/_stay.html",
        status=400 if faults else 200,
        stay=shown,
        name=(await view.own(tx)).name(row.place_id, row.site_id),
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
