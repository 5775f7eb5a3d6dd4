"""Cases: referrals, rankings, holds, stays, placements, and what delays departures.

Personal facts are sealed beside them.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Codes, Id, Stamp, one_of


class Referral(Base):
    """A household that needs a place, by its provider's intake desk; what is not sealed.

    `hold_id` and `held_until` are the referral's own claim: at most one live hold, decided on this
    row.
    """

    __tablename__ = "referrals"
    __table_args__ = (
        CheckConstraint(
            one_of("status", "open", "held", "placed", "ended", "withdrawn"), name="status"
        ),
        CheckConstraint(one_of("urgency", "acute", "urgent", "planned"), name="urgency"),
        CheckConstraint(
            one_of("reason", "safety", "capacity", "follow_on", "return"), name="reason"
        ),
        CheckConstraint("(status = 'held') = (hold_id IS NOT NULL)", name="held"),
        CheckConstraint("(hold_id IS NULL) = (held_until IS NULL)", name="held_until"),
        Index("referrals_provider_idx", "provider_id", "created_at", "id"),
        Index(
            "referrals_waiting_idx",
            "created_at",
            "id",
            postgresql_where=text("status IN ('open', 'held')"),
        ),
    )

    id: Mapped[Id]
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers.id"))
    reference: Mapped[str] = mapped_column(unique=True)
    """A code that can be spoken on the telephone; it says nothing about the household."""
    status: Mapped[str] = mapped_column(server_default="open")
    urgency: Mapped[str]
    reason: Mapped[str]
    origin: Mapped[str] = mapped_column(ForeignKey("municipalities.code"))
    hold_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("holds.id", use_alter=True, deferrable=True, initially="DEFERRED"), unique=True
    )
    held_until: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    """Grows with each change of the referral; a ranking of an older version cannot be held."""
    has_safety_plan: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether a safety plan was made, as the sealed content says: until then one is due."""
    created_at: Mapped[Stamp]
    updated_at: Mapped[Stamp]
    closed_because: Mapped[str | None]
    """Why it needs no place any more, as a code: while it is withdrawn."""
    closed_at: Mapped[datetime | None]


class ReferralSecret(Base):
    """Household, danger zones and needs of a referral, sealed with its own key."""

    __tablename__ = "referral_secrets"
    __table_args__ = (Index(None, "provider_id"),)

    referral_id: Mapped[UUID] = mapped_column(
        ForeignKey("referrals.id", ondelete="CASCADE"), primary_key=True
    )
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers.id"))
    key: Mapped[bytes] = mapped_column(LargeBinary)
    """The referral's data key, wrapped."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class Shield(Base):
    """A colleague who may see a shielded referral; it is shielded while it has any.

    There is no foreign key to accounts: the application has no rights there.
    """

    __tablename__ = "shields"
    __table_args__ = (
        CheckConstraint("(broken_because IS NULL) = (until IS NULL)", name="broken"),
        Index(None, "provider_id"),
    )

    referral_id: Mapped[UUID] = mapped_column(
        ForeignKey("referrals.id", ondelete="CASCADE"), primary_key=True
    )
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_id: Mapped[UUID]
    """The referral's provider."""
    reference: Mapped[str]
    """The referral's speakable code: by it alone the glass can be broken."""
    broken_because: Mapped[str | None]
    """Why a colleague who was not named broke the glass, as a code; none for a named one."""
    until: Mapped[datetime | None]
    """Until when such a person may look."""
    created_at: Mapped[Stamp]


class Erasure(Base):
    """A referral whose content has been destroyed."""

    __tablename__ = "erasures"
    __table_args__ = (
        CheckConstraint(one_of("cause", "request", "retention", "restore"), name="cause"),
    )

    referral_id: Mapped[UUID] = mapped_column(primary_key=True)
    cause: Mapped[str]
    at: Mapped[Stamp]


class Ranking(Base):
    """An answer to "where can this household go?", with all that is needed to repeat it.

    There are no foreign keys to the few rows that every ranking cites (provider, policy, register):
    each would lock them, and rankings made at once would queue there. Policies and registers are
    never deleted, providers not while they have sites.
    """

    __tablename__ = "rankings"
    __table_args__ = (Index(None, "referral_id"), Index("rankings_as_of_idx", "as_of", "id"))

    id: Mapped[Id]
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id", ondelete="CASCADE"))
    provider_id: Mapped[UUID]
    referral_version: Mapped[int]
    register_version: Mapped[int] = mapped_column(BigInteger)
    """A site that changed in a later version than this outdates the ranking."""
    as_of: Mapped[datetime]
    policy_hash: Mapped[str]
    register_hash: Mapped[str]
    rules_version: Mapped[str]
    digest: Mapped[str]
    """Hash of the whole result: a replay gives the same one."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """The facts about the household and the country, sealed with the referral's key."""
    came_free_rank: Mapped[int | None]
    """Where the best of what had just come free stood, if the worker ranked for that; none where a
    person asked."""


class Hold(Base):
    """A place kept for a referral for a while; it resolves at most once.

    Its referral, ranking and place are foreign keys, and name the providers. A key to providers as
    well would lock the same few rows for every hold in the country, and holds taken at once would
    queue there.
    """

    __tablename__ = "holds"
    __table_args__ = (
        CheckConstraint(
            one_of(
                "status",
                "pending",
                "accepted",
                "placed",
                "declined",
                "no_answer",
                "released",
                "expired",
            ),
            name="status",
        ),
        CheckConstraint(
            "(status IN ('pending', 'accepted')) = (resolved_at IS NULL)", name="resolved"
        ),
        CheckConstraint("renewals_left >= 0", name="renewals_left"),
        CheckConstraint("accepted_by IS NULL OR accepted_at IS NOT NULL", name="accepted_by"),
        Index(
            "holds_live_referral_key",
            "referral_id",
            unique=True,
            postgresql_where=text("resolved_at IS NULL"),
        ),
        Index(
            "holds_live_place_key",
            "place_id",
            unique=True,
            postgresql_where=text("resolved_at IS NULL"),
        ),
        Index("holds_sender_idx", "provider_id", "created_at", "id"),
        Index("holds_receiver_idx", "receiver_id", "created_at", "id"),
        Index("holds_live_site_idx", "site_id", postgresql_where=text("resolved_at IS NULL")),
        Index(
            "holds_resolved_idx", "resolved_at", postgresql_where=text("resolved_at IS NOT NULL")
        ),
        Index("holds_declined_idx", "referral_id", postgresql_where=text("status = 'declined'")),
    )

    id: Mapped[Id]
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"))
    provider_id: Mapped[UUID]
    """The provider whose intake desk asked."""
    account_id: Mapped[UUID | None]
    """The account that asked, as the database noted it; none where Plek did."""
    receiver_id: Mapped[UUID]
    """The provider of the place."""
    place_id: Mapped[UUID] = mapped_column(ForeignKey("places.id"))
    site_id: Mapped[UUID]
    kind: Mapped[str]
    ranking_id: Mapped[UUID] = mapped_column(ForeignKey("rankings.id"))
    rank: Mapped[int]
    override_reason: Mapped[str | None]
    status: Mapped[str]
    accepted_by: Mapped[str | None]
    """`person`, `owner` (an own place) or `automatic`."""
    accepted_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    """Why it was declined or released, as a code."""
    expires_at: Mapped[datetime]
    renewals_left: Mapped[int]
    unsafe_since: Mapped[datetime | None]
    """Since when a known danger forbids it; none: nothing does."""
    created_at: Mapped[Stamp]
    resolved_at: Mapped[datetime | None]
    decline_withdrawn_at: Mapped[datetime | None]
    """When its decline was taken back: since then it bars the site no more."""
    swap_id: Mapped[UUID | None]
    """The swap that it is part of, and with which it ends; a plain id, as `swap_legs` has the
    key."""


class Stay(Base):
    """One household's placements from first arrival to last departure."""

    __tablename__ = "stays"

    id: Mapped[Id]
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"), index=True)
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers.id"))


class Placement(Base):
    """A household on its way to, or in, one place."""

    __tablename__ = "placements"
    __table_args__ = (
        CheckConstraint(
            one_of("status", "underway", "arrived", "no_show", "ended", "cancelled"), name="status"
        ),
        CheckConstraint(
            "(status IN ('arrived', 'ended')) = (arrived_at IS NOT NULL)", name="arrived"
        ),
        CheckConstraint("(status = 'ended') = (departed_at IS NOT NULL)", name="departed"),
        CheckConstraint("departed_at >= arrived_at", name="order"),
        CheckConstraint("(status = 'no_show') = (no_show_at IS NOT NULL)", name="no_show"),
        CheckConstraint("(return_by IS NULL) = (return_at IS NULL)", name="return"),
        Index(
            "placements_stay_arrived_key",
            "stay_id",
            unique=True,
            postgresql_where=text("status = 'arrived'"),
        ),
        Index(
            "placements_stay_underway_key",
            "stay_id",
            unique=True,
            postgresql_where=text("status = 'underway'"),
        ),
        Index(
            "placements_previous_key",
            "previous_id",
            unique=True,
            postgresql_where=text("status NOT IN ('no_show', 'cancelled')"),
        ),
        Index(
            "placements_site_idx",
            "site_id",
            postgresql_where=text("status IN ('underway', 'arrived')"),
        ),
        Index("placements_arrived_idx", "arrived_at"),
        Index(
            "placements_departed_idx",
            "departed_at",
            postgresql_where=text("arrived_at IS NOT NULL"),
        ),
        Index("placements_stay_id_idx", "stay_id"),
        *(
            Index(name, region, "arrived_at", "id", postgresql_where=text("arrived_at IS NOT NULL"))
            for name, region in (
                ("placements_origin_idx", "origin_region"),
                ("placements_receiving_idx", "receiving"),
            )
        ),
        Index(
            "placements_capacity_idx",
            "receiving",
            postgresql_where=text(
                "status IN ('underway', 'arrived') AND cross_regional AND reason <> 'safety'"
            ),
        ),
        Index("placements_sender_idx", "provider_id", "created_at", "id"),
        Index("placements_receiver_idx", "receiver_id", "created_at", "id"),
    )

    id: Mapped[Id]
    stay_id: Mapped[UUID] = mapped_column(ForeignKey("stays.id"))
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"), index=True)
    hold_id: Mapped[UUID] = mapped_column(ForeignKey("holds.id"), unique=True)
    previous_id: Mapped[UUID | None] = mapped_column(ForeignKey("placements.id"))
    """The placement of the same stay that they leave for this one."""
    began_id: Mapped[UUID | None] = mapped_column(ForeignKey("placements.id"), index=True)
    """With which placement their time at a provider began: the one they come from until they
    arrive, then this one's.  None: with this very placement. The ledger's leaves of that time hang
    on it."""
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers.id"))
    receiver_id: Mapped[UUID] = mapped_column(ForeignKey("providers.id"))
    place_id: Mapped[UUID] = mapped_column(ForeignKey("places.id"), index=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    kind: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="underway")
    reason: Mapped[str]
    origin: Mapped[str] = mapped_column(ForeignKey("municipalities.code"))
    origin_region: Mapped[str] = mapped_column(ForeignKey("regions.code"))
    receiving: Mapped[str] = mapped_column(ForeignKey("regions.code"))
    cross_regional: Mapped[bool]
    expected_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    no_show_at: Mapped[datetime | None]
    safety_checked_at: Mapped[datetime | None]
    """When the sender made sure, after a no-show, that the household is safe; only then the place
    is free."""
    arrival_withdrawn_at: Mapped[datetime | None]
    """When an arrival that was recorded by mistake was taken back: they are counted, and in the
    ledger, already."""
    departed_at: Mapped[datetime | None]
    destination: Mapped[str | None]
    blockers: Mapped[Codes]
    expected_departure: Mapped[date | None]
    ready_to_leave_since: Mapped[date | None]
    unsafe_since: Mapped[datetime | None]
    """As a hold's."""
    return_by: Mapped[date | None]
    """By when both providers have agreed that they go back, where they left their region for want
    of room there."""
    return_at: Mapped[datetime | None]
    """When that day begins by the country's clocks."""
    created_at: Mapped[Stamp]


class BlockerPeriod(Base):
    """A period in which something delayed a departure.

    Open while it lasts, closed with the placement at the latest.
    """

    __tablename__ = "blocker_periods"
    __table_args__ = (
        CheckConstraint("until >= since", name="order"),
        Index("blocker_periods_since_idx", "since"),
        Index(
            "blocker_periods_open_key",
            "placement_id",
            "code",
            unique=True,
            postgresql_where=text("until IS NULL"),
        ),
    )

    placement_id: Mapped[UUID] = mapped_column(ForeignKey("placements.id"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[Stamp] = mapped_column(primary_key=True)
    until: Mapped[datetime | None]


class ReadyPeriod(Base):
    """A period in which a household is ready to leave, from a noted day.

    It lasts until it is withdrawn or they leave.
    """

    __tablename__ = "ready_periods"
    __table_args__ = (
        CheckConstraint("until >= noted_at", name="order"),
        Index(
            "ready_periods_open_key",
            "placement_id",
            unique=True,
            postgresql_where=text("until IS NULL"),
        ),
    )

    placement_id: Mapped[UUID] = mapped_column(ForeignKey("placements.id"), primary_key=True)
    noted_at: Mapped[Stamp] = mapped_column(primary_key=True)
    since: Mapped[date]
    until: Mapped[datetime | None]
