"""Corrections of a recorded arrival or departure, each with one leaf in the ledger."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.allocation.ledger.openings import NOT_ARRIVED, NOT_DEPARTED, Correction, OpeningContent
from app.database.transaction import Transaction
from app.errors import Conflict, Erased, Fault, Invalid, Missing
from app.ledger import household_counts, ledger
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
        await household_counts.uncount_household(tx, placements.counted_arrival(placement))
    elif wrong.code == NOT_DEPARTED:
        if wrong.at is not None:
            raise Invalid(Fault("/at", "must be left out: there was no departure"))
        if swap is not None:
            raise _moved_on()
        return await _take_back_departure(tx, placement, wrong)
    else:
        changes = await _other_day_columns(tx, placement, wrong)
    changed = await placement_rows.change(
        tx, placement_id, expected=placement.status, values=changes
    )
    assert changed  # noqa: S101 - the row is locked
    now = await placements.notify_providers(tx, placement_id, freed=False)
    if wrong.code == ARRIVED:
        await _follow_arrival(tx, placement, now)
    return RecordedPlacement(now, await _write_leaf(tx, placement, wrong))


async def _follow_arrival(tx: Transaction, was: PlacementRow, now: PlacementRow) -> None:
    """Correct what follows from the day of an arrival: the end of the place before, the sums."""
    await placement_rows.leave_when_arrived(tx, now.id)
    if now.previous_id is None:
        before, instead = map(placements.counted_arrival, (was, now))
        await household_counts.count_in_another_quarter(tx, before, instead=instead)


async def _take_back_departure(
    tx: Transaction, placement: PlacementRow, wrong: CorrectionRequest
) -> RecordedPlacement:
    """Let a household live again where it did not leave, while nothing else claims the place."""
    answer = await placement_rows.take_back_departure(tx, placement.id)
    if answer == "placement_status":
        raise Conflict(
            "placement_status",
            "This placement is not %(placement_status)s.",
            placement_status=ENDED,
        )
    if answer == "claimed":
        raise Conflict("claimed", "Somebody else has this place by now: find them another.")
    if answer == "moved_on":
        raise _moved_on()
    if answer != "back":
        raise Erased if answer == "erased" else Missing
    leaf = await _write_leaf(tx, placement, wrong)
    now = await placements.notify_providers(tx, placement.id, freed=True)
    return RecordedPlacement(now, leaf)


def _moved_on() -> Conflict:
    return Conflict("moved_on", "They went on to another place: correct that one.")


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
        hours = (await tx.snapshots.reference(tx)).policy.arrival_back_hours
        earliest = placement.created_at - timedelta(hours=hours)
        field, first, last = "arrived_at", earliest, placement.departed_at or tx.at
    around = await placement_rows.days_around(tx, placement.id)
    if not (first <= wrong.at <= last and around.hold(wrong.at)):
        raise Invalid(Fault("/at", "must lie between what came before it and what came after"))
    longer = wrong.code == ARRIVED or (
        placement.departed_at is not None and wrong.at > placement.departed_at
    )
    if longer and not await placement_rows.could_be_there(tx, placement.id, at=wrong.at):
        raise Invalid(Fault("/at", placements.OTHERS_THERE))
    recorded: datetime = getattr(placement, field)
    if load().country.day_of(recorded) == load().country.day_of(wrong.at):
        raise Invalid(Fault("/at", "is the day that was recorded"))
    return {field: wrong.at}


async def _write_leaf(
    tx: Transaction, placement: PlacementRow, wrong: CorrectionRequest
) -> int | None:
    """Correct the leaf of what was wrong, if it has one: a move inside a provider has none."""
    if wrong.code not in {DEPARTED, NOT_DEPARTED} and placement.began_id is not None:
        return None
    stay = await ledger.stay_of(tx, placement.began_with)
    if stay is None:
        return None
    corrects, changed = _corrected_opening(stay, wrong)
    correction = Correction(corrects, ledger.role_of(tx.caller), placement.receiving, wrong.code)
    return await ledger.record_correction(tx, stay, changed, correction)


def _corrected_opening(stay: RecordedStay, wrong: CorrectionRequest) -> tuple[int, OpeningContent]:
    index = stay.departure if wrong.code in {DEPARTED, NOT_DEPARTED} else stay.arrival
    assert index is not None  # noqa: S101 - a stay that was left has a departure
    state = stay.states[index]
    if wrong.at is None:
        return index, state
    return index, replace(state, date=load().country.day_of(wrong.at))
