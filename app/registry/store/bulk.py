"""Many rows at once: the register for imports, and past cases for the demo country."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, bindparam, case, delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as insert_or

from app.database.transaction import Transaction
from app.models import (
    Base,
    BlockerPeriod,
    Claim,
    Erasure,
    Hold,
    MonitorDay,
    Place,
    PlaceGroup,
    Placement,
    PlaceSecret,
    Provider,
    ProviderRegion,
    Ranking,
    ReadyPeriod,
    Referral,
    ReferralSecret,
    Site,
    SiteSecret,
    Stay,
)
from app.registry.store.taken_names import refuse_taken_names

Values = dict[str, Any]


def _none() -> list[Values]:
    return []


@dataclass(frozen=True, slots=True)
class Batch:
    """New rows by table, each by its columns.

    A claim also says whether it is `taken`.
    """

    providers: list[Values] = field(default_factory=_none)
    provider_regions: list[Values] = field(default_factory=_none)
    sites: list[Values] = field(default_factory=_none)
    site_secrets: list[Values] = field(default_factory=_none)
    place_groups: list[Values] = field(default_factory=_none)
    places: list[Values] = field(default_factory=_none)
    place_secrets: list[Values] = field(default_factory=_none)
    claims: list[Values] = field(default_factory=_none)
    referrals: list[Values] = field(default_factory=_none)
    referral_secrets: list[Values] = field(default_factory=_none)
    erasures: list[Values] = field(default_factory=_none)
    rankings: list[Values] = field(default_factory=_none)
    holds: list[Values] = field(default_factory=_none)
    stays: list[Values] = field(default_factory=_none)
    placements: list[Values] = field(default_factory=_none)
    blocker_periods: list[Values] = field(default_factory=_none)
    ready_periods: list[Values] = field(default_factory=_none)
    monitor_days: list[Values] = field(default_factory=_none)


_TABLES: Mapping[str, type[Base]] = {
    "providers": Provider,
    "sites": Site,
    "site_secrets": SiteSecret,
    "place_groups": PlaceGroup,
    "places": Place,
    "place_secrets": PlaceSecret,
    "referrals": Referral,
    "referral_secrets": ReferralSecret,
    "erasures": Erasure,
    "rankings": Ranking,
    "holds": Hold,
    "stays": Stay,
    "placements": Placement,
    "blocker_periods": BlockerPeriod,
    "ready_periods": ReadyPeriod,
    "monitor_days": MonitorDay,
}
"""The tables in an order in which rows find what they refer to; claims come last."""
_SERVE = insert_or(ProviderRegion).on_conflict_do_nothing()
_CLAIM = insert(Claim).values(
    claimed_until=case(
        (bindparam("taken", type_=Boolean), text("'infinity'::timestamptz")),
        else_=text("'-infinity'::timestamptz"),
    )
)


async def add(tx: Transaction, batch: Batch) -> None:
    """Store new rows; a region that a provider serves may be there already."""
    for name, table in _TABLES.items():
        rows: list[Values] = getattr(batch, name)
        if rows:
            with refuse_taken_names():
                await tx.run_each(insert(table), rows)
        if name == "providers" and batch.provider_regions:
            await tx.run_each(_SERVE, batch.provider_regions)
    if batch.claims:
        await tx.run_each(_CLAIM, batch.claims)


@dataclass(frozen=True, slots=True)
class KnownProvider:
    """A stored provider, with the regions it serves."""

    id: UUID
    slug: str
    name: str
    phone: str
    serves: frozenset[str]


async def providers(tx: Transaction) -> dict[str, KnownProvider]:
    """Return every provider by slug."""
    serves: defaultdict[UUID, set[str]] = defaultdict(set)
    for served in await tx.rows(select(ProviderRegion.provider_id, ProviderRegion.region)):
        serves[served.provider_id].add(served.region)
    rows = await tx.rows(select(Provider.id, Provider.slug, Provider.name, Provider.phone))
    return {
        row.slug: KnownProvider(
            id=row.id,
            slug=row.slug,
            name=row.name,
            phone=row.phone,
            serves=frozenset(serves.get(row.id, ())),
        )
        for row in rows
    }


async def change_provider(tx: Transaction, provider_id: UUID, *, name: str, phone: str) -> None:
    """Store a new name or telephone number."""
    await tx.run(update(Provider).where(Provider.id == provider_id).values(name=name, phone=phone))


async def set_served_regions(
    tx: Transaction, provider_id: UUID, *, regions: Collection[str]
) -> None:
    """Let a provider serve these regions and no others."""
    gone = ProviderRegion.region.not_in(regions)
    await tx.run(delete(ProviderRegion).where(ProviderRegion.provider_id == provider_id, gone))
    await tx.run_each(
        _SERVE, [{"provider_id": provider_id, "region": region} for region in sorted(regions)]
    )


async def lock_sites(tx: Transaction, provider_ids: Collection[UUID]) -> None:
    """Keep others, but not holds, from changing these providers' sites until the end."""
    wanted = select(Site.id).where(Site.provider_id.in_(provider_ids)).order_by(Site.id)
    await tx.rows(wanted.with_for_update(key_share=True))


async def lock_places(tx: Transaction, provider_ids: Collection[UUID]) -> None:
    """Keep others from taking or changing these providers' places until the transaction ends."""
    wanted = (
        select(Claim.place_id)
        .join(Place, Place.id == Claim.place_id)
        .where(Place.provider_id.in_(provider_ids))
    )
    await tx.rows(wanted.order_by(Claim.place_id).with_for_update(of=Claim, key_share=True))


async def revise_all_sites(tx: Transaction, *, revision: int) -> None:
    """Store the register's version as the revision of every site, which outdates rankings."""
    await tx.run(update(Site).values(revision=revision))


async def grow_groups(tx: Transaction, members: Mapping[UUID, int]) -> None:
    """Count new places into their groups, in one order so that imports never deadlock."""
    for group_id, more in sorted(members.items()):
        await tx.run(
            update(PlaceGroup)
            .where(PlaceGroup.id == group_id)
            .values(places=PlaceGroup.places + more)
        )
