"""Corrections of a recorded arrival or departure, each with one leaf in the ledger."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from app.allocation.ledger.openings import NOT_ARRIVED, Correction, OpeningContent
from app.database.transaction import Transaction
from app.errors import Conflict, Fault, Invalid, Missing
from app.ledger import ledger
from app.ledger.ledger import RecordedStay
from app.placing import placements
from app.placing.placements import RecordedPlacement
from app.placing.store import placement_rows
from app.placing.store.placement_rows import PlacementRow
from app.placing.swaps import swap_course
from app.reference import load

ARRIVED, DEPARTED = "arrived_other_day", "departed_other_day"
ENDED = "ended"


@dataclass(frozen=True, slots=True)
class CorrectionRequest:
    """What was recorded wrongly, as a code, and the right moment if there is one."""

    code: str
    at: datetime | None


async def correct_placement(
    tx: Transaction, placement_id: UUID, wrong: CorrectionRequest
) -> RecordedPlacement:
    """Correct an arrival or a departure, as the receiving provider.

    A cross-regional placement gets one leaf for it.

    If nobody came, the placement becomes a no-show: its place is kept until the sender has made
    sure that they are safe, or until they arrive.
    """
    swap = await swap_course.lock_swap_of(tx, placement_id)
    placement = await placements.read(tx, placement_id, lock=True)
    if placement.receiver_id != tx.caller.provider:
        raise Missing
    if wrong.code == NOT_ARRIVED:
        if swap is not None or placement.previous_id is not None:
            raise Conflict(
                "moved_on",
                "They left another place for this one: record where they are now instead.",
            )
        changes = _no_show_columns(tx, placement, wrong)
    else:
        changes = await _other_day_columns(tx, placement, wrong)
    changed = await placement_rows.change(
        tx, placement_id, expected=placement.status, values=changes
    )
    assert changed  # noqa: S101 - the row is locked
    now = await placements.notify_providers(tx, placement_id, freed=False)
    return RecordedPlacement(now, await _write_leaf(tx, placement, wrong))


def _no_show_columns(
    tx: Transaction, placement: PlacementRow, wrong: CorrectionRequest
) -> dict[str, Any]:
    if wrong.at is not None:
        raise Invalid(Fault("/at", "must be left out: there was no arrival"))
    if placement.status != "arrived":
        raise Conflict(
            "placement_status",
            "This placement is not %(placement_status)s.",
            placement_status="arrived",
        )
    return {
        "status": "no_show",
        "arrived_at": None,
        "no_show_at": tx.at,
        "arrival_withdrawn_at": tx.at,
    }


async def _other_day_columns(
    tx: Transaction, placement: PlacementRow, wrong: CorrectionRequest
) -> dict[str, Any]:
    if placement.arrived_at is None or (wrong.code == DEPARTED and placement.status != ENDED):
        status = ENDED if wrong.code == DEPARTED else "arrived"
        raise Conflict(
            "placement_status",
            "This placement is not %(placement_status)s.",
            placement_status=status,
        )
    if wrong.at is None:
        raise Invalid(Fault("/at", "is missing"))
    if wrong.code == DEPARTED:
        if await placement_rows.went_on_inside(tx, placement.id):
            raise Conflict(
                "moved_on",
                "They did not leave this provider then: correct the end of their last placement.",
            )
        field, first, last = "departed_at", placement.arrived_at, tx.at
    else:
        field, first, last = "arrived_at", placement.created_at, placement.departed_at or tx.at
    if not first <= wrong.at <= last:
        raise Invalid(Fault("/at", "must lie between what came before it and what came after"))
    recorded: datetime = getattr(placement, field)
    if load().country.day_of(recorded) == load().country.day_of(wrong.at):
        raise Invalid(Fault("/at", "is the day that was recorded"))
    return {field: wrong.at}


async def _write_leaf(
    tx: Transaction, placement: PlacementRow, wrong: CorrectionRequest
) -> int | None:
    """Correct the leaf of what was wrong, if it has one: a move inside a provider has none."""
    if wrong.code != DEPARTED and placement.began_id is not None:
        return None
    stay = await ledger.stay_of(tx, placement.began_with)
    if stay is None:
        return None
    corrects, changed = _corrected_opening(stay, wrong)
    correction = Correction(corrects, ledger.role_of(tx.caller), placement.receiving, wrong.code)
    return await ledger.record_correction(tx, stay, changed, correction)


def _corrected_opening(stay: RecordedStay, wrong: CorrectionRequest) -> tuple[int, OpeningContent]:
    index = stay.departure if wrong.code == DEPARTED else stay.arrival
    assert index is not None  # noqa: S101 - a stay that was left has a departure
    state = stay.states[index]
    if wrong.at is None:
        return index, state
    return index, replace(state, date=load().country.day_of(wrong.at))
