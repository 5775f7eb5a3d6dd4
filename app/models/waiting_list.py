"""Households for whom nothing fits yet: contacts, alternatives and vacancies."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, Stamp, one_of

LIVE = text("ended_at IS NULL")


class Contact(Base):
    """One contact with, or about, a household that waits.

    Its content is sealed with the referral's key.
    """

    __tablename__ = "contacts"
    __table_args__ = (Index(None, "referral_id", "at", "id"),)

    id: Mapped[Id]
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id", ondelete="CASCADE"))
    provider_id: Mapped[UUID]
    """The referral's provider."""
    account_id: Mapped[UUID]
    """Who wrote it."""
    at: Mapped[Stamp]
    due_at: Mapped[datetime | None]
    """When the next contact is due: what the newest contact says counts."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class Alternative(Base):
    """A household's accommodation until a place is found, and its responsible provider.

    Never where it is. Its speakable reference stands here too: the responsible provider sees
    nothing else of the referral.
    """

    __tablename__ = "alternatives"
    __table_args__ = (
        CheckConstraint(
            one_of("kind", "emergency_bed", "hotel", "holiday_park", "ambulatory"), name="kind"
        ),
        CheckConstraint(one_of("outcome", "well", "not_well", "not_reached"), name="outcome"),
        CheckConstraint("(checked_at IS NULL) = (outcome IS NULL)", name="checked"),
        CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="ended"),
        CheckConstraint("kind <> 'emergency_bed' OR until IS NOT NULL", name="nights"),
        CheckConstraint("(until IS NULL) = (nights_over_at IS NULL)", name="nights_over"),
        Index("alternatives_started_idx", "started_at"),
        Index("alternatives_live_key", "referral_id", unique=True, postgresql_where=LIVE),
        Index(
            "alternatives_responsible_idx",
            "responsible_id",
            "next_check_at",
            "id",
            postgresql_where=LIVE,
        ),
        Index(
            "alternatives_provider_idx", "provider_id", "next_check_at", "id", postgresql_where=LIVE
        ),
    )

    id: Mapped[Id]
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referrals.id", ondelete="CASCADE"))
    reference: Mapped[str]
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers.id"))
    """The referral's provider."""
    responsible_id: Mapped[UUID] = mapped_column(ForeignKey("providers.id"))
    kind: Mapped[str]
    started_at: Mapped[Stamp]
    until: Mapped[date | None]
    """The day on which they leave it: every night before belongs to it."""
    nights_over_at: Mapped[datetime | None]
    """When that day begins by the country's clocks."""
    checked_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    """Of the last check, as a code."""
    next_check_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]


class AmbulatoryCapacity(Base):
    """The number of households that a provider can help at home at the same time.

    Its live alternatives take them up.
    """

    __tablename__ = "ambulatory_capacities"
    __table_args__ = (CheckConstraint("capacity BETWEEN 0 AND 10000", name="capacity"),)

    provider_id: Mapped[UUID] = mapped_column(
        ForeignKey("providers.id", ondelete="CASCADE"), primary_key=True
    )
    capacity: Mapped[int]


class Vacancy(Base):
    """A place that came free, and the number of waiting referrals that it is lawful for.

    The database itself writes it. There are no foreign keys: each would lock rows that every freed
    place cites, and it is kept for some days only.
    """

    __tablename__ = "vacancies"
    __table_args__ = (
        CheckConstraint("lawful_for >= 0", name="lawful_for"),
        Index("vacancies_provider_idx", "provider_id", "freed_at", "id"),
        Index("vacancies_uncounted_idx", "freed_at", postgresql_where=text("counted_at IS NULL")),
    )

    id: Mapped[Id]
    provider_id: Mapped[UUID]
    """Whose place it is."""
    site_id: Mapped[UUID]
    group_id: Mapped[UUID]
    place_id: Mapped[UUID | None]
    """None where a site admits people again: then a whole group came free."""
    left_by: Mapped[UUID | None]
    """The referral that had it, which is not told of it; forgotten once the others have been
    counted."""
    freed_at: Mapped[Stamp]
    reached: Mapped[UUID | None]
    """The last referral that was ranked for it, while that goes on."""
    lawful_for: Mapped[int] = mapped_column(server_default=text("0"))
    counted_at: Mapped[datetime | None]
