"""A provider's board, and each part of it, as it is read again when something changed."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from app.accounts import access_log
from app.api.placing.holds import HoldOut
from app.api.placing.swaps import SwapOut, swap_out
from app.database.transaction import Transaction
from app.deps import Tx
from app.placing import holds, placements
from app.placing.swaps import proposals
from app.ranking import vacancies
from app.reference import load
from app.referrals import alternatives
from app.web.page import PageIn
from app.web.places import view
from app.web.places.view import Own, Stays

router = APIRouter(include_in_schema=False)

NOTICES, VACANCIES = 5, 20
"""How many of the newest are looked at."""
LATELY_DAYS = 14
"""A departure that is expected within so many days stands on the board."""

Known = Mapping[str, Any]


@router.get("/places")
async def board(page: PageIn, tx: Tx) -> Response:
    """Show everything."""
    mine, living = (
        await view.own(tx),
        await view.stays(tx),
    )
    known: dict[str, Any] = {"board": await view.board(tx, mine, living.by_place)}
    known |= await _incoming(tx, mine)
    known |= await _moves(tx, mine, living)
    known |= await _exchange(tx, mine)
    known |= await _others(tx, mine)
    return page.show("places/board.html", **known)


@router.get("/places/incoming")
async def incoming(page: PageIn, tx: Tx) -> Response:
    """Show who wants to come."""
    mine = await view.own(tx)
    return page.show("places/_incoming.html", **await _incoming(tx, mine))


@router.get("/places/sites")
async def sites(page: PageIn, tx: Tx) -> Response:
    """Show the sites with their places."""
    mine, living = (
        await view.own(tx),
        await view.stays(tx),
    )
    return page.show("places/_sites.html", board=await view.board(tx, mine, living.by_place))


@router.get("/places/moves")
async def moves(page: PageIn, tx: Tx) -> Response:
    """Show who arrives and who leaves."""
    mine, living = (
        await view.own(tx),
        await view.stays(tx),
    )
    return page.show("places/_moves.html", **await _moves(tx, mine, living))


@router.get("/places/swaps")
async def exchange(page: PageIn, tx: Tx) -> Response:
    """Show the swaps that wait for an answer, or are under way."""
    mine = await view.own(tx)
    return page.show("places/_swaps.html", **await _exchange(tx, mine))


@router.get("/places/others")
async def others(page: PageIn, tx: Tx) -> Response:
    """Show who is looked after elsewhere, what came free, and who asked for an address."""
    mine = await view.own(tx)
    return page.show("places/_others.html", **await _others(tx, mine))


async def _incoming(
    tx: Transaction,
    mine: Own,
) -> Known:
    found: list[holds.HoldView] = []
    for status in ("pending", "accepted"):
        found += await view.every(_held(tx, status), lambda hold: (hold.created_at, hold.id))
    received = [HoldOut.of(hold) for hold in found if hold.provider_id == tx.caller.provider]
    return {
        # What needs an answer first, and of those what runs out first.
        "holds": sorted(received, key=lambda hold: (hold.status != "pending", hold.expires_at)),
        "today": load().country.day_of(tx.at),
        "mine": mine,
        "reference": await tx.snapshots.reference(tx),
        "providers": await tx.snapshots.providers(tx),
    }


def _held(
    tx: Transaction,
    status: str,
) -> Callable[[int, view.Position | None], Awaitable[list[holds.HoldView]]]:
    return lambda limit, after: holds.list_for(tx, status=status, limit=limit, after=after)


async def _moves(
    tx: Transaction,
    mine: Own,
    living: Stays,
) -> Known:
    promised = {
        row.hold_id: HoldOut.of(await holds.read(tx, row.hold_id))
        for row in (*living.underway, *living.lost)
    }
    today = load().country.day_of(tx.at)
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


async def _exchange(
    tx: Transaction,
    mine: Own,
) -> Known:
    shown: list[SwapOut] = []
    for status in ("proposed", "reserved"):
        listed = await proposals.list_for(tx, status=status, limit=view.AT_ONCE, after=None)
        shown += [swap_out(await proposals.read(tx, row.id), tx.caller) for row in listed]
    homes = {
        leg.placement_id: await _home(tx, mine, leg.placement_id)
        for swap in shown
        for leg in swap.legs
        if leg.placement_id is not None and leg.leaving_id == str(tx.caller.provider)
    }
    return {
        "swaps": shown,
        "today": load().country.day_of(tx.at),
        "homes": homes,
        "mine": mine,
        "reference": await tx.snapshots.reference(tx),
        "providers": await tx.snapshots.providers(tx),
    }


async def _home(tx: Transaction, mine: Own, placement_id: str) -> str:
    row = await placements.read(tx, UUID(placement_id))
    return mine.name(row.place_id, row.site_id)


async def _others(tx: Transaction, mine: Own) -> Known:
    freed = await vacancies.list_for(tx, limit=VACANCIES, after=None)
    return {
        "alternatives": await alternatives.list_for(tx, limit=view.AT_ONCE, after=None),
        "is_overdue": alternatives.is_overdue,
        "capacity": await alternatives.capacity(tx),
        "vacancies": [row for row in freed if row.lawful_for],
        "notices": await access_log.list_notices(tx, limit=NOTICES, before=None, after=None),
        "at": tx.at,
        "mine": mine,
        "providers": await tx.snapshots.providers(tx),
    }
