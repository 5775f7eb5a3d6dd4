"""Rows of departures to come: what delays them, and since when a household is ready."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Stamp


class BlockerPeriod(Base):
    """How long something delayed a departure.

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
    """That a household was ready to leave, since a day, as somebody noted.

    Until it was withdrawn or they left.
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
