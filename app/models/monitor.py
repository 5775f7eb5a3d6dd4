"""The monitor: counts of a running quarter, and the figures published once it is over."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Stamp


class MonitorDay(Base):
    """A provider's places in a region as a day began.

    It counts once a day what has no history, until its release.
    """

    __tablename__ = "monitor_days"
    __table_args__ = (
        CheckConstraint(
            "in_use + out_of_service <= places AND stale + unknown <= sites", name="parts"
        ),
    )

    day: Mapped[date] = mapped_column(primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(primary_key=True)
    region: Mapped[str] = mapped_column(primary_key=True)
    places: Mapped[int]
    in_use: Mapped[int]
    """Places in use, by a household that Plek placed or by one that came without it."""
    out_of_service: Mapped[int]
    sites: Mapped[int]
    stale: Mapped[int]
    """Sites that were confirmed, but too long ago."""
    unknown: Mapped[int]
    """Sites that were never confirmed."""


class HouseholdCount(Base):
    """Sealed sums of a quarter's arrivals at a provider's places in a region.

    They are kept until its release. It has no row of a household, and names none: erasing a
    referral leaves it as it is.
    """

    __tablename__ = "household_counts"

    quarter: Mapped[date] = mapped_column(primary_key=True)
    """Its first day."""
    provider_id: Mapped[UUID] = mapped_column(primary_key=True)
    region: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class MonitorRelease(Base):
    """The public figures of a region's quarter, or of the country's (no region).

    It is made once, and never again.
    """

    __tablename__ = "monitor_releases"

    quarter: Mapped[date] = mapped_column(primary_key=True)
    """Its first day."""
    region: Mapped[str] = mapped_column(primary_key=True)
    made_at: Mapped[Stamp]
    figures: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """The figures; small counts are hidden before they are written."""


class MonitorStaleness(Base):
    """The part of a quarter in which a provider's sites in a region were unconfirmed."""

    __tablename__ = "monitor_staleness"
    __table_args__ = (CheckConstraint("stale_permille + unknown_permille <= 1000", name="parts"),)

    quarter: Mapped[date] = mapped_column(primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(primary_key=True)
    region: Mapped[str] = mapped_column(primary_key=True)
    days: Mapped[int]
    """How many days of the quarter were counted."""
    stale_permille: Mapped[int]
    unknown_permille: Mapped[int]
    made_at: Mapped[Stamp]
