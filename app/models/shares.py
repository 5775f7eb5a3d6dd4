"""Rows of shares and figures: totals and counts by quarter, caps, and the monitor."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, Stamp


class QuarterTotal(Base):
    """The leaf that has a quarter's totals.

    The transaction that adds this row seals the quarter, so no quarter is sealed twice. Later
    versions than 1 are in ledgers of the earlier edition alone, which sealed quarters anew.
    """

    __tablename__ = "quarter_totals"
    __table_args__ = (CheckConstraint("version > 0", name="version"),)

    quarter: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    index: Mapped[int | None] = mapped_column(ForeignKey("leaves.index"), unique=True)
    """None only within the transaction that adds the row: the ledger is locked last."""
    sealed_at: Mapped[Stamp]


class RunningStays(Base):
    """Stays that had not ended when totals were made, by their arrivals' leaves.

    Later totals need no older stay.
    """

    __tablename__ = "running_stays"

    leaves: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """The number of leaves that those totals were made from."""
    arrivals: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    noted_at: Mapped[Stamp]


class QuarterFigures(Base):
    """Figures about a quarter that no opening has, as of its sealing; small ones suppressed."""

    __tablename__ = "quarter_figures"

    quarter: Mapped[str] = mapped_column(primary_key=True)
    figures: Mapped[dict[str, Any]] = mapped_column(JSONB)
    taken_at: Mapped[Stamp]


class Cap(Base):
    """How many households of other regions a region takes at once, safety apart."""

    __tablename__ = "caps"
    __table_args__ = (
        CheckConstraint("at_most >= 0", name="at_most"),
        CheckConstraint("last_day >= first_day", name="days"),
        CheckConstraint("ends_at > begins_at", name="moments"),
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_on IS NULL)", name="withdrawn"),
        Index(
            "caps_region_idx", "region", "ends_at", postgresql_where=text("withdrawn_at IS NULL")
        ),
        Index(None, "first_day", "id"),
    )

    id: Mapped[Id]
    region: Mapped[str] = mapped_column(ForeignKey("regions.code"))
    at_most: Mapped[int]
    reason: Mapped[str]
    first_day: Mapped[date]
    last_day: Mapped[date]
    begins_at: Mapped[datetime]
    """The first moment of the first day, as the country's clocks have it."""
    ends_at: Mapped[datetime]
    account_id: Mapped[UUID]
    index: Mapped[int] = mapped_column(ForeignKey("leaves.index"))
    """Its leaf."""
    set_at: Mapped[Stamp]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_on: Mapped[date | None]


class Displacement(Base):
    """A household that went elsewhere because a cap excluded a place that would have done."""

    __tablename__ = "displacements"

    index: Mapped[int] = mapped_column(
        ForeignKey("leaves.index"), primary_key=True, autoincrement=False
    )
    """The leaf of its arrival."""
    cap_id: Mapped[UUID] = mapped_column(ForeignKey("caps.id"), primary_key=True)


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
