"""Past quarters as they were released: a reader's statements touch nothing else."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select

from app.database.transaction import Transaction
from app.models import MonitorRelease, MonitorStaleness, ProviderRegion


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """The visible figures of a quarter, for a region or the country."""

    quarter: date
    region: str
    made_at: datetime
    figures: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StalenessRow:
    """The share of days on which a provider's sites in a region were stale, in thousandths."""

    quarter: date
    provider_id: UUID
    region: str
    days: int
    stale_permille: int
    unknown_permille: int


_STALENESS = tuple(getattr(MonitorStaleness, name) for name in StalenessRow.__slots__)


async def releases(
    tx: Transaction, quarters: Collection[date], *, regions: Collection[str] | None
) -> list[ReleaseRow]:
    """Return the releases of some quarters, of all regions or some."""
    wanted = select(
        MonitorRelease.quarter,
        MonitorRelease.region,
        MonitorRelease.made_at,
        MonitorRelease.figures,
    )
    wanted = wanted.where(MonitorRelease.quarter.in_(quarters))
    if regions is not None:
        wanted = wanted.where(MonitorRelease.region.in_(regions))
    return [
        ReleaseRow(*row)
        for row in await tx.rows(wanted.order_by(MonitorRelease.quarter, MonitorRelease.region))
    ]


async def staleness(
    tx: Transaction,
    quarters: Collection[date],
    *,
    regions: Collection[str] | None,
    provider_id: UUID | None,
) -> list[StalenessRow]:
    """Return how stale providers were in some quarters: all, those of some regions, or one."""
    wanted = select(*_STALENESS).where(MonitorStaleness.quarter.in_(quarters))
    if regions is not None:
        wanted = wanted.where(MonitorStaleness.region.in_(regions))
    if provider_id is not None:
        wanted = wanted.where(MonitorStaleness.provider_id == provider_id)
    ordered = wanted.order_by(
        MonitorStaleness.quarter, MonitorStaleness.region, MonitorStaleness.provider_id
    )
    return [StalenessRow(*row) for row in await tx.rows(ordered)]


async def newest(tx: Transaction) -> date | None:
    """Return the first day of the newest quarter that was released."""
    return (await tx.rows(select(func.max(MonitorRelease.quarter))))[0][0]


async def regions_of(tx: Transaction, provider_id: UUID) -> frozenset[str]:
    """Return the regions in which a provider has places."""
    wanted = select(ProviderRegion.region).where(ProviderRegion.provider_id == provider_id)
    return frozenset(row.region for row in await tx.rows(wanted))


async def release(
    tx: Transaction,
    quarter: date,
    figures: Mapping[str, Mapping[str, Any]],
    *,
    staleness: Sequence[StalenessRow],
) -> None:
    """Release a quarter, once: figures by region, and how stale each provider was."""
    rows = [
        {"quarter": quarter, "region": region, "figures": dict(shown)}
        for region, shown in figures.items()
    ]
    await tx.run_each(insert(MonitorRelease), rows)
    if staleness:
        columns = StalenessRow.__slots__
        await tx.run_each(
            insert(MonitorStaleness),
            [{name: getattr(row, name) for name in columns} for row in staleness],
        )
