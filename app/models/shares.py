"""Rows of the accounts between regions: totals and figures by quarter, caps."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    text,
)
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
