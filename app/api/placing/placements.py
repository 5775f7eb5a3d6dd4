"""Placements on the wire."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BeforeValidator, Field

from app.api.kit import known_codes
from app.api.kit.household import Flag
from app.api.kit.lists import ListIn, moment_and_id
from app.api.kit.once import OnceIn, OnceRequired
from app.api.kit.wire import (
    Day,
    Id,
    In,
    Moment,
    Out,
    absent,
    check_match,
    parse_id,
    parse_optional_id,
    single,
)
from app.api.placing.holds import ComingOut
from app.database.caller import Caller
from app.database.transaction import Transaction
from app.deps import Tx
from app.placing import confirm_hold, corrections, placements
from app.placing.confirm_hold import Confirmation
from app.placing.corrections import CorrectionRequest
from app.placing.placements import DepartureReport, PlacementRow

router = APIRouter(tags=["Placements"])


class PlacementWanted(In):
    """Which accepted hold is confirmed, when they are expected, and what they leave for it."""

    hold_id: Annotated[str, Field(max_length=40)]
    expected_at: Moment | None = None
    previous_placement_id: Annotated[str, Field(max_length=40)] | None = Field(
        default=None,
        description="The placement that they move on from; it stays theirs until they have "
        "arrived, and ends with it.",
    )
    return_by: Day | None = Field(
        default=None, description="By when they go back, where their region had no room."
    )


class NoShowWanted(In):
    """Whether the sender made sure that the household is safe."""

    safety_checked: Flag = False


class ArrivalWanted(In):
    """When they arrived, if it was not just now."""

    arrived_at: Moment | None = None


class DepartureWanted(In):
    """How a stay ended."""

    destination: known_codes.Destination
    blockers: known_codes.Blockers = []
    departed_at: Moment | None = None


class CorrectionWanted(In):
    """What was recorded wrongly of an arrival or a departure, and when it was."""

    code: known_codes.CorrectionCode
    at: Moment | None = Field(
        default=None,
        description="When they arrived, or left; left out for what never was.",
    )


class PlacementChange(In):
    """What is known of a departure to come; what is left out stays as it was."""

    expected_departure: Day | None = None
    ready_to_leave_since: Day | None = None
    blockers: known_codes.Blockers = Field(default_factory=absent)
    return_by: Day | None = Field(
        default=None,
        description="Either provider may say so, as `expectedAt`; the rest is the receiver's.",
    )
    expected_at: Moment | None = Field(
        default=None,
        description="While they are underway: when they come, where that changed. It must lie "
        "ahead.",
    )


class BlockerOut(Out):
    """What delays a departure now, and since when."""

    code: str
    since: datetime


def _is_known(at: datetime | None) -> bool:
    return at is not None


def _by_code(since: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"code": code, "since": at} for code, at in sorted(since.items())]


class PlacementOut(Out):
    """A household on its way to, or in, a place."""

    id: Id
    stay_id: Id
    referral_id: Id
    hold_id: Id
    previous_placement_id: Id | None = Field(
        validation_alias="previous_id",
        description="The placement of the same stay that they left for this one.",
    )
    status: str = Field(description="underway, arrived, no_show or ended")
    kind: str
    provider_id: Id = Field(validation_alias="receiver_id", description="Whose place it is.")
    sender_id: Id = Field(
        validation_alias="provider_id", description="Whose intake desk sent them."
    )
    cross_regional: bool
    origin: str = Field(description="Municipality that they come from.")
    receiving: str = Field(description="Region that receives them.")
    expected_at: datetime | None
    arrived_at: datetime | None
    departed_at: datetime | None
    destination: str | None
    blockers: list[str]
    current_blockers: Annotated[list[BlockerOut], BeforeValidator(_by_code)] = Field(
        validation_alias="blocked_since",
        description="What delays the departure now, and since when.",
    )
    expected_departure: date | None
    ready_to_leave_since: date | None
    return_by: date | None = Field(
        description="By when both providers agreed that they go back to their region."
    )
    return_agreement: str = Field(
        description="agreed, missing, or not_needed: only a want of capacity asks for one."
    )
    replace: bool = Field(
        validation_alias="compromised",
        description="The site is compromised: they need another place, and keep this one until "
        "then.",
    )
    unsafe_since: datetime | None = Field(
        description="Since when the danger, as it is known now, forbids this place."
    )
    missed_since: datetime | None = Field(
        description="Since when they have been missed, and nobody has acted."
    )
    safety_checked: Annotated[bool, BeforeValidator(_is_known)] = Field(
        validation_alias="safety_checked_at"
    )
    coming: ComingOut | None = Field(
        default=None,
        description="Who they are, as it is known now: for the receiver, until they have left or "
        "are safe elsewhere.",
    )
    ledger_leaf: int | None = Field(
        default=None, description="Index of the leaf that this act wrote."
    )


class PlacementList(Out):
    """A page of placements."""

    items: list[PlacementOut]
    next_cursor: str | None


@router.post(
    "/placements",
    status_code=201,
    response_model=PlacementOut,
    summary="Confirm a hold",
)
async def confirm_placement(wanted: PlacementWanted, tx: Tx, once: OnceRequired) -> Response:
    """Confirm an accepted hold: the household is on its way.

    With `previousPlacementId` they move on within their stay: the provider that shelters them
    now, or sent them there, says so.
    """
    confirmation = Confirmation(
        hold_id=parse_id(wanted.hold_id),
        expected_at=wanted.expected_at,
        previous_id=parse_optional_id(wanted.previous_placement_id),
        return_by=wanted.return_by,
    )
    row = await confirm_hold.confirm_hold(tx, confirmation)
    return await once.keep(tx, _without_coming(tx.caller, row, status=201))


@router.get(
    "/placements",
    response_model=PlacementList,
    summary="Placements sent and received",
)
async def list_placements(
    tx: Tx,
    page: ListIn,
    status: Annotated[
        known_codes.PlacementStatus | None, Query(description="Only placements with this status.")
    ] = None,
) -> Response:
    """List the placements that the own provider sent or received, newest first."""
    found = await placements.list_for(
        tx, status=status, limit=page.limit + 1, after=moment_and_id(page)
    )
    items, cursor = page.cut(found, place=lambda row: (row.created_at.isoformat(), str(row.id)))
    who = await placements.households_received(tx, items)
    return PlacementList(
        items=[PlacementOut.of(row, coming=who.get(row.id)) for row in items], next_cursor=cursor
    ).reply()


@router.get(
    "/placements/{id}",
    response_model=PlacementOut,
    summary="One placement",
    description="Read a placement that the own provider sent or received; who is coming is for the "
    "receiver.",
)
async def read_placement(id: str, request: Request, tx: Tx) -> Response:
    """Read a placement that the own provider sent or received."""
    row = await placements.read(tx, parse_id(id))
    return single(await placement_out(tx, row), request)


@router.patch(
    "/placements/{id}",
    response_model=PlacementOut,
    summary="What is known of the departure",
)
async def change_placement(id: str, wanted: PlacementChange, request: Request, tx: Tx) -> Response:
    """Note, as the receiving provider, what is known of the departure to come.

    Either side notes when they are expected, and when they go back.
    """
    before = await placements.read(tx, parse_id(id), lock=True)
    check_match(request, await placement_out(tx, before))
    changes: dict[str, Any] = wanted.model_dump(exclude_unset=True)
    row = await placements.note_plans(tx, parse_id(id), changes=changes)
    return (await placement_out(tx, row)).reply(etag=True)


async def placement_out(
    tx: Transaction,
    row: PlacementRow,
) -> PlacementOut:
    """Show a placement as the caller may see it."""
    who = await placements.households_received(tx, [row])
    return PlacementOut.of(row, coming=who.get(row.id))


def _without_coming(caller: Caller, row: PlacementRow, *, status: int = 200) -> Response:
    """Reply with what may be kept for repeats; the receiver's lacks who is coming, so no ETag."""
    return PlacementOut.of(row).reply(status, etag=row.receiver_id != caller.provider)


@router.post(
    "/placements/{id}/arrival",
    response_model=PlacementOut,
    summary="They have arrived",
)
async def record_arrival(
    id: str, tx: Tx, once: OnceIn, wanted: ArrivalWanted | None = None
) -> Response:
    """Record, as the receiving provider, that the household has arrived.

    `arrivedAt` may lie up to the policy's hours back, also before the confirmation, but not while
    another household had the place. Also after a no-show, or the correction `not_arrived`, until
    the sender has made sure that they are safe.
    """
    at = None if wanted is None else wanted.arrived_at
    recorded = await placements.record_arrival(tx, parse_id(id), arrived_at=at)
    reply = PlacementOut.of(recorded.placement, ledger_leaf=recorded.ledger_leaf)
    return await once.keep(tx, reply.reply())


@router.post(
    "/placements/{id}/no-show",
    response_model=PlacementOut,
    summary="They did not come",
    description="Record that the household did not come; the place is kept until the sender made "
    "sure that they are safe.",
)
async def record_no_show(
    id: str, tx: Tx, once: OnceIn, wanted: NoShowWanted | None = None
) -> Response:
    """Record that the household did not come."""
    checked = wanted is not None and wanted.safety_checked
    row = await placements.record_no_show(tx, parse_id(id), safety_checked=checked)
    return await once.keep(tx, _without_coming(tx.caller, row))


@router.post(
    "/placements/{id}/departure",
    response_model=PlacementOut,
    summary="They have left",
)
async def record_departure(id: str, wanted: DepartureWanted, tx: Tx, once: OnceIn) -> Response:
    """Record, as the receiving provider, the end of a stay: the place is free again."""
    leaving = DepartureReport(wanted.destination, tuple(wanted.blockers), wanted.departed_at)
    recorded = await placements.record_departure(tx, parse_id(id), leaving=leaving)
    reply = PlacementOut.of(recorded.placement, ledger_leaf=recorded.ledger_leaf)
    return await once.keep(tx, reply.reply())


@router.post(
    "/placements/{id}/corrections",
    status_code=201,
    response_model=PlacementOut,
    summary="Something was recorded wrongly",
    description="Correct, as the receiving provider, the day of an arrival or a departure, or an "
    "arrival or a departure that never was.\n\n"
    "What the ledger said stays there; one more leaf takes its place. After `not_arrived` "
    "the\n"
    "placement is a no-show; after `not_departed` they live there again, unless the place has "
    "another claim by now (409 `claimed`).",
)
async def correct_placement(id: str, wanted: CorrectionWanted, tx: Tx, once: OnceIn) -> Response:
    """Correct the day of an arrival or a departure, or an arrival that never was."""
    wrong = CorrectionRequest(wanted.code, wanted.at)
    recorded = await corrections.correct_placement(tx, parse_id(id), wrong)
    reply = PlacementOut.of(recorded.placement, ledger_leaf=recorded.ledger_leaf)
    return await once.keep(tx, reply.reply(201))
