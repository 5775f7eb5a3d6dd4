"""The board of one provider, and each part of it on its own, as it is read again whenever something changed."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from app.accounts import access_log
from app.api.placing.holds import HoldOut
from app.api.placing.swaps import SwapOut
from app.database.caller import Caller
from app.database.transaction import Transaction
from app.deps import CallerIn, PartsIn, Tx
from app.placing import holds, placements
from app.placing.swaps import proposals
from app.ranking import vacancies
from app.referrals import alternatives
from app.seal import Keyring
from app.web.page import PageIn
from app.web.places import reading
from app.web.places.reading import Own, Stays

router = APIRouter(include_in_schema=False)

NOTICES, VACANCIES = 5, 20
"""How many of the newest are looked at."""
LATELY_DAYS = 14
"""A departure that is expected within so many days stands on the board."""

Known = Mapping[str, Any]


@router.get("/places")
async def board(page: PageIn, tx: Tx, caller: CallerIn, parts: PartsIn) -> Response:
    """Show everything."""
    mine, living = (
        await reading.own(tx, caller, keyring=parts.keyring),
        await reading.stays(tx, caller),
    )
    known: dict[str, Any] = {"board": await reading.board(tx, mine, living.by_place)}
    known |= await _incoming(tx, caller, mine, keyring=parts.keyring)
    known |= await _moves(tx, caller, mine, living, keyring=parts.keyring)
    known |= await _exchange(tx, caller, mine, keyring=parts.keyring)
    known |= await _others(tx, caller, mine)
    return page.show("places/board.html", **known)


@router.get("/places/incoming")
async def incoming(page: PageIn, tx: Tx, caller: CallerIn, parts: PartsIn) -> Response:
    """Show who wants to come."""
    mine = await reading.own(tx, caller, keyring=parts.keyring)
    return page.show(
        "places/_incoming.html", **await _incoming(tx, caller, mine, keyring=parts.keyring)
    )


@router.get("/places/sites")
async def sites(page: PageIn, tx: Tx, caller: CallerIn, parts: PartsIn) -> Response:
    """Show the sites with their places."""
    mine, living = (
        await reading.own(tx, caller, keyring=parts.keyring),
        await reading.stays(tx, caller),
    )
    return page.show("places/_sites.html", board=await reading.board(tx, mine, living.by_place))


@router.get("/places/moves")
async def moves(page: PageIn, tx: Tx, caller: CallerIn, parts: PartsIn) -> Response:
    """Show who arrives and who leaves."""
    mine, living = (
        await reading.own(tx, caller, keyring=parts.keyring),
        await reading.stays(tx, caller),
    )
    return page.show(
        "places/_moves.html", **await _moves(tx, caller, mine, living, keyring=parts.keyring)
    )


@router.get("/places/swaps")
async def exchange(page: PageIn, tx: Tx, caller: CallerIn, parts: PartsIn) -> Response:
    """Show the swaps that wait for an answer, or are under way."""
    mine = await reading.own(tx, caller, keyring=parts.keyring)
    return page.show(
        "places/_swaps.html", **await _exchange(tx, caller, mine, keyring=parts.keyring)
    )


@router.get("/places/others")
async def others(page: PageIn, tx: Tx, caller: CallerIn, parts: PartsIn) -> Response:
    """Show who is looked after elsewhere, what came free, and who asked for an address."""
    mine = await reading.own(tx, caller, keyring=parts.keyring)
    return page.show("places/_others.html", **await _others(tx, caller, mine))


async def _incoming(tx: Transaction, caller: Caller, mine: Own, *, keyring: Keyring) -> Known:
    found: list[holds.Hold] = []
    for status in ("pending", "accepted"):
        found += await reading.every(
            _held(tx, caller, status, keyring=keyring), lambda hold: (hold.created_at, hold.id)
        )
    received = [HoldOut.of(hold) for hold in found if hold.provider_id == caller.provider]
    return {
        # What needs an answer first, and of those what runs out first.
        "holds": sorted(received, key=lambda hold: (hold.status != "pending", hold.expires_at)),
        "today": alternatives.local_day(tx.at),
        "mine": mine,
        "reference": await tx.snapshots.reference(tx),
        "providers": await tx.snapshots.providers(tx),
    }


def _held(
    tx: Transaction, caller: Caller, status: str, *, keyring: Keyring
) -> Callable[[int, reading.Position | None], Awaitable[list[holds.Hold]]]:
    return lambda limit, after: holds.listed(
        tx, caller, keyring=keyring, status=status, limit=limit, after=after
    )


async def _moves(
    tx: Transaction, caller: Caller, mine: Own, living: Stays, *, keyring: Keyring
) -> Known:
    promised = {
        row.hold_id: HoldOut.of(await holds.read(tx, caller, row.hold_id, keyring=keyring))
        for row in (*living.underway, *living.lost)
    }
    today = alternatives.local_day(tx.at)
    leaving = [
        row
        for row in living.arrived
        if row.ready_to_leave_since is not None
        or (
            row.expected_departure is not None
            and (row.expected_departure - today).days <= LATELY_DAYS
        )
        or (row.return_by is not None and (row.return_by - today).days <= LATELY_DAYS)
        or row.unsafe_since is not None
        or row.compromised
    ]
    return {
        "coming": living.underway,
        "lost": living.lost,
        "leaving": sorted(
            leaving, key=lambda row: (row.expected_departure or today, row.created_at)
        ),
        "promised": promised,
        "today": today,
        "mine": mine,
        "reference": await tx.snapshots.reference(tx),
        "providers": await tx.snapshots.providers(tx),
    }


async def _exchange(tx: Transaction, caller: Caller, mine: Own, *, keyring: Keyring) -> Known:
    shown: list[SwapOut] = []
    for status in ("proposed", "reserved"):
        listed = await proposals.listed(
            tx, caller, status=status, limit=reading.AT_ONCE, after=None
        )
        shown += [
            SwapOut.shown(await proposals.read(tx, caller, row.id, keyring=keyring), caller)
            for row in listed
        ]
    homes = {
        leg.placement_id: await _home(tx, caller, mine, leg.placement_id)
        for swap in shown
        for leg in swap.legs
        if leg.placement_id is not None and leg.leaving_id == str(caller.provider)
    }
    return {
        "swaps": shown,
        "today": alternatives.local_day(tx.at),
        "homes": homes,
        "mine": mine,
        "reference": await tx.snapshots.reference(tx),
        "providers": await tx.snapshots.providers(tx),
    }


async def _home(tx: Transaction, caller: Caller, mine: Own, placement_id: str) -> str:
    row = await placements.read(tx, caller, UUID(placement_id))
    return mine.name(row.place_id, row.site_id)


async def _others(tx: Transaction, caller: Caller, mine: Own) -> Known:
    freed = await vacancies.listed(tx, caller, limit=VACANCIES, after=None)
    return {
        "alternatives": await alternatives.listed(tx, caller, limit=reading.AT_ONCE, after=None),
        "is_overdue": alternatives.is_overdue,
        "capacity": await alternatives.capacity(tx, caller),
        "vacancies": [row for row in freed if row.lawful_for],
        "notices": await access_log.notices(tx, caller, limit=NOTICES, before=None, after=None),
        "at": tx.at,
        "mine": mine,
        "providers": await tx.snapshots.providers(tx),
    }
