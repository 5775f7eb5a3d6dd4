"""The service's own rows: outbox, sequences, timers, peak plans, availability steps."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, Stamp, one_of

EVENT_KINDS = (
    "availability",
    "hold",
    "placement",
    "swap",
    "access",
    "waiting",
    "due",
    "alarm",
)
"""`waiting`: something that came free is lawful for a referral, or an alternative began, was looked
after or ended; `due`: a due rang, was seen or taken, or ended after it had rung; `alarm`: a danger
that changed reaches a hold or a placement, or a household in an alternative is not well, not
reached, or has lost it."""


class OutboxEntry(Base):
    """A change that others must hear of, written in the transaction that made it.

    It has ids and an audience, no content.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint(one_of("kind", *EVENT_KINDS), name="kind"),
        Index("outbox_unnumbered_idx", "id", postgresql_where=text("position IS NULL")),
        Index(None, "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    position: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    """The position, given by the relay after the commit: no gaps, no late arrivals."""
    kind: Mapped[str]
    subject: Mapped[str]
    """The id of its subject; for availability a region's code, for access an entry of the log."""
    audience: Mapped[list[UUID] | None] = mapped_column(ARRAY(PG_UUID(as_uuid=True)))
    """The providers concerned; none: all staff."""
    at: Mapped[Stamp]


class Head(Base):
    """The last number given in a sequence without gaps.

    A transaction that takes a number locks the row.
    """

    __tablename__ = "heads"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)


class Timer(Base):
    """Work that recurs; a process leases the row, works, and says when it is due again."""

    __tablename__ = "timers"

    name: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime]
    leased_until: Mapped[datetime]


class PeakPlan(Base):
    """A plan for all open referrals of the country, in counts.

    An administrator asks, the worker makes it.
    """

    __tablename__ = "peak_plans"
    __table_args__ = (CheckConstraint("(made_at IS NULL) = (counts IS NULL)", name="made"),)

    id: Mapped[Id]
    account_id: Mapped[UUID]
    asked_at: Mapped[Stamp]
    made_at: Mapped[datetime | None]
    counts: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """Small ones are suppressed before they are written."""


class Discrepancy(Base):
    """Two records that disagree: how, as a code, and the id of what they are about."""

    __tablename__ = "discrepancies"

    code: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[UUID] = mapped_column(primary_key=True)
    """A place, hold, placement or stay."""
    found_at: Mapped[Stamp]
    gone_at: Mapped[datetime | None]
    """When a check did not find it any more."""


class AvailabilityStep(Base):
    """Counts at the last step, which is all that others see.

    So a family's arrival cannot be watched.
    """

    __tablename__ = "availability_steps"

    provider_id: Mapped[UUID] = mapped_column(
        ForeignKey("providers.id", ondelete="CASCADE"), primary_key=True
    )
    region: Mapped[str] = mapped_column(ForeignKey("regions.code"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    total: Mapped[int]
    free: Mapped[int]
    held: Mapped[int]
    occupied: Mapped[int]
    out_of_service: Mapped[int]
    oldest_confirmation: Mapped[datetime | None]
    unconfirmed: Mapped[bool]
    """Whether a site among them was never confirmed."""
    taken_at: Mapped[Stamp]
