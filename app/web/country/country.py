"""The country: what is free, by region and kind, in bands and in steps.

Own places exactly; where it is full.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.api.kit.known import PlaceKind
from app.api.kit.wire import parse_id
from app.database.caller import Role
from app.deps import Tx
from app.ranking import peaks
from app.reference import load
from app.referrals import waiting
from app.registry import availability
from app.web.country.bands import on_the_map, peaks_of, rows_of
from app.web.country.map import draw_country
from app.web.page import PageIn

router = APIRouter(include_in_schema=False)

Kind = Annotated[PlaceKind | None, Query()]
Every = Annotated[bool, Query()]


@router.get("/country")
async def country(page: PageIn, tx: Tx, *, kind: Kind = None, every: Every = False) -> Response:
    """Show what is free in the country.

    Of one kind of place, else of the first of them; or of every kind.
    """
    return page.show("country/country.html", **await _board(tx, kind, every=every))


@router.get("/country/board")
async def board(page: PageIn, tx: Tx, *, kind: Kind = None, every: Every = False) -> Response:
    """Show what of it changes."""
    return page.show("country/_board.html", **await _board(tx, kind, every=every))


@router.get("/providers")
async def providers(
    page: PageIn,
    tx: Tx,
) -> Response:
    """Show whom to telephone."""
    return page.show("country/providers.html", providers=await switchboards(tx))


@router.post("/country/peaks")
async def ask(
    page: PageIn,
    tx: Tx,
) -> Response:
    """Ask how many could be placed if all who wait were placed together, in counts.

    Or have what was made just now.
    """
    row = await peaks.ask_counts(tx)
    return (
        page.show("country/_plan.html", plan=row)
        if page.partial
        else page.go(f"/country/peaks/{row.id}")
    )


@router.get("/country/peaks/{id}")
async def plan(page: PageIn, tx: Tx, id: str) -> Response:
    """Show those counts, once the worker has made them."""
    row = await peaks.read_counts(tx, parse_id(id))
    return page.show("country/_plan.html" if page.partial else "country/plan.html", plan=row)


async def switchboards(tx: Tx) -> list[dict[str, Any]]:
    """Return every provider by name: whom to telephone, and about which regions."""
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
        "peaks": peaks_of(available, known),
        "drawing": draw_country(on_the_map(rows)),
        "has_own": any(one.own for one in available),
        "step_minutes": reference.policy.availability_step_minutes,
        "fresh_hours": reference.policy.fresh_hours,
        "waiting": await waiting.count_waiting(tx) if tx.caller.has(Role.INTAKE_WORKER) else None,
        "plans": tx.caller.has(Role.ADMINISTRATOR),
    }
