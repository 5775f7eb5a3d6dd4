"""The country: regions, municipalities, their surest distances, weights and policies."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class Region(Base):
    """An area served by one lead municipality, whose code it bears."""

    __tablename__ = "regions"
    __table_args__ = (CheckConstraint("population >= 0", name="population"),)

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    lat: Mapped[float]
    lon: Mapped[float]
    population: Mapped[int]


class Municipality(Base):
    """A municipality: its position, and the distance within which all of it lies."""

    __tablename__ = "municipalities"
    __table_args__ = (
        CheckConstraint("extent_km > 0", name="extent"),
        CheckConstraint("population >= 0", name="population"),
        Index(None, "region"),
    )

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    province: Mapped[str]
    lat: Mapped[float]
    lon: Mapped[float]
    extent_km: Mapped[int]
    """Distance from the position to the farthest point of the border, rounded up."""
    population: Mapped[int]
    region: Mapped[str] = mapped_column(ForeignKey("regions.code"))


class Clearance(Base):
    """The surest distance between anything in two municipalities, in whole km."""

    __tablename__ = "clearances"

    zone: Mapped[str] = mapped_column(
        ForeignKey("municipalities.code", ondelete="CASCADE"), primary_key=True
    )
    site: Mapped[str] = mapped_column(
        ForeignKey("municipalities.code", ondelete="CASCADE"), primary_key=True
    )
    km: Mapped[int]
    """Negative where the two may touch."""
    centroid_km: Mapped[int]
    """Distance between the two positions, rounded: for nearness, never for safety."""


class Weight(Base):
    """A region's weight when a burden is divided, with where the figure comes from."""

    __tablename__ = "weights"
    __table_args__ = (CheckConstraint("weight >= 0", name="weight"),)

    region: Mapped[str] = mapped_column(ForeignKey("regions.code"), primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    weight: Mapped[int]
    source: Mapped[str]


class Policy(Base):
    """A version of the rules' numbers.

    Rankings and leaves cite its hash, so none is ever changed or taken away.
    """

    __tablename__ = "policies"

    hash: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(unique=True)
    valid_from: Mapped[datetime] = mapped_column(unique=True)
    """From this moment, by the database's clock, until the next one's: two cannot begin at once."""
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
