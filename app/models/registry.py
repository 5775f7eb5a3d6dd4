"""The register of places: its public part, its sealed part, and the claims on places."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.allocation.values import MOST_BEDS, OLDEST_CHILD
from app.models.base import Base, Codes, Id, Stamp, one_of

FREE = "'-infinity'::timestamptz"
ENDLESS = "'infinity'::timestamptz"


class Provider(Base):
    """A shelter organisation."""

    __tablename__ = "providers"

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    phone: Mapped[str]
    """Its switchboard."""


class ProviderRegion(Base):
    """A region in which a provider has places."""

    __tablename__ = "provider_regions"
    __table_args__ = (Index(None, "region"),)

    provider_id: Mapped[UUID] = mapped_column(
        ForeignKey("providers.id", ondelete="CASCADE"), primary_key=True
    )
    region: Mapped[str] = mapped_column(ForeignKey("regions.code"), primary_key=True)


class Site(Base):
    """A shelter address, without the address: no finer than its municipality."""

    __tablename__ = "sites"
    __table_args__ = (
        CheckConstraint(one_of("address_secrecy", "confidential", "known"), name="address_secrecy"),
        CheckConstraint(one_of("supervision", "24h", "daytime", "none"), name="supervision"),
        CheckConstraint(one_of("admission", "open", "paused"), name="admission"),
        CheckConstraint(
            "NOT automatic_acceptance OR address_secrecy = 'known'",
            name="confidential_never_automatic",
        ),
        CheckConstraint(
            "(compromised_because IS NULL) = (compromised_since IS NULL)", name="compromised"
        ),
        CheckConstraint(one_of("status", "proposed", "approved", "rejected"), name="status"),
        Index(None, "provider_id"),
    )

    id: Mapped[Id]
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers.id"))
    status: Mapped[str] = mapped_column(server_default=text("'proposed'"))
    """Only at an approved site a place is free for anybody."""
    approved_at: Mapped[datetime | None]
    """When people agreed that it is there, in its municipality; none: the operator said so."""
    recheck: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether those who are there have to be compared with the danger again."""
    municipality: Mapped[str] = mapped_column(ForeignKey("municipalities.code"))
    address_secrecy: Mapped[str]
    supervision: Mapped[str]
    features: Mapped[Codes]
    specialisms: Mapped[Codes]
    exclusive_to: Mapped[Codes]
    admission: Mapped[str]
    automatic_acceptance: Mapped[bool] = mapped_column(server_default=text("false"))
    confirmed_at: Mapped[datetime | None]
    """When the owner last confirmed that everything here is true; never: unknown."""
    compromised_because: Mapped[str | None]
    """Why the site is not safe any more, as a code; none while it is."""
    compromised_since: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """The version of the register at its last change that a ranking must know."""
    created_at: Mapped[Stamp]


class SiteSecret(Base):
    """A site's name and address, sealed with the site's own key."""

    __tablename__ = "site_secrets"
    __table_args__ = (Index(None, "provider_id"),)

    site_id: Mapped[UUID] = mapped_column(
        ForeignKey("sites.id", ondelete="CASCADE"), primary_key=True
    )
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers.id"))
    key: Mapped[bytes] = mapped_column(LargeBinary)
    """The site's data key, wrapped."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """Its name and address as they were first given."""
    renamed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Its name, where it has another one since."""
    moved_to: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Its address, where another one was approved since."""
    name_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    """HMAC of the provider and the name, case folded: no two sites of one provider are called the
    same. None: it was rejected, and others may be called so."""


class SiteProposal(Base):
    """A new site, or a change of where one is or who knows it, that others have to approve."""

    __tablename__ = "site_proposals"
    __table_args__ = (
        CheckConstraint(one_of("outcome", "approved", "rejected", "replaced"), name="outcome"),
        CheckConstraint("(outcome IS NULL) = (decided_at IS NULL)", name="decided"),
        CheckConstraint("address_secrecy = 'known'", name="less_safe"),
        CheckConstraint(
            "coordinator_id <> proposed_by AND administrator_id <> proposed_by"
            " AND coordinator_id <> administrator_id",
            name="persons",
        ),
        CheckConstraint(
            "outcome <> 'approved' OR coordinator_id IS NOT NULL OR administrator_id IS NOT NULL",
            name="approved",
        ),
        Index(
            "site_proposals_live_key",
            "site_id",
            unique=True,
            postgresql_where=text("outcome IS NULL"),
        ),
        Index(None, "provider_id"),
    )

    id: Mapped[Id]
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id", ondelete="CASCADE"))
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers.id"))
    proposed_by: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    proposed_at: Mapped[Stamp]
    municipality: Mapped[str | None] = mapped_column(ForeignKey("municipalities.code"))
    """The other municipality, and so on; none: as it is."""
    address_secrecy: Mapped[str | None]
    moved_to: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The other address, sealed with the site's key."""
    coordinator_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
    """The other coordinator who approved."""
    administrator_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
    """The administrator who approved."""
    outcome: Mapped[str | None]
    decided_at: Mapped[datetime | None]


class PlaceGroup(Base):
    """Interchangeable places at one site, which an offer is made of."""

    __tablename__ = "place_groups"
    __table_args__ = (
        CheckConstraint(
            one_of("kind", "crisis", "regular", "emergency", "move_on", "alternative"), name="kind"
        ),
        CheckConstraint(
            one_of("sharing", "own_unit", "shared_facilities", "shared_room"), name="sharing"
        ),
        CheckConstraint(f"bed_spaces BETWEEN 1 AND {MOST_BEDS}", name="bed_spaces"),
        CheckConstraint(f"sons_up_to_age BETWEEN 0 AND {OLDEST_CHILD}", name="sons_up_to_age"),
        CheckConstraint("cardinality(genders) > 0", name="genders"),
        CheckConstraint("places >= 0", name="places"),
        UniqueConstraint(
            "site_id", "kind", "bed_spaces", "sharing", "genders", "sons_up_to_age", "features"
        ),
    )

    id: Mapped[Id]
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    kind: Mapped[str]
    bed_spaces: Mapped[int]
    sharing: Mapped[str]
    genders: Mapped[list[str]]
    sons_up_to_age: Mapped[int]
    features: Mapped[Codes]
    places: Mapped[int] = mapped_column(server_default=text("0"))
    """How many places belong to it, free or not; kept with each place added or moved."""


class Place(Base):
    """One unit; it holds one household."""

    __tablename__ = "places"
    __table_args__ = (
        UniqueConstraint("id", "group_id"),
        Index(None, "site_id"),
        Index(None, "group_id"),
    )

    id: Mapped[Id]
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers.id"), index=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    group_id: Mapped[UUID] = mapped_column(ForeignKey("place_groups.id"))
    created_at: Mapped[Stamp]


class PlaceSecret(Base):
    """A place's label, sealed with its site's key."""

    __tablename__ = "place_secrets"
    __table_args__ = (Index(None, "provider_id"),)

    place_id: Mapped[UUID] = mapped_column(
        ForeignKey("places.id", ondelete="CASCADE"), primary_key=True
    )
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers.id"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    label_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    """HMAC of the site and the label, case folded: no two places of one site have the same."""


class Claim(Base):
    """The claim on a place that is not free.

    There is one row a place, so that a place has at most one claim. A place is free when
    `claimed_until` lies in the past by the database's clock: a hold that has run out frees it by
    itself. Confirming, renewing or releasing changes the row only while `hold_id` is that hold's.
    """

    __tablename__ = "claims"
    __table_args__ = (
        ForeignKeyConstraint(
            ["place_id", "group_id"], ["places.id", "places.group_id"], onupdate="CASCADE"
        ),
        CheckConstraint(
            "CASE"
            f" WHEN kind IS NULL THEN claimed_until = {FREE} AND hold_id IS NULL AND "
            "placement_id IS NULL"
            f" WHEN kind = 'hold' THEN claimed_until < {ENDLESS} AND hold_id IS NOT NULL AND "
            "placement_id IS NULL"
            f" WHEN kind = 'placement' THEN claimed_until = {ENDLESS} AND placement_id IS NOT NULL"
            f" WHEN kind IN ('occupied', 'out_of_service', 'proposed')"
            f" THEN claimed_until = {ENDLESS} AND hold_id IS NULL AND placement_id IS NULL"
            " ELSE false END",
            name="kind",
        ),
        CheckConstraint(
            "(kind = 'out_of_service') = (reason IS NOT NULL) OR kind IS NULL", name="reason"
        ),
        CheckConstraint("successor_id IS NULL OR kind = 'placement'", name="successor"),
        Index(None, "group_id", "claimed_until"),
        Index("claims_lapsing_idx", "claimed_until", postgresql_where=text("kind = 'hold'")),
    )

    place_id: Mapped[UUID] = mapped_column(primary_key=True)
    group_id: Mapped[UUID]
    kind: Mapped[str | None]
    hold_id: Mapped[UUID | None] = mapped_column(ForeignKey("holds.id"), unique=True)
    placement_id: Mapped[UUID | None] = mapped_column(ForeignKey("placements.id"), unique=True)
    claimed_until: Mapped[datetime] = mapped_column(server_default=text(FREE))
    reason: Mapped[str | None]
    """Why it is out of service, as a code."""
    expected_until: Mapped[datetime | None]
    """When it may be back in service; a note, never a promise: its owner has to confirm it."""
    since: Mapped[Stamp]
    successor_id: Mapped[UUID | None] = mapped_column(ForeignKey("placements.id"), unique=True)
    """The one reserved successor of the household here now (swaps): the placement that the place
    passes to."""


class RegisterRecord(Base):
    """The register as rankings saw it, kept once a version for exact replay."""

    __tablename__ = "registers"

    hash: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    """Canonical JSON, compressed with zlib."""
    recorded_at: Mapped[Stamp]
