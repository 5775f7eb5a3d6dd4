"""The country page: free places by region and kind, and a plan for all who wait.

Counts are in bands and change in steps; those of the reader's own places are exact.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.api.kit.known_codes import PlaceKind
from app.api.kit.wire import parse_id
from app.database.caller import Role
from app.deps import Tx
from app.ranking import peaks
from app.reference import load
from app.referrals import waiting_list
from app.registry import availability
from app.web.country.bands import map_regions, rows_of, states_by_kind
from app.web.country.map import draw_country
from app.web.page import PageIn

router = APIRouter(include_in_schema=False)

Kind = Annotated[PlaceKind | None, Query()]
Every = Annotated[bool, Query()]


@router.get("/country")
async def country(page: PageIn, tx: Tx, *, kind: Kind = None, every: Every = False) -> Response:
    """Show the free places of one kind, by default the first kind, or of every kind."""
    return page.show("country/country.html", **await _board(tx, kind, every=every))


@router.get("/country/board")
async def board(page: PageIn, tx: Tx, *, kind: Kind = None, every: Every = False) -> Response:
    """Show the part of the country page that changes by itself."""
    return page.show("country/_board.html", **await _board(tx, kind, every=every))


@router.get("/providers")
async def providers(
    page: PageIn,
    tx: Tx,
) -> Response:
    """Show the telephone numbers of all providers."""
    return page.show("country/providers.html", providers=await switchboards(tx))


@router.post("/country/peaks")
async def ask_peak_plan(
    page: PageIn,
    tx: Tx,
) -> Response:
    """Ask how many could be placed if all who wait were placed together, in counts.

    A plan that was made a moment ago is shown again.
    """
    row = await peaks.ask_counts(tx)
    return (
        page.show("country/_plan.html", plan=row)
        if page.partial
        else page.go(f"/country/peaks/{row.id}")
    )


@router.get("/country/peaks/{id}")
async def peak_plan(page: PageIn, tx: Tx, id: str) -> Response:
    """Show the counts of a plan, once the worker has made them."""
    row = await peaks.read_counts(tx, parse_id(id))
    return page.show("country/_plan.html" if page.partial else "country/plan.html", plan=row)


async def switchboards(tx: Tx) -> list[dict[str, Any]]:
    """Return each provider's name, telephone number and regions, by name."""
    regions = (await tx.snapshots.reference(tx)).regions
    cards = (await tx.snapshots.providers(tx)).values()
    return [
        {
            "name": card.name,
            "phone": card.phone,
            "regions": sorted(regions[code].name for code in card.regions if code in regions),
        }
        for card in sorted(cards, key=lambda card: card.name.casefold())
    ]


async def _board(tx: Tx, kind: str | None, *, every: bool) -> dict[str, Any]:
    reference = await tx.snapshots.reference(tx)
    known = tuple(load().codes["place_kinds"].codes)
    shown = known if every else (kind or known[0],)
    available = await availability.read(tx)
    rows = rows_of(available, reference.regions.values(), shown)
    return {
        "kept": False,
        "kinds": shown,
        "every": every,
        "rows": rows,
        "kind_states": states_by_kind(available, known),
        "drawing": draw_country(map_regions(rows)),
        "has_own": any(one.own for one in available),
        "step_minutes": reference.policy.availability_step_minutes,
        "fresh_hours": reference.policy.fresh_hours,
        "waiting": await waiting_list.count_waiting(tx)
        if tx.caller.has(Role.INTAKE_WORKER)
        else None,
        "plans": tx.caller.has(Role.ADMINISTRATOR),
    }
