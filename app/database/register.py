"""The register as rankings see it: groups of interchangeable places, with their sites."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.dialects.postgresql import insert

from app.allocation.ranking.replay import register_bytes, register_hash, register_of
from app.allocation.values import PlaceGroup, Register
from app.database import counters
from app.database.pool import Row
from app.database.statements import Statements
from app.models import Municipality, Place, Provider, ProviderRegion, RegisterRecord, Site
from app.models import PlaceGroup as GroupRow


@dataclass(frozen=True, slots=True)
class ProviderCard:
    """A provider as staff may see it; `phone` is its switchboard."""

    id: str
    slug: str
    name: str
    phone: str
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RegisterSnapshot:
    """One version of the register."""

    version: int
    register: Register
    hash: str
    approved_at: Mapping[str, datetime]
    """When people agreed that a site is there, by site: no part of what a ranking is made from."""

    def content(self) -> bytes:
        """Return the content that is stored to replay rankings of this register."""
        return zlib.compress(register_bytes(self.register))


async def load(tx: Statements) -> RegisterSnapshot:
    """Read the newest version; read again when it changed meanwhile."""
    while True:
        version = await counters.read(tx, "register")
        groups = await tx.rows(
            select(*_GROUP_COLUMNS, Site.approved_at)
            .select_from(GroupRow)
            .join(Site, Site.id == GroupRow.site_id)
            .join(Municipality, Municipality.code == Site.municipality)
            .where(GroupRow.places > 0, Site.status == "approved")
            .order_by(GroupRow.id)
        )
        if await counters.read(tx, "register") == version:
            register = Register(tuple(_group(row) for row in groups))
            approved_at = {
                str(row.site_id): row.approved_at for row in groups if row.approved_at is not None
            }
            return RegisterSnapshot(version, register, register_hash(register), approved_at)


@dataclass(frozen=True, slots=True)
class ProviderList:
    """Every provider by id, as they were in one version of the register."""

    version: int
    cards: Mapping[str, ProviderCard]


async def providers(tx: Statements) -> ProviderList:
    """Read the newest version of the providers, or read again if it changed meanwhile."""
    while True:
        version = await counters.read(tx, "register")
        cards = await _providers(tx)
        if await counters.read(tx, "register") == version:
            return ProviderList(version, cards)


async def _providers(tx: Statements) -> Mapping[str, ProviderCard]:
    rows = await tx.rows(
        select(
            Provider.id,
            Provider.slug,
            Provider.name,
            Provider.phone,
            func.array_remove(func.array_agg(ProviderRegion.region), None).label("regions"),
        )
        .outerjoin(ProviderRegion)
        .group_by(Provider.id)
        .order_by(Provider.slug)
    )
    return {
        str(row.id): ProviderCard(
            str(row.id), row.slug, row.name, row.phone, tuple(sorted(row.regions))
        )
        for row in rows
    }


_GROUP_COLUMNS = (
    GroupRow.id,
    GroupRow.site_id,
    Site.provider_id,
    Site.municipality,
    Municipality.region,
    GroupRow.kind,
    GroupRow.bed_spaces,
    GroupRow.sharing,
    GroupRow.genders,
    GroupRow.sons_up_to_age,
    GroupRow.features,
    Site.features.label("site_features"),
    Site.address_secrecy,
    Site.supervision,
    Site.specialisms,
    Site.exclusive_to,
    # A site that is not safe offers nothing, and others need not know why.
    case((Site.compromised_since.is_not(None), "paused"), else_=Site.admission).label("admission"),
    Site.automatic_acceptance,
    GroupRow.places,
)


@dataclass(frozen=True, slots=True)
class Standing:
    """A place as it is now: its group with its site's facts, and whether that is compromised."""

    group: PlaceGroup
    compromised: bool


async def place_standing(tx: Statements, place_id: UUID) -> Standing:
    """Return a place as it is now."""
    rows = await tx.rows(
        select(*_GROUP_COLUMNS, Site.compromised_since)
        .select_from(Place)
        .join(GroupRow, GroupRow.id == Place.group_id)
        .join(Site, Site.id == GroupRow.site_id)
        .join(Municipality, Municipality.code == Site.municipality)
        .where(Place.id == place_id)
    )
    return Standing(_group(rows[0]), rows[0].compromised_since is not None)


def _group(row: Row) -> PlaceGroup:
    return PlaceGroup(
        id=str(row.id),
        site_id=str(row.site_id),
        provider_id=str(row.provider_id),
        municipality=row.municipality,
        region=row.region,
        kind=row.kind,
        bed_spaces=row.bed_spaces,
        sharing=row.sharing,
        genders=tuple(row.genders),
        sons_up_to_age=row.sons_up_to_age,
        features=tuple(sorted({*row.features, *row.site_features})),
        address_secrecy=row.address_secrecy,
        supervision=row.supervision,
        specialisms=tuple(row.specialisms),
        exclusive_to=tuple(row.exclusive_to),
        admission=row.admission,
        automatic_acceptance=row.automatic_acceptance,
        places=row.places,
    )


async def record(tx: Statements, snapshot: RegisterSnapshot) -> None:
    """Store a register that rankings are about to cite, unless it is known to be stored."""
    read_recorded = tx.stored_registers
    if snapshot.hash in read_recorded:
        return
    await tx.run(
        insert(RegisterRecord)
        .values(hash=snapshot.hash, content=snapshot.content())
        .on_conflict_do_nothing()
    )
    tx.after_commit.append(lambda: read_recorded.add(snapshot.hash))


async def read_recorded(tx: Statements, hash_: str) -> Register:
    """Return the register that a ranking cited."""
    rows = await tx.rows(select(RegisterRecord.content).where(RegisterRecord.hash == hash_))
    return register_of(zlib.decompress(rows[0].content))
