"""Decisions for households of a region or sent to it, and a check that makes them again."""

from collections import Counter
from typing import Any

from fastapi import APIRouter, Response

from app.allocation.shares.quarters import Quarter, quarter_of, quarters_between
from app.api.kit.lists import MOST, ListIn, moment_and_id
from app.api.shares.decisions import DecidedOut, place_of, show_decision
from app.deps import Tx
from app.reference import load
from app.shares import decisions
from app.web.page import PageIn
from app.web.share.region_share import QuarterName, chosen_of

router = APIRouter()

YEARS = 2
"""The years back for which decisions are shown."""
CHECKED = 8
"""Decisions that the report makes again at once; each is a ranking, so they are few."""


@router.get("/share/decisions")
async def list_decisions(page: PageIn, tx: Tx, asked: ListIn) -> Response:
    """Show the decisions that concern the region, newest first."""
    found = await decisions.list_decisions(tx, limit=asked.limit, after=moment_and_id(asked))
    rows, older = asked.cut(found, place=place_of)
    return page.show(
        "share/decisions.html",
        rows=[DecidedOut.of(row) for row in rows],
        older=older,
        **await _names(tx),
    )


@router.get("/share/decisions/report")
async def show_report(
    page: PageIn,
    tx: Tx,
    asked: ListIn,
    quarter: QuarterName = None,
) -> Response:
    """Check whether a household left its region although a lawful place was free there.

    The report also counts the choices of another offer than the first.
    """
    now = quarter_of(load().country.day_of(tx.at))
    known = quarters_between(Quarter(now.year - YEARS, now.number), now)
    chosen = chosen_of(known, quarter)
    after = moment_and_id(asked)
    checked = await decisions.check_decisions(tx, (chosen,), limit=CHECKED, after=after)
    recent, overrides = await decisions.count_overrides(tx, most=MOST)
    return page.show(
        "share/report.html",
        checked=checked,
        older=asked.next_after(place_of(checked[-1].row)) if len(checked) == CHECKED else None,
        later=after is not None,
        found=Counter(one.found for one in checked),
        recent=recent,
        overrides=overrides.most_common(),
        known=known[::-1],
        chosen=chosen,
        **await _names(tx),
    )


@router.get("/share/decisions/{id}")
async def show_one(page: PageIn, tx: Tx, id: str) -> Response:
    """Show a decision, made again."""
    shown = await show_decision(id, tx)
    return page.show("share/decision.html", shown=shown, **await _names(tx))


async def _names(tx: Tx) -> dict[str, Any]:
    regions = (await tx.snapshots.reference(tx)).regions
    return {"names": {code: region.name for code, region in regions.items()}}
