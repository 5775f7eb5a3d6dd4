"""Figures of the monitor with charts, and the own region's nights with others, by quarter."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Response

from app.allocation.shares.quarters import Quarter, quarter_of, quarters_between
from app.api.shares.monitor import CSV, csv_of
from app.database.caller import Role
from app.deps import Tx
from app.reference import load
from app.shares import fair_shares, monitor, settlements
from app.shares.monitor import MonitorQuarter, RegionFigures
from app.shares.monitor_releases import SETTLED_DAYS
from app.web.page import PageIn
from app.web.share import charts
from app.web.share.region_share import QuarterName, chosen_of

router = APIRouter()

YEARS = 2
"""The years back: as many quarters as the monitor shows at once."""


@router.get("/share/figures")
async def show_figures(page: PageIn, tx: Tx, quarter: QuarterName = None) -> Response:
    """Show a released quarter of the caller's region or of the country."""
    region = tx.caller.region if tx.caller.has(Role.AUDITOR) else None
    found = await monitor.read(tx, _quarters_shown(tx), region=region)
    over_time = [
        (one.quarter, _of_region(one, region)) for one in found.quarters if one.made_at is not None
    ]
    if not over_time:
        return page.show("share/no_figures.html", after_days=SETTLED_DAYS)
    known = [one for one, _ in over_time]
    chosen = chosen_of(known, quarter)
    everywhere = await _of_all_regions(tx, chosen)
    names = {code: one.name for code, one in (await tx.snapshots.reference(tx)).regions.items()}
    return page.show(
        "share/figures.html",
        charts=charts,
        region=names.get(region) if region else None,
        code=region,
        names=names,
        norm=found.occupancy_norm_permille,
        over_time=over_time,
        known=known[::-1],
        chosen=chosen,
        figures=dict(over_time)[chosen],
        country=next((one for one in everywhere if one.region is None), None),
        everywhere=sorted(
            (one for one in everywhere if one.region is not None and one.places),
            key=lambda one: names.get(one.region or "", ""),
        ),
        flows=await _flows(tx, chosen) if region else None,
        added_up=chosen in await fair_shares.sealed_quarters(tx),
    )


@router.get("/share/figures/download")
async def download(tx: Tx, quarter: QuarterName = None) -> Response:
    """Return a quarter of all regions as CSV, one line a count."""
    chosen = chosen_of(_quarters_shown(tx), quarter)
    found = await monitor.read(tx, (chosen,), region=None)
    named = {"Content-Disposition": f'attachment; filename="monitor-{chosen}.csv"'}
    return Response(csv_of(found), headers=named, media_type=CSV)


def _quarters_shown(tx: Tx) -> Sequence[Quarter]:
    """Return the quarters that the monitor shows at once, up to the running one."""
    now = quarter_of(load().country.day_of(tx.at))
    return quarters_between(Quarter(now.year - YEARS, now.number).next, now)


def _of_region(quarter: MonitorQuarter, region: str | None) -> RegionFigures | None:
    return next((one for one in quarter.regions if one.region == region), None)


async def _of_all_regions(tx: Tx, chosen: Quarter) -> Sequence[RegionFigures]:
    """Return the figures of every region, and of the country if the caller may see those."""
    return (await monitor.read(tx, (chosen,), region=None)).quarters[0].regions


async def _flows(tx: Tx, chosen: Quarter) -> Mapping[tuple[str, str], int]:
    """Return the own region's place-nights by pair of regions, most first; none if not sealed."""
    if chosen not in await fair_shares.sealed_quarters(tx):
        return {}
    pairs = settlements.paired_nights((await settlements.read_settlement(tx, (chosen,)))[1]).pairs
    return dict(sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0])))
