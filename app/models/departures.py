"""Departures to come: their blockers, and the days from which households are ready."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Stamp


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
