"""The board of a provider, and each part of it, which is renewed after a change."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from app.accounts import access_log
from app.allocation.ranking.left_out import band_of
from app.api.placing.holds import HoldOut
from app.api.placing.swaps import SwapOut, swap_out
from app.database.transaction import Transaction
from app.deps import Tx
from app.placing import holds, placements
from app.placing.swaps import proposals
from app.ranking import vacancies
from app.reference import load
from app.referrals import alternatives
from app.web.dues import read_dues
from app.web.page import PageIn
from app.web.places import view
from app.web.places.view import OwnRegister, Stays

router = APIRouter(include_in_schema=False)

NOTICES, VACANCIES = 5, 20
"""The number of the newest that are read."""
LATELY_DAYS = 14
"""The days before an expected departure, and after one, in which it stands on the board."""

Known = Mapping[str, Any]


@router.get("/places")
async def show_board(page: PageIn, tx: Tx) -> Response:
    """Show the whole board."""
    mine, living = await view.read_own(tx), await view.read_stays(tx)
    known: dict[str, Any] = {"board": await view.read_board(tx, mine, living.by_place)}
    known |= await read_dues(tx)
    known |= await _list_incoming(tx, mine)
    known |= await _moves(tx, mine, living)
    known |= await _swaps(tx, mine)
    known |= await _elsewhere(tx, mine)
    return page.show("places/board.html", **known)


@router.get("/places/incoming")
async def renew_incoming(page: PageIn, tx: Tx) -> Response:
    """Show the holds that ask for a place."""
    mine = await view.read_own(tx)
    return page.show("places/_incoming.html", **await _list_incoming(tx, mine))


@router.get("/places/sites")
async def renew_sites(page: PageIn, tx: Tx) -> Response:
    """Show the sites with their places."""
    mine, living = await view.read_own(tx), await view.read_stays(tx)
    return page.show("places/_sites.html", board=await view.read_board(tx, mine, living.by_place))


@router.get("/places/moves")
async def renew_moves(page: PageIn, tx: Tx) -> Response:
    """Show the arrivals and departures."""
    mine, living = await view.read_own(tx), await view.read_stays(tx)
    return page.show("places/_moves.html", **await _moves(tx, mine, living))


@router.get("/places/swaps")
async def renew_swaps(page: PageIn, tx: Tx) -> Response:
    """Show the swaps that wait for an answer or are under way."""
    mine = await view.read_own(tx)
    return page.show("places/_swaps.html", **await _swaps(tx, mine))


@router.get("/places/others")
async def renew_elsewhere(page: PageIn, tx: Tx) -> Response:
    """Show alternatives, vacancies, and notices of addresses that were asked for."""
    mine = await view.read_own(tx)
    return page.show("places/_others.html", **await _elsewhere(tx, mine))


async def _list_incoming(
    tx: Transaction,
    mine: OwnRegister,
) -> Known:
    found: list[holds.HoldView] = []
    for status in ("pending", "accepted"):
        found += await view.read_all(
            _page_of_holds(tx, status), lambda hold: (hold.created_at, hold.id)
        )
    received = [HoldOut.of(hold) for hold in found if hold.provider_id == tx.caller.provider]
    return {
        # Holds that need an answer come first, and of those the first to expire.
        "holds": sorted(received, key=lambda hold: (hold.status != "pending", hold.expires_at)),
        "today": load().country.day_of(tx.at),
        "mine": mine,
        "reference": await tx.snapshots.reference(tx),
        "providers": await tx.snapshots.providers(tx),
    }


def _page_of_holds(
    tx: Transaction,
    status: str,
) -> Callable[[int, view.Position | None], Awaitable[list[holds.HoldView]]]:
    return lambda limit, after: holds.list_for(tx, status=status, limit=limit, after=after)


async def _moves(
    tx: Transaction,
    mine: OwnRegister,
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
        "left": await placements.list_left(tx, since=tx.at - timedelta(days=LATELY_DAYS)),
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


async def _swaps(
    tx: Transaction,
    mine: OwnRegister,
) -> Known:
    shown: list[SwapOut] = []
    for status in ("proposed", "reserved"):
        listed = await proposals.list_for(tx, status=status, limit=view.AT_ONCE, after=None)
        shown += [swap_out(await proposals.read(tx, row.id), tx.caller) for row in listed]
    homes = {
        leg.placement_id: await _home_of(tx, mine, leg.placement_id)
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


async def _home_of(tx: Transaction, mine: OwnRegister, placement_id: str) -> str:
    row = await placements.read(tx, UUID(placement_id))
    return mine.name(row.place_id, row.site_id)


async def _elsewhere(tx: Transaction, mine: OwnRegister) -> Known:
    freed = await vacancies.list_for(tx, limit=VACANCIES, after=None)
    return {
        "alternatives": await alternatives.list_for(tx, limit=view.AT_ONCE, after=None),
        "is_overdue": alternatives.is_overdue,
        "capacity": await alternatives.capacity(tx),
        "vacancies": [(row, band_of(row.lawful_for)) for row in freed if row.lawful_for],
        "notices": await access_log.list_notices(tx, limit=NOTICES, before=None, after=None),
        "at": tx.at,
        "mine": mine,
        "providers": await tx.snapshots.providers(tx),
    }
