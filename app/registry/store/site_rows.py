"""Sites: their traits, the sealed rest, and who may have a site's address."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, bindparam, func, insert, select, text, tuple_, update
from sqlalchemy import Uuid as UuidType

from app.database.pool import Row
from app.database.transaction import Transaction
from app.models import Site, SiteSecret
from app.registry.store.taken_names import refuse_taken_names


@dataclass(frozen=True, slots=True)
class SiteTraits:
    """Everything about a site that a ranking may know and its owner may change."""

    municipality: str
    address_secrecy: str
    supervision: str
    features: tuple[str, ...]
    specialisms: tuple[str, ...]
    exclusive_to: tuple[str, ...]
    admission: str
    automatic_acceptance: bool


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A stored site; `sealed` opens with its data key, which is wrapped in `key`."""

    id: UUID
    traits: SiteTraits
    confirmed_at: datetime | None
    created_at: datetime
    key: bytes = field(repr=False)
    sealed: bytes = field(repr=False)
    compromised: str | None = None
    """The code of the reason why the site is not safe any more."""
    compromised_since: datetime | None = None
    status: str = "proposed"
    """`proposed`, `approved` or `rejected`."""
    approved_at: datetime | None = None
    renamed: bytes | None = field(default=None, repr=False)
    """Its name, sealed, where it has another one since."""
    moved_to: bytes | None = field(default=None, repr=False)
    """Its address, sealed, where another one was approved since."""


@dataclass(frozen=True, slots=True)
class AddressBasis:
    """Why a provider may have a site's address: it is the owner."""

    owner_id: UUID
    referral_id: UUID | None


APPROVED = ("municipality", "address_secrecy")
"""The traits of a site that nobody changes alone."""
_TRAITS = tuple(SiteTraits.__slots__)
_READ = (
    select(
        Site.id,
        *(getattr(Site, name) for name in _TRAITS),
        Site.confirmed_at,
        Site.created_at,
        SiteSecret.key,
        SiteSecret.sealed,
        Site.compromised_because,
        Site.compromised_since,
        Site.status,
        Site.approved_at,
        SiteSecret.renamed,
        SiteSecret.moved_to,
    )
    .join(SiteSecret, SiteSecret.site_id == Site.id)
    .order_by(Site.created_at, Site.id)
)

_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended(:provider_id, 3))").bindparams(
    bindparam("provider_id", type_=Text())
)


async def lock_additions(tx: Transaction, provider_id: UUID) -> None:
    """Make others who import a provider's sites and places wait: both would find all new."""
    await tx.rows(_ALONE, {"provider_id": str(provider_id)})


async def lock(tx: Transaction, site_id: UUID, *, provider_id: UUID) -> None:
    """Keep others, but not holds, from changing this provider's site until the end."""
    await tx.rows(
        select(Site.id)
        .where(Site.id == site_id, Site.provider_id == provider_id)
        .with_for_update(key_share=True)
    )


async def read(tx: Transaction, site_id: UUID, *, provider_id: UUID) -> SiteRow | None:
    """Return a site of this provider."""
    row = await tx.row(_READ.where(Site.id == site_id, Site.provider_id == provider_id))
    return None if row is None else _site(row)


async def list_of_provider(
    tx: Transaction, provider_id: UUID, *, limit: int, after: tuple[datetime, UUID] | None
) -> list[SiteRow]:
    """Return a provider's sites, oldest first."""
    statement = _READ.where(Site.provider_id == provider_id).limit(limit)
    if after is not None:
        statement = statement.where(tuple_(Site.created_at, Site.id) > tuple_(*after))
    return [_site(row) for row in await tx.rows(statement)]


async def add(tx: Transaction, site: SiteRow, *, provider_id: UUID, name_hash: bytes) -> None:
    """Store a new site and its secret; refuse a name that another site of the provider has."""
    values = asdict(site.traits) | {"id": site.id, "created_at": site.created_at}
    await tx.run(insert(Site).values(**values, provider_id=provider_id))
    secret = {"key": site.key, "sealed": site.sealed, "name_hash": name_hash}
    with refuse_taken_names():
        await tx.run(insert(SiteSecret).values(site_id=site.id, provider_id=provider_id, **secret))


async def rename(tx: Transaction, site_id: UUID, *, sealed: bytes, name_hash: bytes) -> None:
    """Store a new name; refuse one that another site of the provider has."""
    renamed = update(SiteSecret).where(SiteSecret.site_id == site_id)
    with refuse_taken_names():
        await tx.run(renamed.values(renamed=sealed, name_hash=name_hash))


async def move(tx: Transaction, site_id: UUID, *, sealed: bytes) -> None:
    """Store a new address, as the operator: for anybody else the database does when approved."""
    await tx.run(update(SiteSecret).where(SiteSecret.site_id == site_id).values(moved_to=sealed))


async def change(tx: Transaction, site_id: UUID, *, traits: SiteTraits) -> None:
    """Store what rankings may know now; `set_revision` has to follow.

    Where the site is and who knows that changes by a proposal, or by the operator (`settle`).
    """
    values = {name: value for name, value in asdict(traits).items() if name not in APPROVED}
    await tx.run(update(Site).where(Site.id == site_id).values(**values))


async def settle(tx: Transaction, site_id: UUID, *, municipality: str, secrecy: str) -> None:
    """Store where a site is and who knows that, as the operator."""
    values = {"municipality": municipality, "address_secrecy": secrecy}
    await tx.run(update(Site).where(Site.id == site_id).values(**values))


async def set_compromised(
    tx: Transaction, site_id: UUID, *, because: str | None, since: datetime | None
) -> None:
    """Store why and since when a site is not safe any more, or that it is safe."""
    await tx.run(
        update(Site)
        .where(Site.id == site_id)
        .values(compromised_because=because, compromised_since=since)
    )


async def set_revision(tx: Transaction, site_id: UUID, *, revision: int) -> None:
    """Store the register's version in which a site changed.

    Older rankings of it are outdated.
    """
    await tx.run(update(Site).where(Site.id == site_id).values(revision=revision))


async def confirm(
    tx: Transaction, site_id: UUID, *, provider_id: UUID
) -> tuple[datetime, str] | None:
    """Mark everything at this provider's site as true now.

    Return the moment and municipality.
    """
    row = await tx.row(
        update(Site)
        .where(Site.id == site_id, Site.provider_id == provider_id)
        .values(confirmed_at=func.clock_timestamp())
        .returning(Site.confirmed_at, Site.municipality)
    )
    return None if row is None else (row.confirmed_at, row.municipality)


# An owner may name any referral that its own desk registered, or that was ever held for a place of
# this site.
_OWNERS_REFERRALS = """
SELECT r.id FROM referrals AS r WHERE r.provider_id = :provider_id
UNION ALL
SELECT h.referral_id FROM holds AS h WHERE h.site_id = :site_id AND h.receiver_id = :provider_id
"""
_BASIS = text(f"""
SELECT s.provider_id AS owner_id,
       EXISTS (SELECT FROM ({_OWNERS_REFERRALS}) AS referral
               WHERE referral.id = :referral_id) AS related
FROM sites AS s WHERE s.id = :site_id AND s.provider_id = :provider_id
""").bindparams(  # noqa: S608 - made of the constant above
    *(bindparam(name, type_=UuidType()) for name in ("site_id", "provider_id", "referral_id"))
)


async def basis(
    tx: Transaction, site_id: UUID, *, provider_id: UUID, referral_id: UUID | None
) -> AddressBasis | None:
    """Return why a provider may have a site's address, if it may: the site is its own.

    A referral, if named, must be one of its own desk or one held for a place there.
    """
    values = {"site_id": site_id, "provider_id": provider_id, "referral_id": referral_id}
    row = await tx.row(_BASIS, values)
    if row is None or not (referral_id is None or row.related):
        return None
    return AddressBasis(row.owner_id, referral_id)


async def secret(tx: Transaction, site_id: UUID) -> tuple[bytes, bytes, bytes | None] | None:
    """Return a site's wrapped key, its sealed content, and its newer address if there is one.

    None if the rules for rows do not show them.
    """
    columns = (SiteSecret.key, SiteSecret.sealed, SiteSecret.moved_to)
    row = await tx.row(select(*columns).where(SiteSecret.site_id == site_id))
    return None if row is None else (row.key, row.sealed, row.moved_to)


def _site(row: Row) -> SiteRow:
    traits = SiteTraits(
        municipality=row.municipality,
        address_secrecy=row.address_secrecy,
        supervision=row.supervision,
        features=tuple(row.features),
        specialisms=tuple(row.specialisms),
        exclusive_to=tuple(row.exclusive_to),
        admission=row.admission,
        automatic_acceptance=row.automatic_acceptance,
    )
    return SiteRow(
        id=row.id,
        traits=traits,
        confirmed_at=row.confirmed_at,
        created_at=row.created_at,
        key=row.key,
        sealed=row.sealed,
        compromised=row.compromised_because,
        compromised_since=row.compromised_since,
        status=row.status,
        approved_at=row.approved_at,
        renamed=row.renamed,
        moved_to=row.moved_to,
    )
