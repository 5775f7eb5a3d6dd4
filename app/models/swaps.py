"""Swaps: willing households, searches, and chains and cycles of moves with consents."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, Stamp, one_of


class MoveAgreement(Base):
    """The agreement of a household in stay that it would move; without one it would not."""

    __tablename__ = "move_agreements"
    __table_args__ = (Index(None, "referral_id"),)

    placement_id: Mapped[UUID] = mapped_column(ForeignKey("placements.id"), primary_key=True)
    """Its home: the agreement ends with that placement."""
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"))
    provider_id: Mapped[UUID]
    """Of the referral."""
    receiver_id: Mapped[UUID]
    """The provider that it lives at, and that asked."""
    agreed_at: Mapped[Stamp]
    lapses_at: Mapped[datetime]


class SwapSearch(Base):
    """A search for households that could move to free a place, with its sealed result."""

    __tablename__ = "swap_searches"
    __table_args__ = (Index(None, "referral_id", "asked_at"),)

    id: Mapped[Id]
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"))
    provider_id: Mapped[UUID]
    found: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """The moves of each swap, best first: ids of households and places that nobody is shown."""
    asked_at: Mapped[Stamp]


class Swap(Base):
    """A proposed chain or cycle of moves; it resolves at most once."""

    __tablename__ = "swaps"
    __table_args__ = (
        CheckConstraint(
            one_of("status", "proposed", "reserved", "completed", "broken", "refused", "expired"),
            name="status",
        ),
        CheckConstraint(
            "(status IN ('proposed', 'reserved')) = (resolved_at IS NULL)", name="resolved"
        ),
        Index("swaps_lapsing_idx", "expires_at", postgresql_where=text("status = 'proposed'")),
    )

    id: Mapped[Id]
    provider_id: Mapped[UUID]
    """Who proposed it."""
    status: Mapped[str] = mapped_column(server_default="proposed")
    reason: Mapped[str | None]
    """Why it was refused, as a code."""
    moves: Mapped[int]
    children: Mapped[int]
    """How many would change school."""
    expires_at: Mapped[datetime]
    """Until when every consent must be there."""
    created_at: Mapped[Stamp]
    resolved_at: Mapped[datetime | None]


class SwapLeg(Base):
    """One household's move within a swap.

    A household, and a place, is in at most one live swap.
    """

    __tablename__ = "swap_legs"
    __table_args__ = (
        UniqueConstraint("swap_id", "turn"),
        CheckConstraint("(placement_id IS NULL) = (leaving_id IS NULL)", name="leaving"),
        CheckConstraint(
            one_of("outcome", "arrived", "no_show", "cancelled", "void"), name="outcome"
        ),
        CheckConstraint("live = (outcome IS NULL)", name="live"),
        CheckConstraint("placement_id IS NOT NULL OR leaving_at IS NULL", name="nobody_left"),
        Index(
            "swap_legs_live_referral_key", "referral_id", unique=True, postgresql_where=text("live")
        ),
        Index("swap_legs_live_place_key", "place_id", unique=True, postgresql_where=text("live")),
        Index("swap_legs_sender_idx", "provider_id"),
        Index("swap_legs_leaving_idx", "leaving_id"),
        Index("swap_legs_receiving_idx", "receiving_id"),
        Index("swap_legs_hold_idx", "hold_id"),
        Index("swap_legs_placement_idx", "placement_id"),
    )

    id: Mapped[Id]
    swap_id: Mapped[UUID] = mapped_column(ForeignKey("swaps.id"))
    turn: Mapped[int]
    """1 for the household that was searched for; each goes where the next one leaves, the last to a
    free place or, in a cycle, to where the first leaves."""
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id"))
    provider_id: Mapped[UUID]
    """Of the referral."""
    placement_id: Mapped[UUID | None] = mapped_column(ForeignKey("placements.id"))
    """Where it lives; none for one that is waiting."""
    leaving_id: Mapped[UUID | None]
    """The provider that it leaves."""
    place_id: Mapped[UUID] = mapped_column(ForeignKey("places.id"))
    """Where it goes."""
    site_id: Mapped[UUID]
    kind: Mapped[str]
    receiving_id: Mapped[UUID]
    """The provider that it goes to."""
    household_at: Mapped[datetime | None]
    """When each of them consented."""
    leaving_at: Mapped[datetime | None]
    receiving_at: Mapped[datetime | None]
    hold_id: Mapped[UUID | None] = mapped_column(ForeignKey("holds.id"))
    """The place, kept for it: from the beginning if it is free, else once all have consented."""
    live: Mapped[bool] = mapped_column(server_default=text("true"))
    outcome: Mapped[str | None]
    """Its end: arrived, no_show, cancelled (the place did not come free), or void with the swap."""
