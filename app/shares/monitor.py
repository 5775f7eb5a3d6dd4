"""The monitor: figures of past quarters as they were released, and nothing beyond them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.allocation.figures.curves import Curve, Point
from app.allocation.figures.figures import COUNTRY
from app.allocation.shares.quarters import Quarter, quarter_of
from app.database.caller import OVERSIGHT, Role
from app.database.transaction import Transaction
from app.errors import Fault, Forbidden, Invalid
from app.reference import load
from app.shares.store import monitor_rows
from app.shares.store.monitor_rows import ReleaseRow, StalenessRow

MOST_QUARTERS = 8
YEARS_BACK = 5
REPEATED = ("follow_on", "return")
"""Reasons that mean an earlier place: nothing else here recognises a household."""
PERMILLE = 1000


@dataclass(frozen=True, slots=True)
class EarlierQuarter:
    """The same quarter of an earlier year."""

    quarter: Quarter
    inflow: int | None
    outflow: int | None
    occupied_permille: int | None


@dataclass(frozen=True, slots=True)
class RegionFigures:
    """The visible figures of a region's quarter; `region` is None for the country.

    `counts` are by `measure` or `measure.breakdown.code`; None stands for a hidden number. `places`
    are those in service and `counts["occupied"]` those in use, both on an average day of the
    `days_counted`.
    """

    region: str | None
    counts: Mapping[str, int | None]
    stay: Curve
    places: int
    days_counted: int
    earlier: tuple[EarlierQuarter, ...]

    def by(self, measure: str, breakdown: str) -> tuple[tuple[str, int | None], ...]:
        """The counts of one breakdown, by code."""
        begin = f"{measure}.{breakdown}."
        return tuple(
            (name.removeprefix(begin), self.counts[name])
            for name in self.counts
            if name.startswith(begin)
        )

    @property
    def occupied_permille(self) -> int | None:
        """The share of places in service that were in use, in thousandths."""
        return _occupied_percent(self.counts, self.places)

    @property
    def repeat_admissions(self) -> int | None:
        """How many came for a reason that means an earlier place; None if one is hidden."""
        found = [self.counts.get(f"inflow.reason.{reason}") for reason in REPEATED]
        return None if None in found else sum(count or 0 for count in found)

    @property
    def moves_permille(self) -> int | None:
        """The least number of moves to a thousand ended stays; None if a part is hidden."""
        by_moves = self.by("outflow", "moves")
        counts = [count for _, count in by_moves if count is not None]
        if len(counts) < len(by_moves) or not sum(counts):
            return None
        moves = sum(int(name.rstrip("+")) * (count or 0) for name, count in by_moves)
        return moves * PERMILLE // sum(counts)


@dataclass(frozen=True, slots=True)
class MonitorQuarter:
    """A quarter; until it is released, it has no regions and `made_at` is None."""

    quarter: Quarter
    made_at: datetime | None
    regions: tuple[RegionFigures, ...]
    staleness: tuple[StalenessRow, ...]


@dataclass(frozen=True, slots=True)
class Monitor:
    """Some quarters, and the norm for occupancy in the policy in force."""

    quarters: tuple[MonitorQuarter, ...]
    occupancy_norm_permille: int


async def read(tx: Transaction, asked: Sequence[Quarter], *, region: str | None) -> Monitor:
    """Return some quarters of one region, or of all regions that the caller may see.

    Auditors and administrators see every region and the country; coordinators see the regions in
    which their provider has places. Administrators, the region's auditors and the provider itself
    see how stale a provider's sites were.
    """
    _check(asked, current=quarter_of(load().country.day_of(tx.at)))
    regions = await _regions(tx, region)
    years = range(1, YEARS_BACK + 1)
    before = {Quarter(quarter.year - back, quarter.number) for quarter in asked for back in years}
    days = {quarter.first for quarter in {*asked, *before}}
    released = await monitor_rows.releases(tx, days, regions=regions)
    stale = await _staleness(tx, asked, regions=regions)
    norm = (await tx.snapshots.reference(tx)).policy.occupancy_norm_permille
    by_quarter: dict[Quarter, dict[str, ReleaseRow]] = {}
    for row in released:
        by_quarter.setdefault(quarter_of(row.quarter), {})[row.region] = row
    return Monitor(tuple(_quarter(quarter, by_quarter, stale) for quarter in asked), norm)


def _check(asked: Sequence[Quarter], *, current: Quarter) -> None:
    if asked[-1] > current:
        raise Invalid(Fault("/to", "lies in a quarter that has not begun"))
    if len(asked) > MOST_QUARTERS:
        raise Invalid(Fault("/from", f"must be at most {MOST_QUARTERS} quarters before /to"))


async def _regions(tx: Transaction, region: str | None) -> Collection[str] | None:
    """Return the regions to show; None for all regions and the country."""
    if tx.caller.has(*OVERSIGHT):
        return None if region is None else {region}
    own = await monitor_rows.regions_of(tx, tx.caller.provider)
    if region is None:
        return own
    if region not in own:
        raise Forbidden("Your provider has no places in this region.")
    return {region}


async def _staleness(
    tx: Transaction, asked: Sequence[Quarter], *, regions: Collection[str] | None
) -> list[StalenessRow]:
    days = [quarter.first for quarter in asked]
    if tx.caller.has(Role.ADMINISTRATOR):
        return await monitor_rows.staleness(tx, days, regions=regions, provider_id=None)
    if tx.caller.has(Role.AUDITOR) and tx.caller.region is not None:
        own = {tx.caller.region} if regions is None else {tx.caller.region} & set(regions)
        return await monitor_rows.staleness(tx, days, regions=own, provider_id=None)
    return await monitor_rows.staleness(tx, days, regions=regions, provider_id=tx.caller.provider)


def _quarter(
    quarter: Quarter,
    released: Mapping[Quarter, Mapping[str, ReleaseRow]],
    stale: Sequence[StalenessRow],
) -> MonitorQuarter:
    rows = released.get(quarter, {})
    return MonitorQuarter(
        quarter,
        made_at=min((row.made_at for row in rows.values()), default=None),
        regions=tuple(_figures(quarter, row, released) for row in rows.values()),
        staleness=tuple(row for row in stale if row.quarter == quarter.first),
    )


def _figures(
    quarter: Quarter, row: ReleaseRow, released: Mapping[Quarter, Mapping[str, ReleaseRow]]
) -> RegionFigures:
    shown = row.figures
    earlier = [Quarter(quarter.year - back, quarter.number) for back in range(1, YEARS_BACK + 1)]
    return RegionFigures(
        region=None if row.region == COUNTRY else row.region,
        counts=shown["counts"],
        stay=Curve(
            shown["stay"]["median_days"], tuple(Point(*point) for point in shown["stay"]["points"])
        ),
        places=shown["places"],
        days_counted=shown["days_counted"],
        earlier=tuple(
            _earlier(back, released[back][row.region].figures)
            for back in earlier
            if row.region in released.get(back, {})
        ),
    )


def _earlier(quarter: Quarter, shown: Mapping[str, Any]) -> EarlierQuarter:
    counts = shown["counts"]
    return EarlierQuarter(
        quarter, counts["inflow"], counts["outflow"], _occupied_percent(counts, shown["places"])
    )


def _occupied_percent(counts: Mapping[str, int | None], places: int) -> int | None:
    occupied = counts.get("occupied")
    return None if occupied is None or not places else occupied * PERMILLE // places
