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

    Of what has no history, a count a day; until its release.
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
    """By somebody whom Plek placed, or by somebody who came without it."""
    out_of_service: Mapped[int]
    sites: Mapped[int]
    stale: Mapped[int]
    """Sites that somebody confirmed, but too long ago."""
    unknown: Mapped[int]
    """Sites that nobody ever confirmed."""


class HouseholdCount(Base):
    """Sealed sums of the arrivals at a provider's places in a region during a quarter.

    They are kept until its release.

    It has no row of anybody, and names nobody: erasing a referral leaves it as it is.
    """

    __tablename__ = "household_counts"

    quarter: Mapped[date] = mapped_column(primary_key=True)
    """Its first day."""
    provider_id: Mapped[UUID] = mapped_column(primary_key=True)
    region: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class MonitorRelease(Base):
    """What everybody may see of a region's quarter, or of the country's (no region).

    Made once, and never again.
    """

    __tablename__ = "monitor_releases"

    quarter: Mapped[date] = mapped_column(primary_key=True)
    """Its first day."""
    region: Mapped[str] = mapped_column(primary_key=True)
    made_at: Mapped[Stamp]
    figures: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """Small counts have been hidden before they are written."""


class MonitorStaleness(Base):
    """What part of a quarter a provider's sites in a region were not confirmed in time."""

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
